import type { EventShape } from '../../core/source.ts'
import { asItIs } from '../as-it-is.ts'
import {
  actionOf,
  actorOf,
  actorType,
  commonOf,
  entityIdOf,
  isActor,
  isEntity,
  nameOf,
  targetName,
  textOf,
} from './read-record.ts'
import { Times } from './times.ts'

/** @source server/src/core/constants of electrolux-oss/infrakitchen at bac36f6; free text is possible as well */
const ACTIONS: readonly string[] = [
  'create',
  'update',
  'edit',
  'delete',
  'destroy',
  'recreate',
  'reject',
  'approve',
  'execute',
  'retry',
  'sync',
  'dryrun',
  'dryrun_with_temp_state',
  'disable',
  'enable',
  'download',
  'cascade_destroy',
  'login',
  'link_accounts',
  'unlink_accounts',
  'Set to $True',
  'Set to $False',
]

/** InfraKitchen's audit entries as its REST API spells them; what GraphQL answers is asked for in the same spelling. */
export function infrakitchenShape(
  times: Times = new Times(),
  organization: () => string | undefined = () => undefined,
): EventShape {
  return {
    type: 'infrakitchen',
    reader: {
      type: 'infrakitchen',
      actor: actorOf,
      action: actionOf,
      target: (record) => targetName(record) ?? entityIdOf(record),
    },
    columns: [
      'id',
      'created_at',
      'action',
      'model',
      'entity_id',
      'entity_data.name',
      'user_id',
      'creator.identifier',
      'creator.display_name',
      'creator.email',
      'creator.provider',
      'creator.deactivated',
      'revision_number',
    ],
    tableColumns: ['created_at', 'action', 'actor', 'model', 'target'],
    filters: {
      event: (record, value) => actionOf(record) === value,
      actor: isActor,
      'actor-type': (record, value) => actorType(record) === value,
      entity: isEntity,
      model: (record, value) => textOf(record, 'model') === value,
      'request-id': (record, value) => textOf(record, 'id') === value.toLowerCase(),
    },
    idKey: 'id',
    timeKey: 'created_at',
    name: (record) => nameOf(record, times),
    isPlainlyNamed: true,
    aliases: (eventType) => [eventType],
    asStreamed: asItIs,
    isStreamedAsIs: true,
    toCommon: (record) => commonOf(record, times, organization()),
    knownEventTypes: ACTIONS,
  }
}
