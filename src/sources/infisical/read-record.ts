import type { JsonObject } from '../../core/event.ts'
import type { CommonEvent } from '../../core/source.ts'
import { ACTOR_ID_KEYS, ACTOR_NAME_KEYS } from './vocabulary.ts'

/** What a native record says, read defensively: metadata may be any JSON, and members may be null or absent. */

export function eventType(record: JsonObject): string {
  return textAt(part(record, 'event'), 'type') ?? ''
}

export function eventMetadata(record: JsonObject): JsonObject {
  return part(part(record, 'event'), 'metadata')
}

export function actorType(record: JsonObject): string | undefined {
  return textAt(part(record, 'actor'), 'type')
}

export function actorMetadata(record: JsonObject): JsonObject {
  return part(part(record, 'actor'), 'metadata')
}

/** A person's address, a machine's name, an id, and for an actor without any of these its type. */
export function actorOf(record: JsonObject): string | undefined {
  const metadata = actorMetadata(record)
  return firstText(metadata, ACTOR_NAME_KEYS) ?? firstText(metadata, ACTOR_ID_KEYS) ?? actorType(record)
}

export function isActor(record: JsonObject, who: string): boolean {
  const metadata = actorMetadata(record)
  const names = [...ACTOR_ID_KEYS, ...ACTOR_NAME_KEYS].map((key) => textAt(metadata, key))
  if (names.includes(who)) return true
  const email = textAt(metadata, 'email') ?? textAt(metadata, 'username')
  return who.includes('@') && email?.toLowerCase() === who.toLowerCase()
}

type Target = { readonly type: string | null; readonly id: string | null; readonly name: string | null }

/** Metadata keys that name what was acted on, the most telling first: kind, id, name. */
const TARGETS: readonly (readonly [kind: string, id: string, name: string])[] = [
  ['secret', 'secretId', 'secretKey'],
  ['folder', 'folderId', 'folderName'],
  ['folder', 'folderId', 'newFolderName'],
  ['identity', 'identityId', 'name'],
]

export function targetOf(record: JsonObject): Target {
  const metadata = eventMetadata(record)
  for (const [type, idKey, nameKey] of TARGETS) {
    const [id, name] = [textAt(metadata, idKey), textAt(metadata, nameKey)]
    if (id === undefined && (name === undefined || nameKey === 'name')) continue
    return { type, id: id ?? null, name: inFolder(metadata, name) ?? null }
  }
  if (Array.isArray(metadata['secrets'])) {
    const count = metadata['secrets'].length
    return { type: 'secrets', id: null, name: inFolder(metadata, `(${count} secrets)`) ?? null }
  }
  const path = textAt(metadata, 'secretPath')
  if (path !== undefined) return { type: 'folder', id: null, name: inFolder(metadata, '') ?? null }
  const [name, slug] = [textAt(metadata, 'name'), textAt(metadata, 'slug')]
  if (name !== undefined || slug !== undefined) {
    return { type: null, id: textAt(metadata, 'id') ?? null, name: name ?? slug ?? null }
  }
  const projectId = textAt(record, 'projectId')
  if (projectId === undefined) return { type: null, id: null, name: null }
  return { type: 'project', id: projectId, name: textAt(record, 'projectName') ?? null }
}

/** `prod:/web/DB_URL`. */
function inFolder(metadata: JsonObject, name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const folder = textAt(metadata, 'secretPath') ?? textAt(metadata, 'folderPath')
  const environment = textAt(metadata, 'environment')
  const path = folder === undefined ? name : `${folder.replace(/\/+$/, '')}/${name}`
  return environment === undefined ? path : `${environment}:${path}`
}

export function toCommon(record: JsonObject): CommonEvent {
  const actor = actorMetadata(record)
  const action = eventType(record)
  const name = firstText(actor, ['username', 'name'])
  return {
    id: textAt(record, 'id') ?? '',
    time: textAt(record, 'createdAt') ?? '',
    actor: {
      type: actorType(record) ?? null,
      id: firstText(actor, ACTOR_ID_KEYS) ?? null,
      name: name ?? null,
      email: textAt(actor, 'email') ?? null,
    },
    action,
    target: targetOf(record),
    // The log tells failures by their own event types and says nothing about the rest.
    outcome: /-failed$|^permission-denied$/.test(action) ? 'failure' : null,
    ip: textAt(record, 'ipAddress') ?? null,
    userAgent: textAt(record, 'userAgent') ?? null,
    requestId: null,
    organization: textAt(record, 'orgId') ?? null,
    project: textAt(record, 'projectId') ?? null,
    source: 'infisical',
  }
}

/** Whether the value stands anywhere inside, as a whole string. */
export function mentions(value: unknown, text: string): boolean {
  if (value === text) return true
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some((inner) => mentions(inner, text))
}

export function textAt(value: unknown, key: string): string | undefined {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined
  const found = (value as JsonObject)[key]
  return typeof found === 'string' && found !== '' ? found : undefined
}

function firstText(value: JsonObject, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const text = textAt(value, key)
    if (text !== undefined) return text
  }
  return undefined
}

const NOTHING: JsonObject = {}

function part(value: JsonObject, key: string): JsonObject {
  const found = Object.hasOwn(value, key) ? value[key] : undefined
  return found !== null && typeof found === 'object' ? (found as JsonObject) : NOTHING
}
