import type { Check } from '../../core/check.ts'
import { AuditctlError, IncompleteError } from '../../core/errors.ts'
import { instantOfText } from '../../core/instant.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { DAY_MS, type EpochMs, HOUR_MS, isoTime, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { cutByCounts } from '../cut-by-counts.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { type AzureQuerySettings, logAnalytics, type QueryClient, type QueryRows } from './query-client.ts'

const PIECE_ROWS = 250_000
/** The service cuts at 500,000 rows; one more than this is asked for, and an answer that has it is not believed. */
const MAX_ROWS = 400_000
/** Rows handed on at once. */
const STEP_ROWS = 10_000
/** How far before and after its own time Azure keeps an event's TimeGenerated. */
const BEFORE_MS = 2 * DAY_MS
const AHEAD_MS = DAY_MS

/** Azure Monitor Logs, by the Log Analytics query API. */
export const azure = defineInventory<AzureQuerySettings>({
  provider: 'azure',
  create: (name, settings, parts) =>
    settings.workspaceId === undefined
      ? undefined
      : createInventory(name, settings, logAnalytics(settings, settings.workspaceId, parts), parts),
})

function createInventory(
  name: string,
  settings: AzureQuerySettings,
  client: QueryClient,
  parts: InventoryParts,
): Inventory {
  const table = `${settings.table}_CL`
  const id = settings.idField ?? 'id'
  const time = settings.timeColumn ?? 'TimeGenerated'
  // Rows sent without TimeGenerated into a table with no other time have lost theirs: only their ids can find them.
  const isTimeLost =
    settings.timeColumn === undefined &&
    (settings.late === 'restamp' || settings.eventTime === false || parts.restamps === true)

  /** Where the window's rows may stand by TimeGenerated: re-dated ones at the hour of their receipt. */
  const pruned = (window: TimeRange): TimeRange => ({
    from: settings.timeColumn === undefined ? window.from : window.from - BEFORE_MS,
    to: settings.timeColumn === undefined && !isTimeLost ? window.to : parts.clock.now() + AHEAD_MS,
  })
  /** A row from before its time column was declared has none: it stands at its TimeGenerated. */
  const timed = `extend ${time} = coalesce(${time}, TimeGenerated)`
  const conditions = (window: TimeRange): readonly string[] => {
    const from = `datetime(${isoTime(window.from)})`
    const to = `datetime(${isoTime(window.to)})`
    const within = isTimeLost ? `where ${time} >= ${from}` : `where ${time} >= ${from} and ${time} < ${to}`
    if (settings.timeColumn === undefined) return isSearchOnly ? [] : [within]
    if (isSearchOnly) return [timed, within]
    return [`where TimeGenerated >= datetime(${isoTime(pruned(window).from)})`, timed, within]
  }
  // Tables of the cheaper plans take the prune from the request's timespan alone.
  const isSearchOnly = settings.tablePlan === 'basic' || settings.tablePlan === 'auxiliary'
  const piped = (window: TimeRange, ...operators: readonly string[]): string =>
    [table, ...conditions(window), ...operators].join(' | ')
  const listing = (window: TimeRange): string =>
    piped(window, `project ${id}, ${time}`, ...(isSearchOnly ? [] : [`order by ${time} asc, ${id} asc`]))
  const timespan = (window: TimeRange): string => {
    const { from, to } = pruned(window)
    return `${isoTime(from)}/${isoTime(to)}`
  }

  let isWarned = false
  const warnOfLostTimes = (window: TimeRange): void => {
    if (isWarned || isTimeLost || settings.timeColumn !== undefined) return
    if (window.from >= parts.clock.now() - BEFORE_MS) return
    isWarned = true
    parts.log.warn(
      `stream ${name}: rows that --late restamp has sent stand at the hour of their refill, and would look missing here: with "late": "restamp" in the stream they are found by their ids`,
    )
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    warnOfLostTimes(window)
    const answer = await client.run(`${listing(window)} | take ${MAX_ROWS + 1}`, timespan(window), signal)
    if ('partial' in answer) return { exhausted: false, reason: answer.partial }
    const { rows } = answer
    if (rows.length > MAX_ROWS) {
      return { exhausted: false, reason: `over ${MAX_ROWS.toLocaleString('en-US')} rows in one window` }
    }
    const [idAt, timeAt] = [answer.column(id), answer.column(time)]
    for (let from = 0; from < rows.length; from += STEP_ROWS) {
      const held: string[] = []
      const atMs: EpochMs[] = []
      for (const row of rows.slice(from, from + STEP_ROWS)) {
        const value = row[idAt]
        // Infisical's pings have none.
        if (value === null || value === undefined || value === '') continue
        const at = timeOf(row[timeAt])
        held.push(String(value))
        atMs.push(isTimeLost && !(at < window.to) ? Number.NaN : at)
      }
      if (held.length > 0) yield { ids: held, atMs }
    }
    return { exhausted: true }
  }

  async function counted(query: string, window: TimeRange, signal: AbortSignal): Promise<QueryRows> {
    const answer = await client.run(query, timespan(window), signal)
    if (!('partial' in answer)) return answer
    throw new IncompleteError(`stream ${name}: could not count what Azure holds: ${answer.partial}`, {
      service: 'Azure Log Analytics',
      reaction: 'split-window',
      hint: 'try a shorter window',
    })
  }

  async function plan(window: TimeRange, { signal }: { readonly signal: AbortSignal }) {
    if (isSearchOnly) return cutByCounts(window, [], { bucketMs: DAY_MS, maxRows: PIECE_ROWS })
    const bucketMs = Math.max(1, Math.ceil((window.to - window.from) / 200 / MINUTE_MS)) * MINUTE_MS
    const bucket = `bin(${time}, ${bucketMs / MINUTE_MS}m)`
    const query = piped(window, `summarize rows=count() by ${bucket}`, `order by ${time} asc`)
    const answer = await counted(query, window, signal)
    const [timeAt, rowsAt] = [answer.column(time), answer.column('rows')]
    const buckets = answer.rows.map((row) => ({ at: timeOf(row[timeAt]), rows: Number(row[rowsAt]) }))
    return cutByCounts(
      window,
      buckets.filter(({ at }) => !Number.isNaN(at)),
      { bucketMs, maxRows: PIECE_ROWS },
    )
  }

  async function count(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<number> {
    const answer = await counted(piped(window, 'summarize rows=count()'), window, signal)
    return Number(answer.rows[0]?.[answer.column('rows')] ?? 0)
  }

  async function test(signal: AbortSignal): Promise<readonly Check[]> {
    const check = 'search'
    const now = parts.clock.now()
    try {
      const rows = await count({ from: now - DAY_MS, to: now + HOUR_MS }, { signal })
      const message = `${table} holds ${rows} rows of the last 24 hours by ${time}`
      if (rows > 0) return [{ check, state: 'ok', message }]
      const hint = 'is this the table of the live stream? The first rows of a new one take 5 to 15 minutes'
      return [{ check, state: 'warning', message, hint }]
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

  return {
    name,
    traits: { tellsDuplicates: true, tellsTime: !isTimeLost },
    plan,
    ids,
    count,
    queryText: (window) => ({
      query: listing(window),
      where: `Azure portal, Log Analytics workspace > Logs, KQL mode, time range ${timespan(window)} or "Set in query"; Export > CSV (all columns); the portal shows at most 30,000 rows: take shorter windows beyond`,
      feed: `auditctl gaps --stream ${name} --from ${isoTime(window.from)} --to ${isoTime(window.to)} --inventory query_data.csv --inventory-field ${id} --inventory-window ${isoTime(window.from)}/${isoTime(window.to)}`,
    }),
    test,
    queries: () => client.queries(),
    close: async () => {},
  }
}

/** NaN for a cell that is no time. */
function timeOf(cell: unknown): EpochMs {
  if (typeof cell !== 'string') return Number.NaN
  try {
    return instantOfText(cell)
  } catch {
    return Number.NaN
  }
}
