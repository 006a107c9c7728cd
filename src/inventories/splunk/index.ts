import { IncompleteError } from '../../core/errors.ts'
import { instantOfText } from '../../core/instant.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import {
  DAY_MS,
  HOUR_MS,
  isInside,
  isoTime,
  MINUTE_MS,
  SECOND_MS,
  type TimeRange,
} from '../../core/time-range.ts'
import { type CountedBucket, cutByCounts } from '../cut-by-counts.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { eventFields } from '../event-fields.ts'
import { oneAtATime } from '../turn.ts'
import { checkSearch } from './check-search.ts'
import { type ResultRow, readExport } from './export-stream.ts'
import type { SplunkSearchSettings } from './options.ts'
import { createSearchClient, RefusedSearch, type SearchClient } from './search-client.ts'
import { createSpl } from './spl.ts'

const PIECE_ROWS = 250_000
/** Old Infisical releases date an event by its sending, minutes late and more after an outage. */
const BEFORE_MS = HOUR_MS
const AFTER_MS = DAY_MS
/** A window that is one piece in any case. */
const SMALL_MS = HOUR_MS
/** Spans of the planning search; `bin` keeps at most 50,000 buckets. Above an hour buckets would follow the user's time zone. */
const SPANS = [
  ['1m', MINUTE_MS],
  ['10m', 10 * MINUTE_MS],
  ['1h', HOUR_MS],
] as const
const MAX_BUCKETS = 50_000
/** Fine enough to cut well, few enough to read at once. */
const MANY_BUCKETS = 10_000

/** Splunk's search API: ids from the raw events, selected by the events' own time. */
export const splunk = defineInventory<SplunkSearchSettings>({
  provider: 'splunk',
  create: (name, settings, parts) =>
    settings.search === undefined
      ? undefined
      : createInventory(name, settings, createSearchClient(name, settings, settings.search, parts), parts),
})

