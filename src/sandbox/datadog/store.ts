import type { JsonObject } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import { HOUR_MS, isInside, type TimeRange } from '../../core/time-range.ts'
import { DATE_KEYS, type DatadogRow, type DroppedLog, eventIdOf, officialTime, rowOf } from './row.ts'

const MAX_LOG_BYTES = 1_000_000

/** Switches of the emulator that its specification leaves open, or that tests turn. */
export type DatadogSettings = {
  apiKeys: Set<string>
  appKeys: Set<string>
  pastMs: number
  futureMs: number
  /** Over 1,000 entries: 413 or 400; nobody has measured which. */
  tooManyStatus: 400 | 413
  requireMessage: boolean
  zstd: boolean
  /** Searches allowed in each period. */
  rateLimit: { limit: number; periodSeconds: number; headers: boolean }
  /** Storage tier that new logs land in. */
  tier: string
  /** Old releases of Infisical send no `timestamp`: preloaded rows are then dated by arrival. */
  liveTimestamp: boolean
}

type AddOptions = { readonly drop?: string; readonly remap?: boolean; readonly delayMs?: number }

export type DatadogStore = {
  /** Takes one log as the intake does: drops it in silence, cuts it, or indexes it. */
  add(log: JsonObject, bytes: number, options?: AddOptions): void
  preload(events: Iterable<JsonObject>, drop: TimeRange | undefined): void
  /** Ascending by official time, then by arrival. */
  sorted(): readonly DatadogRow[]
  arrivals: string[]
  dropped: DroppedLog[]
  truncated(): number
  clear(): void
}

export function datadogStore(settings: DatadogSettings, now: () => number, generation: string): DatadogStore {
  const rows: DatadogRow[] = []
  const arrivals: string[] = []
  const dropped: DroppedLog[] = []
  let seq = 0
  let truncatedLogs = 0
  let isSorted = true

  function index(log: JsonObject, timestamp: number, visibleAt: number, isCut: boolean): void {
    seq += 1
    const last = rows.at(-1)
    if (last !== undefined && last.timestamp > timestamp) isSorted = false
    rows.push(rowOf(log, { seq, timestamp, visibleAt, tier: settings.tier, truncated: isCut }))
  }

  return {
    arrivals,
    dropped,
    truncated: () => truncatedLogs,
    clear() {
      for (const list of [rows, arrivals, dropped]) list.length = 0
      truncatedLogs = 0
    },
    add(log, bytes, { drop, remap = false, delayMs = 0 } = {}) {
      const id = eventIdOf(log)
      const receivedAt = now()
      if (drop !== undefined) {
        dropped.push({ id, reason: drop, log })
        return
      }
      const official = remap ? (nestedTime(log) ?? officialTime(log)) : officialTime(log)
      const timestamp = official ?? receivedAt
      if (timestamp < receivedAt - settings.pastMs || timestamp > receivedAt + settings.futureMs) {
        dropped.push({ id, reason: timestamp < receivedAt ? 'too old' : 'too far ahead', log })
        return
      }
      const isCut = bytes > MAX_LOG_BYTES
      if (isCut) truncatedLogs += 1
      index(isCut ? cut(log) : log, timestamp, receivedAt + delayMs, isCut)
      if (id !== undefined) arrivals.push(id)
    },
    preload(events, drop) {
      let count = 0
      for (const event of events) {
        count += 1
        const at = ownTime(event) ?? now()
        if (drop !== undefined && isInside(at, drop)) continue
        const timestamp = settings.liveTimestamp ? at : at + 5_000 + (count % 11) * 1_000
        const isDated = DATE_KEYS.some((key) => event[key] !== undefined)
        const time = new Date(at).toISOString()
        const live = {
          ...(isDated ? { audit: { ...event, occurred_at: time, occurred_at_ms: at } } : event),
          ...(settings.liveTimestamp ? { timestamp: time } : {}),
          hostname: 'infisical',
          ddsource: 'infisical',
          service: generation === '2025' ? 'audit-logs' : 'infisical',
          ddtags: 'env:production',
        }
        index(live, timestamp, at, false)
        const id = eventIdOf(live)
        if (id !== undefined) arrivals.push(id)
      }
    },
    sorted() {
      if (!isSorted) rows.sort((a, b) => a.timestamp - b.timestamp || a.seq - b.seq)
      isSorted = true
      return rows
    },
  }
}

export const DATADOG_DEFAULTS = {
  pastMs: 18 * HOUR_MS,
  futureMs: 2 * HOUR_MS,
} as const

/** Only `message` is known to be cut; a log without one loses its attributes. */
function cut(log: JsonObject): JsonObject {
  const { message, ...rest } = log
  if (typeof message !== 'string') return { message: JSON.stringify(rest).slice(0, MAX_LOG_BYTES) }
  return { ...rest, message: message.slice(0, Math.max(0, MAX_LOG_BYTES - JSON.stringify(rest).length)) }
}

function nestedTime(log: JsonObject): number | undefined {
  const audit = log['audit']
  return audit === null || typeof audit !== 'object'
    ? undefined
    : parsed((audit as JsonObject)['occurred_at'])
}

function ownTime(event: JsonObject): number | undefined {
  for (const key of ['createdAt', 'timestamp', 'occurred_at', 'created_at']) {
    const at = parsed(event[key])
    if (at !== undefined) return at
  }
  return undefined
}

function parsed(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return instantOfText(value)
  } catch {
    return undefined
  }
}
