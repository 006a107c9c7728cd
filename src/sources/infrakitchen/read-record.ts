import type { JsonObject } from '../../core/event.ts'
import type { CommonEvent } from '../../core/source.ts'
import type { Times } from './times.ts'

/** What a native record says, in either spelling: REST's, which our GraphQL document asks for by aliases, or GraphQL's own. */

export function textOf(value: unknown, ...keys: readonly string[]): string | undefined {
  if (value === null || typeof value !== 'object') return undefined
  for (const key of keys) {
    const found = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined
    if (typeof found === 'string' && found !== '') return found
  }
  return undefined
}

export const userIdOf = (record: JsonObject) => textOf(record, 'user_id', 'userId')
export const entityIdOf = (record: JsonObject) => textOf(record, 'entity_id', 'entityId')
export const timeOf = (record: JsonObject) => textOf(record, 'created_at', 'createdAt')

export function actionOf(record: JsonObject): string {
  return textOf(record, 'action') ?? ''
}

export function displayNameOf(record: JsonObject): string | undefined {
  return textOf(record['creator'], 'display_name', 'displayName')
}

export function identifierOf(record: JsonObject): string | undefined {
  return textOf(record['creator'], 'identifier')
}

/** A person's name, what they log in with, and for an actor whose user record is gone the id. */
export function actorOf(record: JsonObject): string | undefined {
  return displayNameOf(record) ?? identifierOf(record) ?? userIdOf(record)
}

/** The rule is ours: the log tells only by which door its actors come in. */
export function actorType(record: JsonObject): string | undefined {
  const provider = textOf(record['creator'], 'provider')
  if (provider === 'ik_service_account') return 'service_account'
  if (provider === 'guest') return 'guest'
  return provider === undefined ? undefined : 'user'
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** What the server is asked for by id is compared by id alone, so that both agree. */
export function isActor(record: JsonObject, who: string): boolean {
  if (isUuid(who)) return userIdOf(record) === who.toLowerCase()
  const names = [userIdOf(record), identifierOf(record), displayNameOf(record), emailOf(record)]
  if (names.includes(who)) return true
  const lower = who.toLowerCase()
  return who.includes('@') && names.some((name) => name?.toLowerCase() === lower)
}

export function isEntity(record: JsonObject, entity: string): boolean {
  return isUuid(entity) ? entityIdOf(record) === entity.toLowerCase() : targetName(record) === entity
}

export function targetName(record: JsonObject): string | undefined {
  return textOf(record['entity_data'] ?? record['entityData'], 'name')
}

/** What the record says its id and time are; undefined when it is no entry of this log. */
export function nameOf(record: JsonObject, times: Times) {
  const [id, time] = [textOf(record, 'id'), timeOf(record)]
  return id === undefined || time === undefined ? undefined : { id, ...times.read(time) }
}

export function commonOf(record: JsonObject, times: Times, organization: string | undefined): CommonEvent {
  const id = textOf(record, 'id') ?? ''
  const time = timeOf(record)
  return {
    id,
    time: time === undefined ? '' : times.read(time).occurredAt,
    actor: {
      type: actorType(record) ?? null,
      id: userIdOf(record) ?? null,
      name: displayNameOf(record) ?? identifierOf(record) ?? null,
      email: emailOf(record) ?? null,
    },
    action: actionOf(record),
    target: {
      type: textOf(record, 'model') ?? null,
      id: entityIdOf(record) ?? null,
      name: targetName(record) ?? null,
    },
    // An entry is written when the action is accepted; how it ended is nowhere in the log.
    outcome: null,
    ip: null,
    userAgent: null,
    // Execution logs are found by it.
    requestId: id,
    organization: organization ?? null,
    project: null,
    source: 'infrakitchen',
  }
}

function emailOf(record: JsonObject): string | undefined {
  const identifier = identifierOf(record)
  return textOf(record['creator'], 'email') ?? (identifier?.includes('@') ? identifier : undefined)
}
