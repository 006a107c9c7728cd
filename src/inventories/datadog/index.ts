import type { Check } from '../../core/check.ts'
import { AuditctlError, ContractError, IncompleteError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { DAY_MS, HOUR_MS, isoRange, isoTime, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { cutByCounts } from '../cut-by-counts.ts'
import { cutByDay } from '../cut-by-day.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { type FoundRow, rowReader } from './rows.ts'
import { type DatadogSearchSettings, datadogSearch, type SearchClient } from './search-client.ts'
import { createSweep } from './sweep.ts'

const PAGE_ROWS = 1000
const PIECE_ROWS = 250_000
/** Live rows of releases that send no timestamp are dated by arrival, which Infisical's retries delay; a day covers its worst backlog. */
const BEFORE_MS = HOUR_MS
const AFTER_MS = DAY_MS
/** How far ahead of now Datadog keeps a log's own time. */
const AHEAD_MS = 2 * HOUR_MS

/** Datadog Logs, by the events search API. @source docs.datadoghq.com/api/latest/logs (search logs, POST) */
export const datadog = defineInventory<DatadogSearchSettings>({
  provider: 'datadog',
  create: (name, settings, parts) =>
    settings.appKey === undefined
      ? undefined
      : createInventory(name, settings, datadogSearch(settings, settings.appKey, parts), parts),
})

function createInventory(
  name: string,
  settings: DatadogSearchSettings,
  client: SearchClient,
  parts: InventoryParts,
): Inventory {
  const read = rowReader(settings.idField)
  const query = settings.search?.query ?? sourceQuery(settings.ddsource, parts.sourceType)
  const sweep = createSweep(parts.clock)
  const filterOf = (range: TimeRange, text: string): JsonObject => ({
    query: text,
    ...isoRange(range),
    ...(settings.search?.indexes === undefined ? {} : { indexes: settings.search.indexes }),
    ...(settings.search?.storageTier === undefined ? {} : { storage_tier: settings.search.storageTier }),
  })

  /** Pages of rows dated inside the range; whether `to` is exclusive is not documented, so one more millisecond is asked for and cut off here. */
  async function* pages(
    range: TimeRange,
    text: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly FoundRow[], InventoryEnd> {
    const filter = filterOf({ from: range.from, to: range.to + 1 }, text)
    const cursors = new Set<string>()
    for (let cursor: string | undefined; ; ) {
      const page = cursor === undefined ? { limit: PAGE_ROWS } : { limit: PAGE_ROWS, cursor }
      const body = { filter, sort: 'timestamp', page }
      const answer = await client.post(
        '/api/v2/logs/events/search',
        body,
        'search what Datadog holds',
        signal,
      )
      const data = answer['data']
      if (!Array.isArray(data)) throw noData()
      const meta = (answer['meta'] ?? {}) as SearchMeta
      const reason = partial(meta)
      if (reason !== undefined) return { exhausted: false, reason }
      const rows: FoundRow[] = []
      for (const item of data as readonly JsonObject[]) {
        const row = read(item)
        if (row !== undefined && !(row.datedMs < range.from || row.datedMs >= range.to)) rows.push(row)
      }
      if (rows.length > 0) yield rows
      const after = meta.page?.after
      // A short page is no end: only an empty one, or one without a cursor.
      if (data.length === 0 || typeof after !== 'string' || after === '') return { exhausted: true }
      if (cursors.has(after)) return { exhausted: false, reason: 'Datadog gave the same cursor twice' }
      cursors.add(after)
      cursor = after
    }
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const now = parts.clock.now()
    const end = now + AHEAD_MS
    const turn = sweep.begin(window)
    const covered: TimeRange = {
      from: turn.coveredTo ?? window.from - BEFORE_MS,
      to: settings.eventTime === false ? end : Math.min(window.to + AFTER_MS, end),
    }
    const kept = turn.take(window)
    if (kept.ids.length > 0) yield kept
    if (covered.from < covered.to) {
      const dated = pages(covered, query, signal)
      for (;;) {
        const step = await dated.next()
        if (step.done === true) {
          if (!step.value.exhausted) return step.value
          break
        }
        const rows = turn.sort(step.value, window)
        if (rows.ids.length > 0) yield rows
      }
    }
    // What was refilled with a new date stands at the hour of the refill, tagged.
    if (!turn.hasRestamped && covered.to < end) {
      const restamped = pages({ from: covered.to, to: end }, `(${query}) backfill:true`, signal)
      for (;;) {
        const step = await restamped.next()
        if (step.done === true) {
          if (!step.value.exhausted) return step.value
          break
        }
        turn.addRestamped(step.value)
      }
    }
    const restamped = turn.restamped(window, Math.max(covered.from, covered.to))
    if (restamped.ids.length > 0) yield restamped
    turn.finish(Math.max(covered.from, covered.to))
    return { exhausted: true }
  }

  async function counts(range: TimeRange, intervalMs: number | undefined, signal: AbortSignal) {
    const compute =
      intervalMs === undefined
        ? { aggregation: 'count', type: 'total' }
        : { aggregation: 'count', type: 'timeseries', interval: `${intervalMs / MINUTE_MS}m` }
    const body = { compute: [compute], filter: filterOf(range, query) }
    const answer = await client.post(
      '/api/v2/logs/analytics/aggregate',
      body,
      'count what Datadog holds',
      signal,
    )
    const buckets = (answer['data'] as { buckets?: unknown } | undefined)?.buckets
    if (!Array.isArray(buckets)) throw noData()
    const counted = (buckets[0] as { computes?: Record<string, unknown> } | undefined)?.computes?.['c0']
    return { counted, reason: partial((answer['meta'] ?? {}) as SearchMeta) }
  }

  async function plan(window: TimeRange, { signal }: { readonly signal: AbortSignal }) {
    const bucketMs = Math.max(1, Math.ceil((window.to - window.from) / 100 / MINUTE_MS)) * MINUTE_MS
    const { counted, reason } = await counts(window, bucketMs, signal)
    const buckets = (Array.isArray(counted) ? (counted as readonly JsonObject[]) : []).map((point) => ({
      at: Date.parse(String(point['time'])),
      rows: Number(point['value'] ?? 0),
    }))
    const pieces =
      reason === undefined
        ? cutByCounts(window, buckets, { bucketMs, maxRows: PIECE_ROWS })
        : cutByDay(window)
    sweep.expect(pieces)
    return pieces
  }

  async function count(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<number> {
    const { counted, reason } = await counts(window, undefined, signal)
    if (reason === undefined) return Number(counted ?? 0)
    throw new IncompleteError(`stream ${name}: could not count what Datadog holds: ${reason}`, {
      reaction: 'split-window',
      hint: 'try a shorter window',
    })
  }

  async function test(signal: AbortSignal): Promise<readonly Check[]> {
    const check = 'search'
    const now = parts.clock.now()
    try {
      const rows = await count({ from: now - DAY_MS, to: now }, { signal })
      const state = rows > 0 ? 'ok' : 'warning'
      const message = `${query} holds ${rows} rows of the last 24 hours`
      if (rows > 0) return [{ check, state, message }]
      return [
        {
          check,
          state,
          message,
          hint: 'wrong ddsource, index or storage tier, or a restriction query of the role',
        },
      ]
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      return [
        {
          check,
          state: 'failure',
          message: error.message,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        },
      ]
    }
  }

  const idPath = settings.idField?.replace(/^@/, '') ?? 'id'
  return {
    name,
    traits: {
      tellsDuplicates: true,
      tellsTime: true,
      get queriesPerHour() {
        return client.queriesPerHour()
      },
    },
    plan,
    ids,
    count,
    queryText: (window) => ({
      query: `${query} @${idPath}:*`,
      where: `Datadog, Logs > Explorer, from ${isoTime(window.from - BEFORE_MS)} to ${isoTime(window.to + AFTER_MS)} (now, if something was restamped); add the column @${idPath}, then Export > Download as CSV (at most 100,000 rows: take shorter windows beyond)`,
      feed: `auditctl gaps --stream ${name} --from ${isoTime(window.from)} --to ${isoTime(window.to)} --inventory extract.csv --inventory-field @${idPath} --inventory-window ${isoTime(window.from)}/${isoTime(window.to)}`,
    }),
    test,
    queries: () => client.queries(),
    close: async () => {},
  }
}

type SearchMeta = {
  readonly status?: unknown
  readonly warnings?: unknown
  readonly page?: { readonly after?: unknown }
}

/** Why an answer is partial; undefined when it is whole. */
function partial(meta: SearchMeta): string | undefined {
  if (meta.status === 'timeout') return 'Datadog ended the search at its time limit'
  if (Array.isArray(meta.warnings) && meta.warnings.length > 0) {
    return `Datadog warned: ${JSON.stringify(meta.warnings).slice(0, 200)}`
  }
  return undefined
}

/** The live stream sends the source's own name, whatever a refill is told to send: rows of both are looked at. */
function sourceQuery(ddsource: string | undefined, sourceType: string): string {
  const own = `source:${quoted(sourceType)}`
  return ddsource === undefined || ddsource === sourceType ? own : `(source:${quoted(ddsource)} OR ${own})`
}

function quoted(value: string): string {
  return /^[\w.]+(?:-[\w.]+)*$/.test(value) ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`
}

function noData(): ContractError {
  return new ContractError('Datadog answered a search without its data', {
    service: 'Datadog search',
    hint: 'check apiUrl: something else may have answered',
  })
}