function createInventory(
  name: string,
  settings: SplunkSearchSettings,
  client: SearchClient,
  parts: InventoryParts,
): Inventory {
  const spl = createSpl(settings, parts.sourceType, eventFields(parts.sourceType, settings.idField))
  const turns = oneAtATime()
  // Splunk itself leaves out the rows beside the window, unless it has refused to.
  let isNarrowed = true

  /** Where rows of the window may stand by Splunk's own time. */
  const rangeOf = (window: TimeRange): TimeRange => {
    const isByArrival =
      settings.eventTime === false || settings.late === 'restamp' || settings.acceptWindow !== undefined
    const to = window.to + AFTER_MS
    return {
      from: window.from - BEFORE_MS,
      to: isByArrival ? Math.max(to, parts.clock.now() + HOUR_MS) : to,
    }
  }

  async function openIds(window: TimeRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const range = rangeOf(window)
    if (!isNarrowed) return client.search(spl.ids(window, false), range, signal)
    try {
      return await client.search(spl.ids(window, true), range, signal)
    } catch (error) {
      if (!(error instanceof RefusedSearch)) throw error
      const body = await client.search(spl.ids(window, false), range, signal)
      isNarrowed = false
      parts.log.debug(
        'Splunk refused to narrow the search by event time; rows beside the window are left out here',
      )
      return body
    }
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const release = await turns.take(signal)
    let results: ReturnType<typeof readExport> | undefined
    try {
      results = readExport(await openIds(window, signal), signal)
      for (;;) {
        const step = await results.next()
        if (step.done !== true) {
          const held = heldRows(step.value, window)
          if (held.ids.length > 0) yield held
          continue
        }
        const { lines, ...end } = step.value
        if (lines > 0 || end.exhausted) return end
        // Whether every release writes a line for an empty result is not known; a count always has one.
        return (await countRows(window, signal)) === 0 ? { exhausted: true } : end
      }
    } finally {
      // A reader that stops early must not leave the search running.
      await results?.return({ exhausted: false, lines: 0 })
      release()
    }
  }

  /** Undefined when the answer is not whole. */
  async function countRows(window: TimeRange, signal: AbortSignal): Promise<number | undefined> {
    const rows = await allRows(await client.search(spl.count(window), rangeOf(window), signal), signal)
    const count = Number(rows?.[0]?.['count'])
    return Number.isInteger(count) ? count : undefined
  }

  /** What Splunk counts by its own time; undefined when it does not say. */
  async function buckets(window: TimeRange, spanName: string, signal: AbortSignal) {
    let body: AsyncIterable<Uint8Array>
    try {
      body = await client.search(spl.buckets(spanName), window, signal)
    } catch (error) {
      if (error instanceof RefusedSearch) return undefined
      throw error
    }
    return (await allRows(body, signal))?.flatMap((row): CountedBucket[] => {
      const at = bucketTime(row['_time'])
      const rows = Number(row['count'])
      return Number.isNaN(at) || Number.isNaN(rows) ? [] : [{ at, rows }]
    })
  }

  async function plan(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<TimeRange[]> {
    const widthMs = window.to - window.from
    if (widthMs <= SMALL_MS) return [window]
    const [spanName, bucketMs] = SPANS.find(([, ms]) => widthMs / ms <= MANY_BUCKETS) ?? SPANS[2]
    const counted: CountedBucket[] = []
    const release = await turns.take(signal)
    try {
      const strideMs = MAX_BUCKETS * bucketMs
      for (let from = window.from; from < window.to; from += strideMs) {
        const found = await buckets({ from, to: Math.min(from + strideMs, window.to) }, spanName, signal)
        if (found === undefined) return cutEvenly(window, DAY_MS)
        counted.push(...found)
      }
    } finally {
      release()
    }
    return cutByCounts(window, counted, { bucketMs, maxRows: PIECE_ROWS })
  }

  return {
    name,
    traits: { tellsDuplicates: true, tellsTime: true },
    plan,
    ids,
    async count(window, { signal }) {
      const release = await turns.take(signal)
      try {
        const count = await countRows(window, signal)
        if (count !== undefined) return count
      } catch (error) {
        if (!(error instanceof RefusedSearch)) throw error
      } finally {
        release()
      }
      return countIds(ids(window, { signal }), name)
    },
    queryText(window) {
      const { from, to } = { from: isoTime(window.from), to: isoTime(window.to) }
      return {
        query: spl.forPerson(window, rangeOf(window)),
        where: 'Splunk Web, Search & Reporting; the time range of the query wins over the picker',
        feed: [
          'export the result as CSV, all rows, then',
          `auditctl gaps --stream ${name} --from ${from} --to ${to} --inventory result.csv --inventory-field id --inventory-window ${from}/${to}`,
        ].join(' '),
      }
    },
    async keepsMs(signal) {
      const index = settings.search?.index ?? settings.index
      const seconds = index === undefined ? undefined : await client.retentionSeconds(index, signal)
      return seconds ? seconds * SECOND_MS : undefined
    },
    test: (signal) => checkSearch({ client, spl, settings, clock: parts.clock, signal }),
    queries: () => client.searches(),
    close: async () => {},
  }
}

/** Ids of rows whose own time lies in the window, and of those that do not tell it. Rows without an id are other things: pings, foreign events. */
function heldRows(rows: readonly ResultRow[], window: TimeRange): HeldRows {
  const ids: string[] = []
  const atMs: number[] = []
  for (const { aid, at } of rows) {
    const time = eventTime(at)
    if (!Number.isNaN(time) && !isInside(time, window)) continue
    // A field with several values comes as a list.
    for (const id of Array.isArray(aid) ? new Set(aid) : [aid]) {
      if (typeof id !== 'string' || id === '') continue
      ids.push(id)
      atMs.push(time)
    }
  }
  return { ids, atMs }
}

function eventTime(at: unknown): number {
  if (typeof at !== 'string') return Number.NaN
  try {
    return instantOfText(at)
  } catch {
    return Number.NaN
  }
}

/** Epoch seconds, or a local time with its offset; how `_time` is shown differs by release. */
function bucketTime(time: unknown): number {
  const text = String(time)
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text)
}

/** All rows of a small answer; undefined when it is not whole. */
async function allRows(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<ResultRow[] | undefined> {
  const rows: ResultRow[] = []
  const results = readExport(body, signal)
  for (;;) {
    const step = await results.next()
    if (step.done === true) return step.value.exhausted ? rows : undefined
    rows.push(...step.value)
  }
}

async function countIds(held: AsyncGenerator<HeldRows, InventoryEnd>, name: string): Promise<number> {
  let count = 0
  for (;;) {
    const step = await held.next()
    if (step.done !== true) count += step.value.ids.length
    else if (step.value.exhausted) return count
    else throw new IncompleteError(`stream ${name}: Splunk could not be counted: ${step.value.reason}`)
  }
}

function cutEvenly(window: TimeRange, widthMs: number): TimeRange[] {
  const pieces: TimeRange[] = []
  for (let from = window.from; from < window.to; from += widthMs) {
    pieces.push({ from, to: Math.min(from + widthMs, window.to) })
  }
  return pieces
}
