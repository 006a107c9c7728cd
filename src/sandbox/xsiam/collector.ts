import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'
import { SECOND_MS } from '../../core/time-range.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Violation } from '../listen.ts'
import { pause } from '../pause.ts'
import type { XsiamStore } from './store.ts'

const MAX_BODY_BYTES = 10_485_760
const MAX_RECORD_BYTES = 5_000_000

export type CollectorSettings = {
  key: string
  format: 'json' | 'raw'
  gzip: boolean
  enabled: boolean
  arrayHandling: 'reject' | 'one-record' | 'explode'
  requestsPerSecond: number
}

export type CollectorParts = {
  readonly settings: CollectorSettings
  readonly store: XsiamStore
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly now: () => number
}

const MISMATCH = '{"error": "error processing request, error: failed to process the request"}'

/** A custom HTTP Log Collector, its rules in the order in which it applies them. `post` counts the requests to it. */
export function collector(parts: CollectorParts): (exchange: Exchange, post: number) => Promise<void> {
  const second = { start: 0, requests: 0 }
  return async (exchange, post) => {
    const { settings, faults, store, now } = parts
    const due = (kind: string) => faults.take('xsiam', kind, post)
    const json = { 'content-type': 'application/json' }
    if (due('hang') !== undefined) return
    if (due('reset-before') !== undefined) return exchange.reset()
    if (
      exchange.headers.authorization !== settings.key ||
      !settings.enabled ||
      due('forbidden') !== undefined
    ) {
      return exchange.reply(401, '')
    }
    const status = due('status')
    if (status !== undefined) return exchange.reply(Number(status.value ?? 500), '')
    if (due('html-200') !== undefined) {
      return exchange.reply(200, '<html>Sign in to the proxy</html>', { 'content-type': 'text/html' })
    }
    if (due('other-door') !== undefined) return exchange.reply(400, 'missing format header')
    if (exchange.body.length > MAX_BODY_BYTES) return exchange.reply(413, '')
    const body = plainBody(exchange, settings.gzip)
    if (body === undefined || !hasRightType(exchange, settings.format))
      return exchange.reply(500, MISMATCH, json)
    if (body.length > MAX_BODY_BYTES) return exchange.reply(413, '')
    const lines = body.toString('utf8').split('\n')
    const records =
      settings.format === 'json' ? lines.map((line) => recordOf(line, settings)) : lines.map(rawRecord)
    if (records.some((record) => record === undefined)) return exchange.reply(500, MISMATCH, json)
    if (lines.some((line) => Buffer.byteLength(line) > MAX_RECORD_BYTES)) return exchange.reply(413, '')
    if (now() - second.start >= SECOND_MS) Object.assign(second, { start: now(), requests: 0 })
    second.requests += 1
    const busy = due('throttle')
    if (busy !== undefined || second.requests > settings.requestsPerSecond) {
      return exchange.reply(429, '', busy === undefined ? {} : { 'retry-after': busy.value ?? '1' })
    }
    if (due('error-true') !== undefined) return exchange.reply(200, '{"error": "true"}', json)

    const delayMs = Number(faults.standing('xsiam', 'index-delay', post)?.value ?? 0)
    const isLost = due('drop') !== undefined
    const isOneRow = faults.standing('xsiam', 'one-row', post) !== undefined
    for (const [i, record] of records.entries()) {
      if (record === undefined || isLost || (isOneRow && i > 0)) continue
      if (Array.isArray(record)) store.addArray(record as JsonObject[], lines[i] ?? '', delayMs)
      else store.add(record as JsonObject, delayMs)
    }
    const slow = due('slow')
    if (slow !== undefined) await pause(exchange, Number(slow.value ?? 500))
    if (due('error-after') !== undefined) return exchange.reply(500, MISMATCH, json)
    if (due('reset-after') !== undefined) return exchange.reset()
    exchange.reply(200, '{"error": "false"}', json)
  }
}

/** Undefined for a line that the collector cannot take; then it takes none. */
function recordOf(line: string, settings: CollectorSettings): JsonObject | readonly JsonObject[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (value === null || typeof value !== 'object') return undefined
  if (!Array.isArray(value)) return value as JsonObject
  return settings.arrayHandling === 'reject' ? undefined : (value as JsonObject[])
}

function rawRecord(line: string): JsonObject {
  return { _raw_log: line }
}

/** The compression is a setting of the collector, and the client has to match it. */
function plainBody(exchange: Exchange, isGzip: boolean): Buffer | undefined {
  const encoding = exchange.headers['content-encoding']
  if ((encoding === 'gzip') !== isGzip || (encoding !== undefined && encoding !== 'gzip')) return undefined
  if (!isGzip) return exchange.body
  try {
    return gunzipSync(exchange.body, { maxOutputLength: 10 * MAX_BODY_BYTES })
  } catch {
    return undefined
  }
}

function hasRightType(exchange: Exchange, format: 'json' | 'raw'): boolean {
  const type = String(exchange.headers['content-type'] ?? '')
  return type.startsWith(format === 'json' ? 'application/json' : 'text/plain')
}
