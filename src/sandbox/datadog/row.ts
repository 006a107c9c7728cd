import type { JsonObject } from '../../core/event.ts'

/** One indexed log. `attributes` is what the search API nests two levels down. */
export type DatadogRow = {
  readonly id: string
  readonly seq: number
  readonly timestamp: number
  /** Not found by a search before this instant. */
  readonly visibleAt: number
  readonly tier: string
  readonly index: string
  readonly host: string | undefined
  readonly service: string | undefined
  readonly source: string | undefined
  readonly status: string
  readonly message: string | undefined
  readonly tags: readonly string[]
  readonly attributes: JsonObject
  readonly truncated: boolean
}

/** A log that was answered with 202 and thrown away. */
export type DroppedLog = {
  readonly id: string | undefined
  readonly reason: string
  readonly log: JsonObject
}

/** Top-level names that become the official time without any pipeline, in the order the emulator looks for them. */
export const DATE_KEYS = [
  'timestamp',
  'date',
  '_timestamp',
  'Timestamp',
  'eventTime',
  'published_date',
  '@timestamp',
  'syslog.timestamp',
] as const

const RESERVED = new Set([
  'timestamp',
  'date',
  'hostname',
  'host',
  'ddsource',
  'service',
  'ddtags',
  'message',
  'status',
])

/** The official time a log asks for; undefined when it has none that is recognised. */
export function officialTime(log: JsonObject): number | undefined {
  for (const source of [log, parsedMessage(log)]) {
    for (const key of DATE_KEYS) {
      const ms = timeOf(source[key])
      if (ms !== undefined) return ms
    }
  }
  return undefined
}

export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  if (/^\d{13}$/.test(value)) return Number(value)
  if (!/^\d{4}-\d\d-\d\dT/.test(value)) return undefined
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`)
  return Number.isNaN(ms) ? undefined : ms
}

function parsedMessage(log: JsonObject): JsonObject {
  const message = log['message']
  if (typeof message !== 'string' || !message.startsWith('{')) return {}
  try {
    return JSON.parse(message) as JsonObject
  } catch {
    return {}
  }
}

/** The row that the indexer makes of a log. */
export function rowOf(
  log: JsonObject,
  place: {
    readonly seq: number
    readonly timestamp: number
    readonly visibleAt: number
    readonly tier: string
    readonly truncated: boolean
  },
): DatadogRow {
  const attributes: Record<string, unknown> = { ...parsedMessage(log) }
  for (const key of Object.keys(log)) if (!RESERVED.has(key)) attributes[key] = log[key]
  const source = textOf(log['ddsource'])
  const tags = (textOf(log['ddtags']) ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (source !== undefined) tags.push(`source:${source}`)
  return {
    ...place,
    id: `AQAA${place.seq.toString(36).padStart(12, '0')}`,
    index: 'main',
    host: textOf(log['hostname'] ?? log['host']),
    service: textOf(log['service']),
    source,
    status: textOf(log['status']) ?? 'info',
    message: textOf(log['message']),
    tags,
    attributes,
  }
}

/** Of a log or of a row's attributes: where auditctl and the live stream put it. */
export function eventIdOf(log: JsonObject): string | undefined {
  const nested = log['audit']
  const id =
    log['id'] ?? (nested !== null && typeof nested === 'object' ? (nested as JsonObject)['id'] : undefined)
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
