import { gunzipSync } from 'node:zlib'
import { MINUTE_MS } from '../../core/time-range.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Violation } from '../listen.ts'
import { pause } from '../pause.ts'
import { type AzureRow, ingest, type Losses, type TableSettings, ticks } from './table.ts'
import { INGEST_AUDIENCE, type Tokens } from './tokens.ts'

const MAX_CONTENT_LENGTH = 1_048_576
const MAX_INFLATED = 50 * 1024 * 1024

export type IngestionSettings = TableSettings & {
  ruleId: string
  stream: string
  /** The documented reading: a megabyte also after decompression. */
  strictSize: boolean
  /** Beyond 50 MiB inflated: refused, or accepted and lost. */
  beyondInflated: '413' | '204-then-drop'
  auxiliary: boolean
  requestsPerMinute: number
  bytesPerMinute: number
}

export type IngestionParts = {
  readonly settings: IngestionSettings
  readonly tokens: Tokens
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly now: () => number
  readonly rows: AzureRow[]
  readonly arrivals: string[]
  readonly losses: Losses
}

/** Logs Ingestion: 204 says that the call was taken, and nothing about what was stored. */
export function ingestion(parts: IngestionParts): (exchange: Exchange) => Promise<void> {
  const minute = { start: 0, requests: 0, bytes: 0 }
  return async (exchange) => {
    const { settings, faults, tokens, now } = parts
    const due = (kind: string) => faults.take('azure', kind, exchange.index)
    const fail = (status: number, code: string, message: string, headers: Record<string, string> = {}) =>
      exchange.reply(status, { error: { code, message } }, { 'x-ms-error-code': code, ...headers })
    const violate = (rule: string, detail: string) => {
      parts.violations.push({ request: exchange.index, rule, detail })
    }
    if (due('hang') !== undefined) return
    if (due('reset-before') !== undefined) return exchange.reset()
    const route = /^\/dataCollectionRules\/([^/]+)\/streams\/([^/]+)$/.exec(exchange.path)
    if (route === null || exchange.method !== 'POST' || exchange.query.get('api-version') !== '2023-01-01') {
      return fail(404, 'NotFound', 'The resource was not found')
    }
    if (due('token-expires') !== undefined) tokens.expireAll()
    if (!tokens.accepts(exchange, INGEST_AUDIENCE))
      return fail(401, 'InvalidToken', 'The bearer token is not valid')
    if (due('forbidden') !== undefined) {
      return fail(
        403,
        'OperationFailed',
        'The authentication token provided does not have access to ingest data for the data collection rule',
      )
    }
    if (route[1] !== settings.ruleId) return fail(404, 'NotFound', 'Data collection rule not found')
    if (route[2] !== settings.stream)
      return fail(404, 'InvalidStream', `Stream ${route[2]} is not defined in the rule`)
    if (now() - minute.start >= MINUTE_MS) Object.assign(minute, { start: now(), requests: 0, bytes: 0 })
    minute.requests += 1
    minute.bytes += exchange.body.length
    const isFull = minute.requests > settings.requestsPerMinute || minute.bytes > settings.bytesPerMinute
    const busy = due('throttle')
    if (busy !== undefined || isFull) {
      return fail(429, 'TooManyRequests', 'Request rate too high', { 'retry-after': busy?.value ?? '5' })
    }
    const status = due('status')
    if (status !== undefined) return exchange.reply(Number(status.value ?? 503), '')
    if (due('html-200') !== undefined) {
      return exchange.reply(200, '<html>Sign in to the proxy</html>', { 'content-type': 'text/html' })
    }
    if (due('unavailable') !== undefined) return fail(503, 'ServiceUnavailable', 'try again')
    if (exchange.headers['transfer-encoding'] !== undefined) violate('chunked', 'the body must come whole')
    if (!String(exchange.headers['content-type'] ?? '').startsWith('application/json'))
      violate('content-type', '')
    if (exchange.body.length > MAX_CONTENT_LENGTH)
      return fail(413, 'ContentLengthLimitExceeded', tooLong(exchange.body.length))

    const body = inflate(exchange)
    if (body === undefined) return fail(400, 'InvalidContentEncoding', 'The body could not be decompressed')
    if (body === 'too-large') {
      if (settings.beyondInflated === '413') return fail(413, 'PayloadSizeLimitExceeded', 'over 50 MiB')
      violate('inflated-too-large', 'accepted and lost')
      return exchange.reply(204, '')
    }
    if (settings.strictSize && body.length > MAX_CONTENT_LENGTH) {
      return fail(413, 'ContentLengthLimitExceeded', tooLong(body.length))
    }
    if (body.length === 0) return exchange.reply(500, '')
    const poison = faults.standing('azure', 'poison', exchange.index)
    if (poison !== undefined && body.includes(poison.value ?? 'poison')) {
      return fail(400, 'InvalidPayload', 'The payload is malformed')
    }
    const records = parseArray(body)
    if (records === undefined) {
      // Microsoft accepts it and stores nothing (Azure/azure-sdk-for-python#32562).
      violate('non-array-body', body.toString('utf8', 0, 60))
      return exchange.reply(204, '')
    }
    if (settings.auxiliary && spanMs(records) > 30 * MINUTE_MS) {
      return fail(
        400,
        'RecordsTimeRangeIsMoreThan30Minutes',
        'The time range of the records is more than 30 minutes',
      )
    }
    const delayMs = Number(faults.standing('azure', 'index-delay', exchange.index)?.value ?? 0)
    const isDropped = due('drop') !== undefined
    for (const record of records) {
      if (isDropped) {
        parts.losses.droppedRows.push({ id: idOf(record), reason: 'accepted and dropped' })
        continue
      }
      const row = ingest(record, settings, parts.losses, now(), parts.rows.length === 0)
      if (row === undefined) continue
      parts.rows.push({ ...row, visibleAt: row.visibleAt + delayMs })
      const id = idOf(record)
      if (id !== undefined) parts.arrivals.push(id)
    }
    const slow = due('slow')
    if (slow !== undefined) await pause(exchange, Number(slow.value ?? 500))
    if (due('error-after') !== undefined) return fail(500, 'InternalServerError', 'fault after the commit')
    if (due('reset-after') !== undefined) return exchange.reset()
    exchange.reply(204, '')
  }
}

function tooLong(bytes: number): string {
  return `Maximum allowed content length: ${MAX_CONTENT_LENGTH} bytes. Provided content length: ${bytes} bytes.`
}

function inflate(exchange: Exchange): Buffer | 'too-large' | undefined {
  const encoding = exchange.headers['content-encoding']
  if (encoding === undefined) return exchange.body
  if (encoding !== 'gzip') return undefined
  try {
    return gunzipSync(exchange.body, { maxOutputLength: MAX_INFLATED })
  } catch (error) {
    return (error as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : undefined
  }
}

function parseArray(body: Buffer): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function spanMs(records: readonly unknown[]): number {
  const times = records
    .map((record) => (record as { readonly TimeGenerated?: unknown } | null)?.TimeGenerated)
    .map((time) =>
      Date.parse(typeof time === 'string' ? (ticks(time) ?? '').replace(/(\.\d{3})\d+/, '$1') : ''),
    )
    .filter((ms) => !Number.isNaN(ms))
  return times.length === 0 ? 0 : Math.max(...times) - Math.min(...times)
}

export function idOf(record: unknown): string | undefined {
  const object = (record ?? {}) as { readonly id?: unknown; readonly EventId?: unknown }
  const id = object.id ?? object.EventId
  return typeof id === 'string' ? id : undefined
}
