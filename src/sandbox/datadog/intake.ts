import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Violation } from '../listen.ts'
import { pause } from '../pause.ts'
import type { DatadogSettings, DatadogStore } from './store.ts'

const MAX_BODY_BYTES = 5_000_000
const MAX_LOGS = 1_000
const MAX_LOG_BYTES = 1_000_000

export type IntakeParts = {
  readonly settings: DatadogSettings
  readonly store: DatadogStore
  readonly faults: FaultPlan
  readonly violations: Violation[]
}

/** Logs intake v2: answers 202 also to what it then throws away. */
export async function intake(exchange: Exchange, parts: IntakeParts): Promise<void> {
  const { settings, faults } = parts
  const due = (kind: string) => faults.take('datadog', kind, exchange.index)
  if (due('hang') !== undefined) return
  if (due('reset-before') !== undefined) return exchange.reset()
  if (exchange.path !== '/api/v2/logs') return exchange.reply(404, errors('404', 'Not Found'))
  if (exchange.method !== 'POST') return exchange.reply(405, errors('405', 'Method Not Allowed'))
  checkWire(exchange, parts.violations)
  const key = exchange.headers['dd-api-key']
  if (key === undefined) return exchange.reply(401, errors('401', 'Unauthorized'))
  if (!settings.apiKeys.has(String(key)) || due('forbidden') !== undefined) {
    return exchange.reply(403, errors('403', 'Forbidden'))
  }
  const busy = due('throttle')
  if (busy !== undefined) {
    return exchange.reply(429, errors('429', 'Too Many Requests'), { 'retry-after': busy.value ?? '1' })
  }
  if (due('throttle-bare') !== undefined) return exchange.reply(429, errors('429', 'Too Many Requests'))
  for (const [kind, status] of [
    ['unavailable', 503],
    ['timeout', 408],
  ] as const) {
    if (due(kind) !== undefined) return exchange.reply(status, errors(String(status), kind))
  }
  if (due('html-200') !== undefined) {
    return exchange.reply(200, '<html><body>Sign in to the proxy</body></html>', {
      'content-type': 'text/html',
    })
  }
  const status = due('status')
  if (status !== undefined) return exchange.reply(Number(status.value ?? 500), '')

  const body = inflate(exchange, settings)
  if (typeof body === 'number') return exchange.reply(body, errors(String(body), TITLES[body] ?? 'Error'))
  const logs = parseLogs(body)
  if (logs === undefined) return exchange.reply(400, errors('400', 'Bad Request'))
  if (logs.length > MAX_LOGS) {
    return exchange.reply(settings.tooManyStatus, errors(String(settings.tooManyStatus), 'Too many logs'))
  }
  if (settings.requireMessage && logs.some((log) => log['message'] === undefined)) {
    return exchange.reply(400, errors('400', 'message is required'))
  }
  const poison = faults.standing('datadog', 'poison', exchange.index)
  if (poison !== undefined && body.includes(poison.value ?? 'poison')) {
    return exchange.reply(400, errors('400', 'Bad Request'))
  }

  const drop = due('quota-drop') === undefined ? undefined : 'daily quota reached'
  const remap = faults.standing('datadog', 'remap', exchange.index) !== undefined
  const delayMs = Number(faults.standing('datadog', 'index-delay', exchange.index)?.value ?? 0)
  for (const log of logs) {
    const bytes = body.length <= MAX_LOG_BYTES ? 0 : Buffer.byteLength(JSON.stringify(log))
    parts.store.add(log, bytes, { ...(drop === undefined ? {} : { drop }), remap, delayMs })
    if (bytes > MAX_LOG_BYTES) parts.violations.push(violation(exchange, 'log-truncated', `${bytes} bytes`))
  }
  const slow = due('slow')
  if (slow !== undefined) await pause(exchange, Number(slow.value ?? 500))
  if (due('error-after') !== undefined) return exchange.reply(500, errors('500', 'Internal Server Error'))
  if (due('reset-after') !== undefined) return exchange.reset()
  if (due('cut') !== undefined) {
    exchange.response.writeHead(202, { 'content-type': 'application/json', 'content-length': 2 })
    exchange.response.write('{')
    setTimeout(() => exchange.reset(), 5)
    return
  }
  exchange.reply(202, {})
}

/** As the intake spells an error (open-telemetry/opentelemetry-collector-contrib#16834). */
function errors(status: string, title: string): JsonObject {
  const detail = status === '413' ? 'Request too large' : title
  return { errors: [{ status, title: TITLES[Number(status)] ?? title, detail }] }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
}

/** The plain body, or the status that refuses it. A bomb is stopped while it inflates. */
function inflate(exchange: Exchange, settings: DatadogSettings): Buffer | number {
  const encoding = exchange.headers['content-encoding'] ?? 'identity'
  const limit = { maxOutputLength: MAX_BODY_BYTES }
  try {
    const plain =
      encoding === 'identity'
        ? exchange.body
        : encoding === 'gzip'
          ? gunzipSync(exchange.body, limit)
          : encoding === 'deflate'
            ? inflateSync(exchange.body, limit)
            : encoding === 'zstd' && settings.zstd
              ? zstdDecompressSync(exchange.body, limit)
              : undefined
    if (plain === undefined) return 415
    return plain.length > MAX_BODY_BYTES ? 413 : plain
  } catch (error) {
    return (error as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 413 : 400
  }
}

function parseLogs(body: Buffer): readonly JsonObject[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
  const logs = Array.isArray(value) ? value : [value]
  const isLog = (log: unknown) => log !== null && typeof log === 'object' && !Array.isArray(log)
  return logs.every(isLog) ? (logs as JsonObject[]) : undefined
}

function checkWire(exchange: Exchange, violations: Violation[]): void {
  if (!String(exchange.headers['content-type'] ?? '').startsWith('application/json')) {
    violations.push(violation(exchange, 'content-type', String(exchange.headers['content-type'])))
  }
  if (exchange.query.has('ddtags'))
    violations.push(violation(exchange, 'tags-in-url', 'long tags make a 414'))
  for (const name of ['api_key', 'dd-api-key']) {
    if (exchange.query.has(name)) violations.push(violation(exchange, 'key-in-url', name))
  }
}

function violation(exchange: Exchange, rule: string, detail: string): Violation {
  return { request: exchange.index, rule, detail }
}
