import type { JsonObject } from '../../core/event.ts'
import { isUnderPath } from '../../core/filter.ts'
import type { EventShape } from '../../core/source.ts'
import {
  actorMetadata,
  actorOf,
  actorType,
  eventMetadata,
  eventType,
  isActor,
  mentions,
  targetOf,
  textAt,
  toCommon,
} from './read-record.ts'
import { asStreamed } from './streamed.ts'
import { aliases, knownEventTypes } from './vocabulary.ts'

/** Where folders stand in the metadata of the types that name one. */
const PATH_KEYS = ['secretPath', 'folderPath', 'sourceSecretPath', 'destinationSecretPath']

/** Infisical's audit events in the shape of its query API. */
export const infisicalShape: EventShape = {
  type: 'infisical',
  reader: {
    type: 'infisical',
    actor: actorOf,
    action: eventType,
    target(record) {
      const { name, id } = targetOf(record)
      return name ?? id ?? undefined
    },
  },
  columns: [
    'id',
    'createdAt',
    'event.type',
    'actor.type',
    'actor.metadata',
    'orgId',
    'projectId',
    'projectName',
    'ipAddress',
    'userAgent',
    'userAgentType',
    'event.metadata',
    'expiresAt',
    'updatedAt',
  ],
  streamColumns: [
    'id',
    'createdAt',
    'eventType',
    'actor',
    'actorMetadata',
    'orgId',
    'projectId',
    'projectName',
    'ipAddress',
    'userAgent',
    'userAgentType',
    'eventMetadata',
    'expiresAt',
    'updatedAt',
  ],
  tableColumns: ['createdAt', 'event.type', 'actor', 'target', 'projectName', 'ipAddress'],
  filters: {
    event: (record, value) => aliases(value).includes(eventType(record)),
    actor: isActor,
    'actor-type': (record, value) => actorType(record) === value,
    project: (record, value) => record['projectId'] === value || record['projectName'] === value,
    environment: (record, value) => eventMetadata(record)['environment'] === value,
    path(record, value) {
      const metadata = eventMetadata(record)
      return PATH_KEYS.some((key) => {
        const path = textAt(metadata, key)
        return path !== undefined && isUnderPath(path, value)
      })
    },
    key: (record, value) => holdsKey(eventMetadata(record), value),
    entity: (record, value) =>
      record['projectId'] === value ||
      mentions(eventMetadata(record), value) ||
      mentions(actorMetadata(record), value),
    ip: (record, value) => record['ipAddress'] === value,
    'user-agent-type': (record, value) => record['userAgentType'] === value,
  },
  idKey: 'id',
  timeKey: 'createdAt',
  aliases,
  asStreamed,
  toCommon,
  get knownEventTypes() {
    return knownEventTypes()
  },
}

function holdsKey(metadata: JsonObject, key: string): boolean {
  if (metadata['secretKey'] === key) return true
  const secrets = metadata['secrets']
  return Array.isArray(secrets) && secrets.some((secret) => textAt(secret, 'secretKey') === key)
}
