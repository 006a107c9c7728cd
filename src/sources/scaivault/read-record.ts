import type { JsonObject } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import type { CommonEvent } from '../../core/source.ts'

/**
 * What a native record says. The documented name comes first; the others are what sister products and the prose of the guide call the same
 * thing, since no example shows every field.
 */

export const ID_KEYS = ['id', 'log_id', 'event_id'] as const
export const TIME_KEYS = ['timestamp', 'time', 'occurred_at', 'created_at'] as const
const EXTRA_KEYS = ['extra_data', 'extra', 'metadata', 'context', 'details'] as const

/** The first value that is there, by dotted path. */
export function firstAt(record: unknown, ...paths: readonly string[]): unknown {
  for (const path of paths) {
    let value: unknown = record
    for (const key of path.split('.')) {
      value =
        value !== null && typeof value === 'object' && Object.hasOwn(value, key)
          ? (value as JsonObject)[key]
          : undefined
    }
    if (value !== undefined && value !== null && value !== '') return value
  }
  return undefined
}

export function textOf(record: unknown, ...paths: readonly string[]): string | undefined {
  const value = firstAt(record, ...paths)
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : undefined
}

export const actionOf = (record: JsonObject): string => textOf(record, 'action') ?? ''
export const identityOf = (record: JsonObject) => textOf(record, 'identity_id', 'actor_id', 'identity.id')
export const requestIdOf = (record: JsonObject) => textOf(record, 'request_id')
export const sourceIpOf = (record: JsonObject) => textOf(record, 'source_ip')

const PREFIXES: Readonly<Record<string, string>> = {
  user: 'user',
  sa: 'service_account',
  group: 'group',
  system: 'system',
}

/** `service_account` of `sa:billing`; undefined where nothing says it. */
export function identityType(record: JsonObject): string | undefined {
  const said = textOf(record, 'identity_type', 'actor_type', 'identity.type')
  if (said !== undefined) return said
  return PREFIXES[/^([a-z]+):/.exec(identityOf(record) ?? '')?.[1] ?? '']
}

export function hasPrefix(identity: string): boolean {
  return Object.hasOwn(PREFIXES, /^([a-z]+):./.exec(identity)?.[1] ?? '')
}

function displayName(record: JsonObject): string | undefined {
  return textOf(record, 'identity_name', 'display_name', 'identity.display_name')
}

const bare = (identity: string | undefined) => identity?.replace(/^(?:user|sa|group|system):(?=.)/, '')

export function actorOf(record: JsonObject): string | undefined {
  return displayName(record) ?? bare(identityOf(record))
}

export function isActor(record: JsonObject, who: string): boolean {
  const identity = identityOf(record)
  // What the server is asked for by id is compared by id alone, so that both agree.
  if (hasPrefix(who)) return identity === who
  const names = [bare(identity), displayName(record), textOf(record, 'actor_email', 'identity.email')]
  if (names.includes(who)) return true
  return who.includes('@') && names.some((name) => name?.toLowerCase() === who.toLowerCase())
}

/** Without a leading slash, as the log has it. */
export function secretPathOf(record: JsonObject): string | undefined {
  return textOf(record, 'secret_path', 'path', 'resource_path', 'resource')?.replace(/^\/+/, '')
}

export function outcomeOf(record: JsonObject): 'success' | 'failure' | undefined {
  // The server's CSV has texts only.
  const said = String(firstAt(record, 'success')).toLowerCase()
  if (said === 'true') return 'success'
  if (said === 'false') return 'failure'
  const word = textOf(record, 'outcome', 'status')?.toLowerCase()
  if (word === 'success' || word === 'failure') return word
  const status = Number(textOf(record, 'http_status', 'status_code', 'status'))
  if (Number.isInteger(status) && status >= 100) return status < 400 ? 'success' : 'failure'
  return undefined
}

/** Our own word for what was acted on: the log names secrets only. */
export function targetType(record: JsonObject): string | undefined {
  if (secretPathOf(record) !== undefined) return 'secret'
  const [, family] =
    /^(policy|pki|dynamic|webhook|subscription|federation|identity|export)_/.exec(actionOf(record)) ?? []
  return family
}

/** Names that stand in the place of documented ones: tables and CSV show the documented. */
export function otherNames(record: JsonObject): readonly string[] {
  const documented = [
    ['id', ID_KEYS],
    ['timestamp', TIME_KEYS],
    ['identity_id', ['actor_id', 'identity.id']],
    ['identity_type', ['actor_type', 'identity.type']],
    ['secret_path', ['path', 'resource_path', 'resource']],
    ['success', ['outcome', 'status', 'http_status']],
  ] as const
  return documented.flatMap(([name, others]) => {
    const other = Object.hasOwn(record, name)
      ? undefined
      : others.find((path) => firstAt(record, path) !== undefined)
    return other === undefined ? [] : [`${other} for ${name}`]
  })
}

/** What the record says its id and time are; a time without a zone is in UTC. Undefined when it is no entry of this log. */
export function nameOf(record: JsonObject) {
  const [id, time] = [textOf(record, ...ID_KEYS), textOf(record, ...TIME_KEYS)]
  if (id === undefined || time === undefined) return undefined
  const occurredAt = /(?:[Zz]|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time.replace(' ', 'T')}Z`
  return { id, occurredAt, occurredAtMs: instantOfText(occurredAt) }
}

export function commonOf(record: JsonObject, tenant: string | undefined): CommonEvent {
  const identity = identityOf(record)
  const path = secretPathOf(record)
  const named = bare(identity)
  return {
    id: textOf(record, ...ID_KEYS) ?? '',
    time: nameOf(record)?.occurredAt ?? '',
    actor: {
      type: identityType(record) ?? null,
      id: identity ?? null,
      name: displayName(record) ?? named ?? null,
      email: textOf(record, 'actor_email', 'identity.email') ?? (named?.includes('@') ? named : null),
    },
    action: actionOf(record),
    target: { type: targetType(record) ?? null, id: path ?? null, name: path ?? null },
    outcome: outcomeOf(record) ?? null,
    ip: sourceIpOf(record) ?? null,
    userAgent: textOf(record, 'user_agent') ?? null,
    requestId: requestIdOf(record) ?? null,
    organization: textOf(record, 'tenant_id') ?? tenant ?? null,
    project: null,
    source: 'scaivault',
  }
}

/** What `extra_data` or one of its other names holds. */
export function extraOf(record: JsonObject): unknown {
  return firstAt(record, ...EXTRA_KEYS)
}
