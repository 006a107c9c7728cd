import { parseDuration } from '../../core/duration.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange } from '../listen.ts'
import { KqlSemanticError, KqlSyntaxError } from './kql.ts'
import { type KqlResult, runQuery } from './run-query.ts'
import { type AzureRow, type Columns, shownTime, ticks } from './table.ts'
import { QUERY_AUDIENCE, type Tokens } from './tokens.ts'

export type QuerySettings = {
  columns: Columns
  workspaceId: string
  tableName: string
  maxRows: number
  maxBytes: number
  requestsPer30s: number
}

export type QueryParts = {
  readonly settings: QuerySettings
  readonly tokens: Tokens
  readonly faults: FaultPlan
  readonly now: () => number
  readonly rows: readonly AzureRow[]
}

/** Log Analytics: a 200 may carry an error beside its rows, and then the rows are not all. */
export function queryApi(parts: QueryParts): (exchange: Exchange) => Promise<void> {
  const window = { start: 0, requests: 0 }
  return async (exchange) => {
    const { settings, faults, now } = parts
    const due = (kind: string) => faults.take('azure', kind, exchange.index)
    const fail = (status: number, code: string, message: string, inner?: string) =>
      exchange.reply(status, {
        error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner, message } }) },
      })
    const slow = due('query-slow')
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow.value ?? 500)))
    if (due('query-reset') !== undefined) return exchange.reset()
    const route = /^\/v1\/workspaces\/([^/]+)\/(query|search)$/.exec(exchange.path)
    if (route === null || exchange.method !== 'POST')
      return fail(404, 'PathNotFoundError', 'The requested path does not exist')
    if (due('query-token-expires') !== undefined) parts.tokens.expireAll()
    if (!parts.tokens.accepts(exchange, QUERY_AUDIENCE))
      return fail(401, 'AuthenticationFailed', 'The token is not valid')
    if (due('query-forbidden') !== undefined || route[1] !== settings.workspaceId) {
      return fail(
        403,
        'InsufficientAccessError',
        'The provided credentials have insufficient access to perform the requested operation',
      )
    }
    if (now() - window.start >= 30_000) Object.assign(window, { start: now(), requests: 0 })
    window.requests += 1
    const busy = due('query-busy')
    if (busy !== undefined || window.requests > settings.requestsPer30s) {
      return exchange.reply(
        429,
        { error: { code: 'TooManyRequests', message: 'throttled' } },
        { 'retry-after': busy?.value ?? '5' },
      )
    }
    // Without the type the service answers with nothing, and says 200.
    const hasType = String(exchange.headers['content-type'] ?? '').startsWith('application/json')
    if (!hasType || due('query-empty') !== undefined) return exchange.reply(200, '')
    if (due('query-204') !== undefined) return exchange.reply(204, '')
    if (due('query-timeout') !== undefined) return fail(504, 'GatewayTimeout', 'The query timed out')
    if (due('query-unavailable') !== undefined) return fail(503, 'ServiceUnavailable', 'try again')

    let body: { readonly query?: unknown; readonly timespan?: unknown }
    try {
      body = JSON.parse(exchange.body.toString('utf8')) as typeof body
    } catch {
      return fail(400, 'BadArgumentError', 'The request had some invalid properties', 'SyntaxError')
    }
    const spans = [body.timespan, exchange.query.get('timespan')].filter((span) => typeof span === 'string')
    const visible = parts.rows.filter(
      (row) => row.visibleAt <= now() && spans.every((span) => isWithin(row, span, now())),
    )
    let result: KqlResult
    try {
      result = runQuery(String(body.query), {
        name: settings.tableName,
        columns: settings.columns,
        rows: visible,
      })
    } catch (error) {
      if (error instanceof KqlSyntaxError) return fail(400, 'BadArgumentError', error.message, 'SyntaxError')
      if (error instanceof KqlSemanticError)
        return fail(400, 'BadArgumentError', error.message, 'SemanticError')
      throw error
    }
    const partial = due('query-partial')
    answer(exchange, result, settings, partial === undefined ? undefined : Number(partial.value ?? 1))
  }
}

function answer(
  exchange: Exchange,
  { columns, rows }: KqlResult,
  settings: QuerySettings,
  cut: number | undefined,
): void {
  const limit = Math.min(settings.maxRows, cut ?? Number.POSITIVE_INFINITY)
  const isTime = columns.map(({ type }) => type === 'datetime')
  const names = columns.map(({ name }) => name)
  const lines: string[] = []
  let bytes = 0
  for (const row of rows) {
    if (lines.length >= limit) break
    const line = JSON.stringify(
      names.map((name, index) => {
        const cell = row.cells[name] ?? null
        return isTime[index] === true && typeof cell === 'string' ? shownTime(cell) : cell
      }),
    )
    bytes += line.length + 1
    if (bytes > settings.maxBytes) break
    lines.push(line)
  }
  const table = `{"name":"PrimaryResult","columns":${JSON.stringify(columns)},"rows":[${lines.join(',')}]}`
  const error = {
    code: 'PartialError',
    message: 'There were some errors when processing your query.',
    details: [
      { code: 'EngineError', message: 'Query result set has exceeded the internal record count limit' },
    ],
  }
  const tail = lines.length === rows.length && cut === undefined ? '' : `,"error":${JSON.stringify(error)}`
  exchange.reply(200, Buffer.from(`{"tables":[${table}]${tail}}`), {
    'content-type': 'application/json; charset=utf-8',
  })
}

/** `timespan` filters `TimeGenerated`: a duration back from now, or an interval. */
function isWithin(row: AzureRow, span: string, now: number): boolean {
  const at = row.cells['TimeGenerated']
  if (typeof at !== 'string') return false
  const [from = '', to] = span.split('/')
  if (to === undefined) {
    const ms = parseDuration(from.replace(/^PT?/, '').replace('T', '').toLowerCase()) ?? 0
    return at >= (ticks(new Date(now - ms).toISOString()) ?? '')
  }
  return at >= (ticks(from) ?? '') && at < (ticks(to) ?? '')
}
