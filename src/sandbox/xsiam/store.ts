import type { JsonObject } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'

export type XsiamRow = {
  /** Columns as the dataset shows them; `_raw_log` for a record that is no object. */
  readonly record: JsonObject
  readonly time: number
  readonly insertTime: number
  readonly visibleAt: number
}

/** What becomes of an array on one line: nobody has measured it. */
export type ArrayHandling = 'reject' | 'one-record' | 'explode'

export type StoreSettings = {
  /** A parsing rule that derives `_time` from this member; without one it is the time of arrival. */
  timeField: string | undefined
  arrayHandling: ArrayHandling
}

export type XsiamStore = {
  readonly arrivals: string[]
  readonly rows: XsiamRow[]
  add(record: JsonObject, delayMs: number): void
  addArray(records: readonly JsonObject[], raw: string, delayMs: number): void
  preload(events: Iterable<JsonObject>, drop: TimeRange | undefined): void
  clear(): void
}

/** Events in one request of the live stream. */
const LIVE_BATCH = 400

export function xsiamStore(settings: StoreSettings, now: () => number): XsiamStore {
  const rows: XsiamRow[] = []
  const arrivals: string[] = []

  function put(record: JsonObject, insertTime: number, visibleAt: number): void {
    const own = settings.timeField === undefined ? undefined : timeOf(record[settings.timeField])
    rows.push({ record, time: own ?? insertTime, insertTime, visibleAt })
  }
  function arrived(record: JsonObject): void {
    if (typeof record['id'] === 'string') arrivals.push(record['id'])
  }

  return {
    rows,
    arrivals,
    clear() {
      rows.length = 0
      arrivals.length = 0
    },
    add(record, delayMs) {
      put(record, now(), now() + delayMs)
      arrived(record)
    },
    addArray(records, raw, delayMs) {
      if (settings.arrayHandling === 'one-record') put({ _raw_log: raw }, now(), now() + delayMs)
      else for (const record of records) put(record, now(), now() + delayMs)
      for (const record of records) arrived(record)
    },
    preload(events, drop) {
      let count = 0
      let batch: JsonObject[] = []
      const flush = () => {
        const at = batch.reduce((latest, event) => Math.max(latest, ownTime(event) ?? 0), 0)
        if (batch.length > 0) put({ _raw_log: JSON.stringify(batch) }, at + 5_000, at + 5_000)
        batch = []
      }
      for (const event of events) {
        count += 1
        const at = ownTime(event) ?? now()
        if (drop !== undefined && at >= drop.from && at < drop.to) continue
        arrived(event)
        if (settings.arrayHandling === 'one-record') {
          batch.push(event)
          if (batch.length >= LIVE_BATCH) flush()
          continue
        }
        // The live stream sends no _time, and its batches take some seconds.
        const insertTime = Math.min(now(), at + 5_000 + (count % 11) * 1_000)
        put(event, insertTime, insertTime)
      }
      flush()
    },
  }
}

export function shown(row: XsiamRow): JsonObject {
  return { ...row.record, _time: isoTime(row.time), _insert_time: isoTime(row.insertTime) }
}

export function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return instantOfText(value)
  } catch {
    return undefined
  }
}

function ownTime(event: JsonObject): number | undefined {
  for (const key of ['createdAt', 'timestamp', 'occurred_at', 'created_at']) {
    const at = timeOf(event[key])
    if (at !== undefined) return at
  }
  return undefined
}
