import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Violation } from '../listen.ts'
import { type Job, jobBook } from './jobs.ts'
import type { XsiamStore } from './store.ts'
import { parseXql, type XqlRow } from './xql.ts'
import { XqlError } from './xql-lexer.ts'

const INLINE_ROWS = 1000
const PARALLEL = 4
const DEFAULT_LIMIT = 1_000_000

export type ApiSettings = {
  keyId: string
  apiKey: string
  keyType: 'standard' | 'advanced'
  dataset: string
  /** Query units of the day, used ones, and what each query costs. */
  licenseQuota: number
  usedQuota: number
  costPerQuery: number
  /** A dataset without this column refuses queries that name it. */
  hasRawLog: boolean
  /** The largest answer of a query. */
  maxRows: number
}

export type ApiParts = {
  readonly settings: ApiSettings
  readonly store: XsiamStore
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly now: () => number
}

/** The public API. `call` counts the requests to it. */
export function publicApi(parts: ApiParts): (exchange: Exchange, call: number) => Promise<void> {
  const { settings, store, faults, now } = parts
  const jobs = jobBook(now)
  const nonces = new Set<string>()
  const fail = (exchange: Exchange, status: number, extra: string) =>
    exchange.reply(status, {
      reply: {
        err_code: status,
        err_msg: 'An error occurred while processing XDR public API',
        err_extra: extra,
      },
    })

  function isAllowed({ headers }: Exchange): boolean {
    if (headers['x-xdr-auth-id'] !== settings.keyId) return false
    if (settings.keyType === 'standard') return headers.authorization === settings.apiKey
    const [nonce, timestamp] = [
      String(headers['x-xdr-nonce'] ?? ''),
      String(headers['x-xdr-timestamp'] ?? ''),
    ]
    if (!/^[A-Za-z0-9]{64}$/.test(nonce) || nonces.has(nonce)) return false
    if (!(Math.abs(now() - Number(timestamp)) < 5 * MINUTE_MS)) return false
    nonces.add(nonce)
    const hash = createHash('sha256').update(`${settings.apiKey}${nonce}${timestamp}`).digest('hex')
    return headers.authorization === hash
  }

  function start(exchange: Exchange, data: JsonObject, call: number) {
    if (jobs.running() >= PARALLEL || faults.take('xsiam', 'xql-busy', call) !== undefined) {
      return fail(exchange, 500, 'reached max allowed amount of parallel running queries')
    }
    if (settings.usedQuota >= settings.licenseQuota) return fail(exchange, 500, 'Query quota exceeded')
    const { from, to } = (data['timeframe'] ?? {}) as { readonly from?: unknown; readonly to?: unknown }
    if (typeof from !== 'number' || typeof to !== 'number' || from >= to)
      return fail(exchange, 400, 'bad timeframe')
    try {
      const query = parseXql(String(data['query']), (name) => name !== '_raw_log' || settings.hasRawLog)
      if (query.dataset !== settings.dataset) return fail(exchange, 400, `unknown dataset: ${query.dataset}`)
      if (!query.hasLimit) {
        parts.violations.push({
          request: exchange.index,
          rule: 'no-limit',
          detail: 'a default limit cuts in silence',
        })
      }
      const at = now()
      const visible = store.rows.filter((row) => row.visibleAt <= at && row.time >= from && row.time < to)
      const rows = query
        .run(visible.map(({ record }) => record))
        .slice(0, Math.min(settings.maxRows, DEFAULT_LIMIT))
      settings.usedQuota += settings.costPerQuery
      exchange.reply(200, { reply: jobs.start(rows).id })
    } catch (error) {
      if (!(error instanceof XqlError)) throw error
      fail(exchange, 400, error.message)
    }
  }

  function results(exchange: Exchange, data: JsonObject, call: number) {
    const job = jobs.byId(String(data['query_id']))
    if (job === undefined) return fail(exchange, 400, 'unknown query_id')
    if (data['format'] !== 'json') return fail(exchange, 400, 'unknown format')
    job.polls += 1
    const pending = faults.standing('xsiam', 'xql-pending', call)
    if (job.polls === 1 || pending !== undefined) return exchange.reply(200, { reply: { status: 'PENDING' } })
    job.isDone = true
    const common = {
      query_cost: { 9995067425: settings.costPerQuery },
      remaining_quota: settings.licenseQuota - settings.usedQuota,
    }
    const ended = faults.take('xsiam', 'xql-fail', call) ?? faults.take('xsiam', 'xql-partial', call)
    if (ended !== undefined) {
      const isFailed = ended.kind === 'xql-fail'
      const status = isFailed ? 'FAIL' : 'PARTIAL_SUCCESS'
      const given = isFailed ? [] : job.rows.slice(0, 3)
      const details = isFailed ? { error_details: 'the query ran out of resources' } : {}
      return exchange.reply(200, {
        reply: { status, ...details, ...common, number_of_results: given.length, results: { data: given } },
      })
    }
    const short = faults.take('xsiam', 'xql-short', call)
    const inline = short === undefined ? job.rows : job.rows.slice(0, Number(short.value ?? 3))
    const isLong = job.rows.length > INLINE_ROWS || faults.take('xsiam', 'xql-stream', call) !== undefined
    exchange.reply(200, {
      reply: {
        status: 'SUCCESS',
        ...common,
        number_of_results: job.rows.length,
        results: isLong ? { stream_id: job.streamId } : { data: inline },
      },
    })
  }

  async function stream(exchange: Exchange, data: JsonObject, call: number) {
    const job = jobs.byStream(String(data['stream_id']))
    if (job === undefined) return fail(exchange, 400, 'unknown stream_id')
    const cut = faults.take('xsiam', 'stream-cut', call)
    const rows = cut === undefined ? job.rows : job.rows.slice(0, Number(cut.value ?? 3))
    const text = Buffer.from(textOf(job, rows))
    const isPacked =
      data['is_gzip_compressed'] === true && faults.take('xsiam', 'stream-plain', call) === undefined
    const body = isPacked ? gzipSync(text, { level: 1 }) : text
    if (faults.take('xsiam', 'stream-reset', call) !== undefined) {
      exchange.response.writeHead(200, { 'content-type': 'application/octet-stream' })
      exchange.response.write(body.subarray(0, body.length >> 1), () => setTimeout(() => exchange.reset(), 5))
      return
    }
    exchange.reply(200, body, { 'content-type': 'application/octet-stream' })
  }

  return async (exchange, call) => {
    const due = (kind: string) => faults.take('xsiam', kind, call)
    const slow = due('xql-slow')
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow.value ?? 500)))
    if (due('xql-reset') !== undefined) return exchange.reset()
    if (exchange.method !== 'POST') return fail(exchange, 405, 'POST only')
    if (due('xql-503') !== undefined) return exchange.reply(503, '')
    if (due('xql-500') !== undefined) return fail(exchange, 500, 'internal error')
    if (due('xql-html') !== undefined) return exchange.reply(200, '<html>Sign in to the proxy</html>')
    if (!isAllowed(exchange)) return fail(exchange, 401, 'Public API request unauthorized')
    let data: JsonObject
    try {
      const body = JSON.parse(exchange.body.toString('utf8')) as { readonly request_data?: JsonObject }
      data = body.request_data ?? {}
    } catch {
      return fail(exchange, 400, 'bad JSON')
    }
    switch (exchange.path.replace(/^\/public_api\/v1\/xql\//, '')) {
      case 'start_xql_query/':
        return start(exchange, data, call)
      case 'get_query_results/':
        return results(exchange, data, call)
      case 'get_query_results_stream/':
        return stream(exchange, data, call)
      case 'get_quota/':
        return exchange.reply(200, {
          reply: {
            license_quota: settings.licenseQuota,
            additional_purchased_quota: 0,
            used_quota: settings.usedQuota,
            eval_quota: 0,
            total_daily_running_queries: 0,
            total_daily_concurrent_rejected_queries: 0,
            current_concurrent_active_queries_count: jobs.running(),
          },
        })
      default:
        return fail(exchange, 404, 'no such call')
    }
  }
}

/** Both shapes have been observed: JSON lines, and one array. They take turns here. */
function textOf(job: Job, rows: readonly XqlRow[]): string {
  const isLines = /[02468]_stream|[02468]$/.test(job.streamId)
  return isLines ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : JSON.stringify(rows)
}
