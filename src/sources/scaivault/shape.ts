import { isUnderPath } from '../../core/filter.ts'
import type { EventShape } from '../../core/source.ts'
import { asItIs } from '../as-it-is.ts'
import {
  actionOf,
  actorOf,
  commonOf,
  identityOf,
  identityType,
  isActor,
  nameOf,
  outcomeOf,
  requestIdOf,
  secretPathOf,
  sourceIpOf,
  targetType,
} from './read-record.ts'

/** @source https://www.scailabs.ai/en/docs/scaivault/reference/audit (22 actions, an open set) */
const ACTIONS: readonly string[] = [
  'read',
  'write',
  'delete',
  'list',
  'rotate',
  'policy_create',
  'policy_update',
  'policy_delete',
  'policy_bind',
  'policy_unbind',
  'pki_issue',
  'pki_sign',
  'pki_revoke',
  'pki_ca_create',
  'dynamic_generate',
  'dynamic_renew',
  'dynamic_revoke',
  'webhook_delivery',
  'subscription_event',
  'federation_sync',
  'identity_sync',
  'export_created',
]

/** `a/b` of `/a/b/`: the log has no leading slash, people write one. */
export function plainPath(path: string): string {
  return path.replace(/^\/+|\/+$/g, '')
}

/** ScaiVault's audit entries in the shape of its query API. */
export function scaivaultShape(tenant: () => string | undefined = () => undefined): EventShape {
  return {
    type: 'scaivault',
    reader: { type: 'scaivault', actor: actorOf, action: actionOf, target: secretPathOf },
    columns: [
      'id',
      'timestamp',
      'action',
      'identity_type',
      'identity_id',
      'secret_path',
      'source_ip',
      'user_agent',
      'success',
      'duration_ms',
      'request_id',
      'extra_data',
      'session_id',
      'http_method',
      'http_status',
      'error_code',
    ],
    tableColumns: ['timestamp', 'action', 'actor', 'target', 'success', 'source_ip'],
    filters: {
      event: (record, value) => actionOf(record) === value,
      actor: isActor,
      'actor-type': (record, value) => identityType(record) === value,
      path(record, value) {
        const path = secretPathOf(record)
        return path !== undefined && isUnderPath(path, plainPath(value))
      },
      key: (record, value) => secretPathOf(record)?.split('/').at(-1) === value,
      entity: (record, value) => secretPathOf(record) === plainPath(value) || identityOf(record) === value,
      model: (record, value) => targetType(record) === value,
      ip: (record, value) => sourceIpOf(record) === value,
      'request-id': (record, value) => requestIdOf(record) === value,
      outcome: (record, value) => outcomeOf(record) === value,
    },
    idKey: 'id',
    timeKey: 'timestamp',
    name: nameOf,
    isPlainlyNamed: true,
    aliases: (eventType) => [eventType],
    asStreamed: asItIs,
    isStreamedAsIs: true,
    toCommon: (record) => commonOf(record, tenant()),
    knownEventTypes: ACTIONS,
  }
}
