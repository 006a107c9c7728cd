import { AuthError, RemoteConfigError, type RemoteDetails, UnavailableError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import type { InventoryParts } from '../define-inventory.ts'
import { oneAtATime } from '../turn.ts'
import type { BetterStackConnection, BetterStackSearchSettings } from './options.ts'

/** Rows; why they are not all there are; or the ClickHouse code that says that the store itself is not there. */
export type SqlAnswer =
  | { readonly rows: readonly JsonObject[] }
  | { readonly partial: string }
  | { readonly missing: number; readonly reason: string }

export type SqlClient = {
  /** @throws AuthError, RemoteConfigError, UnavailableError; the signal's reason when aborted */
  run(sql: string, signal: AbortSignal): Promise<SqlAnswer>
  queries(): number
}

const SERVICE = 'Better Stack SQL'
const OPERATION = 'query what Better Stack holds'
const TIMEOUT_MS = MINUTE_MS
const MAX_ATTEMPTS = 4

/** ClickHouse's error codes. @source github.com/ClickHouse/ClickHouse, src/Common/ErrorCodes.cpp */
const MISSING_STORES = new Set([669, 701])
/** Too slow or too large for one query: a smaller window may pass. */
const TOO_MUCH = new Set([158, 159, 160, 241, 307, 396])
const TOO_MANY_QUERIES = 202
const REFUSED = new Set([192, 193, 194, 195, 497, 516])
/** What the query names is not there, or not so. */
const MISCONFIGURED = new Set([36, 46, 47, 60, 62, 81])

/** The SQL API, one query at a time. @source betterstack.com/docs/logs/query-api/connect-remotely */
export function createSqlClient(
  name: string,
  settings: BetterStackSearchSettings,
  connection: BetterStackConnection,
  parts: InventoryParts,
): SqlClient {
  const service = parts.http.service({
    service: SERVICE,
    baseUrl: connection.url.replace(/[?#].*$/s, '').replace(/\/+$/, ''),
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
    rate: settings.rate,
    timeoutMs: TIMEOUT_MS,
  })
  const turns = oneAtATime()
  let queries = 0

  async function ask(sql: string, signal: AbortSignal): Promise<HttpReply> {
    const password = await connection.password.reveal()
    const credentials = Buffer.from(`${connection.username}:${password}`).toString('base64')
    queries += 1
    return service.request(
      {
        method: 'POST',
        path: '/',
        query: { output_format_pretty_row_numbers: 0 },
        // As the vendor's own examples spell it.
        headers: { 'content-type': 'plain/text', authorization: `Basic ${credentials}` },
        body: sql,
        operation: OPERATION,
        signal,
      },
      // ClickHouse answers 500 to most of its errors: only its own code tells which of them may pass.
      { neverRetry: [500] },
    )
  }

  async function run(sql: string, signal: AbortSignal): Promise<SqlAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      let reply: HttpReply
      try {
        reply = await ask(sql, signal)
      } catch (error) {
        if (!(error instanceof UnavailableError) || error.code !== 'timeout') throw error
        return { partial: 'the query ran out of time' }
      }
      if (reply.status === 200) return readRows(reply)
      const code = exceptionCode(reply.text())
      const isPassing = code === TOO_MANY_QUERIES || (code === undefined && reply.status === 500)
      if (isPassing && attempt < MAX_ATTEMPTS) {
        await parts.clock.sleep(SECOND_MS * 2 ** attempt * (1 + parts.clock.random()), signal)
        continue
      }
      const reason = `${SERVICE} answered ${reply.status}${saidBy(reply)}`
      if (code !== undefined && MISSING_STORES.has(code)) return { missing: code, reason }
      if (code !== undefined && TOO_MUCH.has(code)) return { partial: reason }
      throw refusal(reply, code, `stream ${name}: ${reason}`, connection, attempt)
    }
  }

  return {
    queries: () => queries,
    async run(sql, signal) {
      const release = await turns.take(signal)
      try {
        return await run(sql, signal)
      } finally {
        release()
      }
    },
  }
}

/** A query that dies half-way has its status behind it: the exception then stands after the rows. */
function readRows(reply: HttpReply): SqlAnswer {
  const text = reply.text()
  if (text.includes('DB::Exception')) {
    const at = Math.max(text.lastIndexOf('Code:'), text.length - 300, 0)
    return { partial: `the answer ends in an exception: ${clean(text.slice(at))}` }
  }
  if (text !== '' && !text.endsWith('\n') && !text.endsWith('}')) {
    return { partial: `the answer ends within a row: ${clean(text.slice(-80))}` }
  }
  const rows: JsonObject[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const row = parsed(line)
    if (row === undefined) return { partial: `a line of the answer is no row: ${clean(line)}` }
    rows.push(row)
  }
  return { rows }
}

function parsed(line: string): JsonObject | undefined {
  try {
    const row: unknown = JSON.parse(line)
    return row !== null && typeof row === 'object' && !Array.isArray(row) ? (row as JsonObject) : undefined
  } catch {
    return undefined
  }
}

function exceptionCode(text: string): number | undefined {
  const [, code] = /\bCode:\s*(\d+)/.exec(text) ?? []
  return code === undefined ? undefined : Number(code)
}

function refusal(
  reply: HttpReply,
  code: number | undefined,
  message: string,
  connection: BetterStackConnection,
  attempts: number,
): Error {
  const details: RemoteDetails = {
    service: SERVICE,
    operation: OPERATION,
    status: reply.status,
    requestId: reply.requestId,
    attempts,
  }
  if (reply.status === 401 || reply.status === 403 || (code !== undefined && REFUSED.has(code))) {
    const hint = `check search.username and search.password (${connection.password.origin}): a connection of Integrations > ClickHouse HTTP client, for the region in search.url; a source token cannot search`
    return new AuthError(message, { ...details, hint })
  }
  if ((code !== undefined && MISCONFIGURED.has(code)) || (code === undefined && reply.status < 500)) {
    return new RemoteConfigError(message, { ...details, hint: tableHint(connection) })
  }
  return new UnavailableError(message, { ...details, hint: 'try again later' })
}

export function tableHint({ table }: BetterStackConnection): string {
  return `check search.table (${table}: t<team>_<source> without _logs) and search.url: a connection sees the sources of its own region and team only`
}

function saidBy(reply: HttpReply): string {
  const text = clean(reply.text())
  return text === '' ? '' : `: ${text}`
}

function clean(text: string): string {
  return redact(
    text
      .slice(0, 300)
      .replace(/[\s\p{C}]+/gu, ' ')
      .trim(),
  )
}
