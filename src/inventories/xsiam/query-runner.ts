import { AuditctlError, ContractError, RateLimitError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { InventoryEnd } from '../../core/inventory.ts'
import { redact } from '../../core/secret.ts'
import { MINUTE_MS, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import { decompress } from '../../storage/decompress.ts'
import type { InventoryParts } from '../define-inventory.ts'
import { oneAtATime } from '../turn.ts'
import { QUOTA_HINT, type XsiamApi } from './api.ts'
import type { XqlConnection } from './options.ts'
import { readObjects } from './read-objects.ts'

export type QueryRunner = {
  /** Rows of a query, some at a time; whole only when as many came as XSIAM says there are, and fewer than `maxRows`. */
  rows(
    query: string,
    timeframe: TimeRange,
    signal: AbortSignal,
  ): AsyncGenerator<readonly JsonObject[], InventoryEnd>
  /** Query units left of the day; undefined where XSIAM does not say. */
  quota(signal: AbortSignal): Promise<number | undefined>
  queries(): number
}

const OPERATION = 'query what XSIAM holds'
/** Inline, and no paging. */
const INLINE_ROWS = 1000
const PATIENCE_MS = 30 * MINUTE_MS

/** One query at a time: a tenant runs four, and analysts need them too. */
export function createQueryRunner(
  name: string,
  api: XsiamApi,
  connection: XqlConnection,
  parts: InventoryParts,
  maxRows: number,
): QueryRunner {
  const { clock, log } = parts
  const turns = oneAtATime()
  const floor = connection.quotaFloor ?? 0
  let queries = 0
  let isAsked = false
  let left: number | undefined

  async function quota(signal: AbortSignal): Promise<number | undefined> {
    const reply = await api.call('/xql/get_quota/', {}, 'read the query quota', signal)
    const { license_quota, additional_purchased_quota, eval_quota, used_quota } = (reply ?? {}) as JsonObject
    const units =
      numberOf(license_quota) + (numberOf(additional_purchased_quota) || 0) + (numberOf(eval_quota) || 0)
    const remaining = units - numberOf(used_quota)
    left = Number.isNaN(remaining) ? undefined : remaining
    isAsked = true
    return left
  }

  /** @throws RateLimitError when the units left are below the floor */
  async function checkQuota(signal: AbortSignal): Promise<void> {
    if (!isAsked) await quota(signal)
    if (left === undefined || (left > 0 && left >= floor)) return
    throw new RateLimitError(
      `stream ${name}: ${round(left)} query units are left of the day, and searching stops at ${round(floor)} (search.quotaFloor)`,
      { service: 'XSIAM', operation: OPERATION, hint: QUOTA_HINT },
    )
  }

  async function result(queryId: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const started = clock.monotonic()
    for (let poll = 0; ; poll += 1) {
      const reply = await api.call(
        '/xql/get_query_results/',
        { query_id: queryId, pending_flag: true, limit: INLINE_ROWS, format: 'json' },
        OPERATION,
        signal,
      )
      if (reply === null || typeof reply !== 'object') throw broken('a result without its reply')
      const answer = reply as JsonObject
      if (answer['status'] !== 'PENDING') return answer
      if (clock.monotonic() - started > PATIENCE_MS) return undefined
      await clock.sleep((poll < 5 ? 2 : poll < 15 ? 5 : 10) * SECOND_MS, signal)
    }
  }

  async function* run(
    query: string,
    timeframe: TimeRange,
    signal: AbortSignal,
  ): AsyncGenerator<readonly JsonObject[], InventoryEnd> {
    await checkQuota(signal)
    queries += 1
    const queryId = await api.call(
      '/xql/start_xql_query/',
      { query, timeframe: { from: timeframe.from, to: timeframe.to }, tenants: [] },
      OPERATION,
      signal,
    )
    if (typeof queryId !== 'string' || queryId === '') throw broken('a query was started without an id')
    const answer = await result(queryId, signal)
    if (answer === undefined)
      return { exhausted: false, reason: 'the query was still running after 30 minutes' }
    noteCost(answer)
    const { status, results, number_of_results } = answer
    if (status !== 'SUCCESS')
      return { exhausted: false, reason: `the query ended as ${String(status)}${detailsOf(answer)}` }
    const total = numberOf(number_of_results)
    if (Number.isNaN(total)) throw broken('a result without number_of_results')
    const { data, stream_id } = (results ?? {}) as { readonly data?: unknown; readonly stream_id?: unknown }
    let rows = 0
    if (typeof stream_id === 'string' && stream_id !== '') {
      const body = await api.stream(
        '/xql/get_query_results_stream/',
        { stream_id, is_gzip_compressed: true },
        OPERATION,
        signal,
      )
      try {
        for await (const objects of readObjects(decompress(body, 'the rows of XSIAM'))) {
          rows += objects.length
          yield objects
        }
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof RangeError) && !isBrokenBody(error)) throw error
        const message = redact(error instanceof Error ? error.message : String(error))
        return { exhausted: false, reason: `the stream of rows broke off: ${message}` }
      }
    } else {
      if (!Array.isArray(data) && total > 0)
        return { exhausted: false, reason: `${total} rows were told and none given` }
      const objects = Array.isArray(data) ? (data as readonly JsonObject[]) : []
      rows = objects.length
      if (rows > 0) yield objects
    }
    if (rows !== total) return { exhausted: false, reason: `${rows} of ${total} rows were given` }
    if (rows >= maxRows)
      return { exhausted: false, reason: `the answer reached the limit of ${maxRows} rows` }
    return { exhausted: true }
  }

  function noteCost({ query_cost, remaining_quota }: JsonObject): void {
    const remaining = numberOf(remaining_quota)
    if (!Number.isNaN(remaining)) left = remaining
    const costs =
      query_cost !== null && typeof query_cost === 'object' ? Object.values(query_cost) : [query_cost]
    const cost = costs.reduce((sum: number, value) => sum + (numberOf(value) || 0), 0)
    log.info(`XQL query: ${round(cost)} units${left === undefined ? '' : `, ${round(left)} left of the day`}`)
  }

  return {
    quota,
    queries: () => queries,
    async *rows(query, timeframe, signal) {
      const release = await turns.take(signal)
      try {
        return yield* run(query, timeframe, signal)
      } finally {
        release()
      }
    },
  }
}

/** What the client or the decompression say of a body that did not come whole; an abort and our own bugs are something else. */
function isBrokenBody(error: unknown): boolean {
  return (
    error instanceof AuditctlError ||
    (error instanceof Error && 'code' in error) ||
    error instanceof TypeError
  )
}

function detailsOf({ error_details }: JsonObject): string {
  if (error_details === undefined || error_details === null) return ''
  const text = typeof error_details === 'string' ? error_details : JSON.stringify(error_details)
  return `: ${redact(text.slice(0, 200))}`
}

function numberOf(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN
}

function round(units: number): string {
  return String(Math.round(units * 10_000) / 10_000)
}

function broken(what: string): ContractError {
  return new ContractError(`XSIAM gave ${what}`, {
    service: 'XSIAM',
    operation: OPERATION,
    hint: 'check search.url: something else may have answered',
  })
}
