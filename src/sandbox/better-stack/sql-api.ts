import type { JsonObject } from '../../core/event.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Handler, Violation } from '../listen.ts'
import { SqlSyntaxError } from './sql-lexer.ts'
import { type Expression, parseSql, type Query } from './sql-parse.ts'
import { runSql } from './sql-run.ts'
import type { BetterStackStore } from './store.ts'

export type SqlSettings = { username: string; password: string; table: string }

export type SqlParts = {
  readonly settings: SqlSettings
  readonly store: BetterStackStore
  readonly faults: FaultPlan
  readonly violations: Violation[]
}

/** An exception with ClickHouse's number. */
class Exception extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** ClickHouse over HTTP: an error before the first row has a status, one after it stands behind the rows of a 200. */
export function sqlApi(parts: SqlParts): Handler {
  return async (exchange) => {
    const { settings, faults } = parts
    const due = (kind: string) => faults.take('better-stack', kind, exchange.index)
    const slow = due('sql-slow')
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow.value ?? 500)))
    if (due('sql-reset') !== undefined) return exchange.reset()
    if (exchange.path !== '/' || exchange.method !== 'POST') return exchange.reply(404, 'There is no handle')
    const credentials = Buffer.from(`${settings.username}:${settings.password}`).toString('base64')
    if (exchange.headers.authorization !== `Basic ${credentials}`) {
      return fail(exchange, 401, 516, `${settings.username}: Authentication failed: password is incorrect`)
    }
    if (due('sql-503') !== undefined) return exchange.reply(503, 'upstream connect error')
    if (due('sql-html') !== undefined) return exchange.reply(200, '<html>Sign in to the proxy</html>')
    if (due('sql-memory') !== undefined) return fail(exchange, 500, 241, 'Memory limit (total) exceeded')
    if (due('sql-timeout') !== undefined)
      return fail(exchange, 500, 159, 'Timeout exceeded: elapsed 60 seconds')
    if (due('sql-busy') !== undefined) return fail(exchange, 500, 202, 'Too many simultaneous queries')
    if (due('sql-empty') !== undefined) return exchange.reply(200, '')
    let query: Query
    let rows: readonly JsonObject[]
    try {
      query = parseSql(exchange.body.toString('utf8'))
      checkShape(query, (rule, detail) => parts.violations.push({ request: exchange.index, rule, detail }))
      rows = runSql(query, ({ arm, table }) => tableOf(arm, table, parts, exchange))
    } catch (error) {
      if (error instanceof SqlSyntaxError) return fail(exchange, 400, 62, `Syntax error: ${error.message}`)
      if (error instanceof Exception) return fail(exchange, 500, error.code, error.message)
      throw error
    }
    answer(exchange, query, rows, parts)
  }
}

function tableOf(
  arm: 'hot' | 'archive',
  table: string,
  { settings, store, faults }: SqlParts,
  exchange: Exchange,
) {
  const isGone = faults.standing('better-stack', `${arm}-gone`, exchange.index) !== undefined
  const isOurs = table === `${settings.table}_${arm === 'hot' ? 'logs' : 's3'}`
  const rows = isOurs && !isGone ? store.rowsOf(arm) : undefined
  if (rows !== undefined) return rows
  if (arm === 'hot')
    throw new Exception(701, `Requested cluster '${table}' not found. (CLUSTER_DOESNT_EXIST)`)
  throw new Exception(669, `There is no named collection \`${table}\`. (NAMED_COLLECTION_DOESNT_EXIST)`)
}

function answer(exchange: Exchange, query: Query, rows: readonly JsonObject[], { faults }: SqlParts) {
  if (query.format === 'CSVWithNames') {
    const names = query.items.map(({ as }) => as)
    const lines = [names, ...rows.map((row) => names.map((name) => row[name]))]
    return exchange.reply(
      200,
      `${lines.map((cells) => cells.map((cell) => JSON.stringify(cell)).join(',')).join('\n')}\n`,
    )
  }
  // Pages of ids only: a count is one row.
  const due = (kind: string) =>
    query.orderBy.length > 0 && query.groupBy.length === 0 && rows.length > 0
      ? faults.take('better-stack', kind, exchange.index)
      : undefined
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`)
  const exception = due('sql-exception')
  if (exception !== undefined) {
    const kept = lines.slice(0, Number(exception.value ?? 3)).join('')
    return exchange.reply(
      200,
      `${kept}Code: 241. DB::Exception: Memory limit (for query) exceeded. (MEMORY_LIMIT_EXCEEDED)\n`,
    )
  }
  const cut = due('sql-cut')
  if (cut !== undefined) return exchange.reply(200, lines.slice(0, Number(cut.value ?? 0)).join(''))
  if (due('sql-cut-mid') !== undefined) {
    const text = lines.join('')
    return exchange.reply(200, text.slice(0, text.length - 20))
  }
  const repeat = due('sql-repeat')
  // As if the condition on the id had been lost: the same page again and again.
  if (repeat !== undefined) return exchange.reply(200, `${JSON.stringify({ ...rows[0], event_id: '' })}\n`)
  exchange.reply(200, lines.join(''), { 'content-type': 'application/x-ndjson; charset=UTF-8' })
}

/** What a lenient server lets pass: a query without a limit, times of one arm only, spans among the logs. */
function checkShape(query: Query, violate: (rule: string, detail: string) => void): void {
  if (query.limit === undefined) violate('no-limit', 'a query without LIMIT')
  if (query.format === undefined) violate('no-format', 'rows are only whole as JSONEachRow')
  const visit = ({ from, where }: Query): void => {
    if (from.kind === 'union') {
      for (const inner of from.queries) visit(inner)
      return
    }
    const text = JSON.stringify(where ?? '')
    if (from.arm === 'archive' && !hasCondition(where, '_row_type'))
      violate('row-type', 'spans among the logs')
    if (!text.includes('"dt"')) violate('no-time', `${from.table} is scanned whole`)
  }
  visit(query)
}

function hasCondition(where: Expression | undefined, column: string): boolean {
  const terms = where?.kind === 'and' ? where.terms : [where]
  return terms.some(
    (term) => term?.kind === 'compare' && term.left.kind === 'column' && term.left.name === column,
  )
}

function fail(exchange: Exchange, status: number, code: number, message: string): void {
  exchange.reply(status, `Code: ${code}. DB::Exception: ${message}\n`, {
    'x-clickhouse-exception-code': String(code),
  })
}
