import type { JsonObject } from '../../core/event.ts'

export type StoreKind = 'postgres' | 'clickhouse'

/** Keys that are always there: null where PostgreSQL held nothing, empty where ClickHouse did. */
const MAY_BE_MISSING = ['ipAddress', 'userAgent', 'userAgentType', 'projectId'] as const

/**
 * A native event as the product's own stream would have sent it, through objects: the oracle for faster ways. `expiresAt` is null when the
 * native event has none, since the API cannot give it back.
 */
export function streamedShape(native: JsonObject, options: { readonly store: StoreKind }): JsonObject {
  const actor = objectOf(native['actor'])
  const event = objectOf(native['event'])
  const clickhouse = options.store === 'clickhouse'
  const streamed: Record<string, unknown> = {
    id: native['id'],
    actor: actor['type'],
    actorMetadata: metadataOf(actor['metadata']),
    eventType: event['type'],
    eventMetadata: metadataOf(event['metadata']),
    orgId: native['orgId'] ?? null,
    expiresAt: native['expiresAt'] ?? null,
    createdAt: native['createdAt'],
    updatedAt: native['updatedAt'] ?? native['createdAt'],
  }
  for (const key of MAY_BE_MISSING) streamed[key] = native[key] ?? (clickhouse ? '' : null)
  const projectName = native['projectName']
  if (!clickhouse && projectName !== null && projectName !== undefined) streamed['projectName'] = projectName
  return inJsonbOrder(streamed) as JsonObject
}

/** The same as text, its keys in JSONB's order also where a JavaScript object cannot hold them so (keys that are numbers). */
export function streamedText(native: JsonObject, options: { readonly store: StoreKind }): string {
  return jsonbText(streamedShape(native, options))
}

/** Metadata is always an object. */
function metadataOf(value: unknown): JsonObject {
  if (Array.isArray(value)) return { data: value }
  return objectOf(value)
}

function objectOf(value: unknown): JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as JsonObject) : {}
}

function inJsonbOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inJsonbOrder)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(sortedEntries(value).map(([key, member]) => [key, inJsonbOrder(member)]))
}

function jsonbText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = sortedEntries(value).map(([key, member]) => `${JSON.stringify(key)}:${jsonbText(member)}`)
  return `{${members.join(',')}}`
}

/** PostgreSQL keeps an object's keys by their length in bytes, then by the bytes. */
function sortedEntries(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).sort(([a], [b]) => {
    if (!ASCII.test(a) || !ASCII.test(b)) {
      return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
    }
    return a.length - b.length || (a < b ? -1 : 1)
  })
}

const ASCII = /^[ -~]*$/
