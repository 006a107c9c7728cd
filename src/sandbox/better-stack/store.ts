import type { JsonObject } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'

export type BetterStackRow = {
  /** By `dt`, or by arrival. */
  readonly dt: number
  /** The event had a `dt` that could not be read. */
  readonly dtFallback: boolean
  readonly raw: string
  readonly id: string
  readonly createdAt: string
  readonly receivedAt: number
  readonly visibleAt: number
}

/** Answered with 202 and thrown away. */
export type DroppedEvent = { readonly id: string; readonly reason: string }

export type StoreSettings = {
  /** Rows stay in the hot store for so long, and stand in the archive after so long: for a while in both. */
  hotMs: number
  moveAfterMs: number
  /** The rule of 2023: events further back are dropped, and still answered with 202. */
  maxPastMs: number | undefined
}

export type BetterStackStore = {
  readonly arrivals: string[]
  readonly dropped: DroppedEvent[]
  add(raw: string, event: JsonObject, options: { readonly delayMs: number }): void
  preload(events: Iterable<JsonObject>, drop: TimeRange | undefined): void
  /** Rows of one store that can be seen now, ascending by id; undefined while nothing has moved to the archive yet. */
  rowsOf(arm: 'hot' | 'archive'): readonly BetterStackRow[] | undefined
  all(): readonly BetterStackRow[]
  clear(): void
}

export function betterStackStore(settings: StoreSettings, now: () => number): BetterStackStore {
  const rows: BetterStackRow[] = []
  const arrivals: string[] = []
  const dropped: DroppedEvent[] = []
  let byId: BetterStackRow[] | undefined
  let oldestArrival = Number.POSITIVE_INFINITY

  function put(row: BetterStackRow): void {
    rows.push(row)
    byId = undefined
    oldestArrival = Math.min(oldestArrival, row.receivedAt)
    if (row.id !== '') arrivals.push(row.id)
  }

  return {
    arrivals,
    dropped,
    all: () => rows,
    clear() {
      for (const list of [rows, arrivals, dropped]) list.length = 0
      byId = undefined
      oldestArrival = Number.POSITIVE_INFINITY
    },
    add(raw, event, { delayMs }) {
      const receivedAt = now()
      const own = dtOf(event['dt'])
      const id = textOf(event['id'])
      if (settings.maxPastMs !== undefined && own !== undefined && own < receivedAt - settings.maxPastMs) {
        dropped.push({ id, reason: 'too old' })
        return
      }
      put({
        dt: own ?? receivedAt,
        dtFallback: own === undefined && event['dt'] !== undefined,
        raw,
        id,
        createdAt: textOf(event['createdAt']),
        receivedAt,
        visibleAt: receivedAt + delayMs,
      })
    },
    preload(events, drop) {
      let count = 0
      for (const event of events) {
        count += 1
        const at = ownTime(event) ?? now()
        if (drop !== undefined && at >= drop.from && at < drop.to) continue
        // The live stream sends no dt, and its batches take some seconds.
        const receivedAt = Math.min(now(), at + 5_000 + (count % 11) * 1_000)
        put({
          dt: receivedAt,
          dtFallback: false,
          raw: JSON.stringify(event),
          id: textOf(event['id']),
          createdAt: textOf(event['createdAt']),
          receivedAt,
          visibleAt: receivedAt,
        })
      }
    },
    rowsOf(arm) {
      const at = now()
      if (arm === 'archive' && !(oldestArrival + settings.moveAfterMs <= at)) return undefined
      byId ??= rows.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
      return byId.filter((row) => {
        if (row.visibleAt > at) return false
        const age = at - row.receivedAt
        return arm === 'hot' ? age < settings.hotMs : age >= settings.moveAfterMs
      })
    },
  }
}

export function shown(row: BetterStackRow): JsonObject {
  return {
    dt: isoTime(row.dt),
    ...(row.dtFallback ? { dt_fallback: true } : {}),
    raw: row.raw,
    event: JSON.parse(row.raw) as JsonObject,
  }
}

/** Seconds, milliseconds or nanoseconds since 1970 by their digits, or an RFC 3339 text; undefined for anything else. */
export function dtOf(value: unknown): number | undefined {
  const digits = typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : value
  if (typeof digits !== 'string') return undefined
  if (/^\d{10}$/.test(digits)) return Number(digits) * 1000
  if (/^\d{13}$/.test(digits)) return Number(digits)
  if (/^\d{19}$/.test(digits)) return Math.floor(Number(digits) / 1e6)
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?$/.test(digits)) return undefined
  try {
    return instantOfText(digits)
  } catch {
    return undefined
  }
}

function ownTime(event: JsonObject): number | undefined {
  for (const key of ['createdAt', 'timestamp', 'occurred_at', 'created_at']) {
    const at = dtOf(event[key])
    if (at !== undefined) return at
  }
  return undefined
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
