import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../core/event.ts'
import { skipSpace, skipValue } from '../../core/json-members.ts'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Handler, Violation } from '../listen.ts'
import { pause } from '../pause.ts'
import type { BetterStackStore } from './store.ts'

const MAX_RECORD_BYTES = 10_485_760
/** Inflated; the limit of the product is on compressed bytes. */
const MAX_INFLATED = 100 * 1024 * 1024
const OPEN_BRACKET = 0x5b

export type IngestSettings = {
  tokens: Set<string>
  maxCompressedBytes: number
  /** Requests of about this many events were answered 500 (logtail/logback-logtail#18). */
  maxEvents: number
}

export type IngestParts = {
  readonly settings: IngestSettings
  readonly store: BetterStackStore
  readonly faults: FaultPlan
  readonly violations: Violation[]
}

/** The HTTP source: 202 without a body is all that it says of success. */
export function ingest(parts: IngestParts): Handler {
  return async (exchange) => {
    const { settings, faults, store } = parts
    const due = (kind: string) => faults.take('better-stack', kind, exchange.index)
    if (due('hang') !== undefined) return
    if (due('reset-before') !== undefined) return exchange.reset()
    if (exchange.path !== '/' || exchange.method !== 'POST') return exchange.reply(404, 'Not Found')
    const [, token] = /^Bearer (.+)$/.exec(exchange.headers.authorization ?? '') ?? []
    if (token === undefined || !settings.tokens.has(token) || due('forbidden') !== undefined) {
      return exchange.reply(403, 'Unauthorized')
    }
    if (faults.standing('better-stack', 'quota', exchange.index) !== undefined) {
      return exchange.reply(402, { error: 'Quota exceeded' })
    }
    const busy = due('throttle')
    if (busy !== undefined) return exchange.reply(429, '', { 'retry-after': busy.value ?? '1' })
    const status = due('status')
    if (status !== undefined) return exchange.reply(Number(status.value ?? 500), '')
    if (due('html-200') !== undefined) {
      return exchange.reply(200, '<html>Sign in to the proxy</html>', { 'content-type': 'text/html' })
    }
    if (exchange.body.length > settings.maxCompressedBytes) return exchange.reply(413, TOO_LARGE)
    const body = inflate(exchange)
    const spans = body === undefined ? undefined : recordsOf(exchange, body)
    const poison = faults.standing('better-stack', 'poison', exchange.index)
    if (
      body === undefined ||
      spans === undefined ||
      (poison !== undefined && body.includes(poison.value ?? ''))
    ) {
      return exchange.reply(406, "Couldn't parse JSON content.")
    }
    if (spans.some(({ raw }) => Buffer.byteLength(raw) > MAX_RECORD_BYTES))
      return exchange.reply(413, TOO_LARGE)
    if (spans.length > settings.maxEvents) return exchange.reply(500, '')
    if (spans.some(({ raw }) => raw.includes('\n'))) {
      parts.violations.push({
        request: exchange.index,
        rule: 'pretty-printed',
        detail: 'billed as a row a line',
      })
    }

    const delayMs = Number(faults.standing('better-stack', 'index-delay', exchange.index)?.value ?? 0)
    const isLost = due('drop') !== undefined
    for (const { raw, event } of spans) {
      if (isLost) store.dropped.push({ id: String(event['id']), reason: 'accepted and dropped' })
      else store.add(raw, event, { delayMs })
    }
    const slow = due('slow')
    if (slow !== undefined) await pause(exchange, Number(slow.value ?? 500))
    if (due('error-after') !== undefined) return exchange.reply(500, '')
    if (due('reset-after') !== undefined) return exchange.reset()
    exchange.reply(202, '')
  }
}

const TOO_LARGE = 'payload reached size limit'

type Rec = { readonly raw: string; readonly event: JsonObject }

/** The records with their own text; undefined when the body is not what its content type says. */
function recordsOf(exchange: Exchange, body: Buffer): readonly Rec[] | undefined {
  const [type] = (exchange.headers['content-type'] ?? '').split(';')
  const texts =
    type === 'application/json'
      ? jsonTexts(body)
      : type === 'application/x-ndjson'
        ? body
            .toString('utf8')
            .split('\n')
            .filter((line) => line.trim() !== '')
        : undefined
  if (texts === undefined) return undefined
  const records: Rec[] = []
  for (const raw of texts) {
    try {
      const event: unknown = JSON.parse(raw)
      if (event === null || typeof event !== 'object' || Array.isArray(event)) return undefined
      records.push({ raw, event: event as JsonObject })
    } catch {
      return undefined
    }
  }
  return records
}

function jsonTexts(body: Buffer): readonly string[] | undefined {
  const start = skipSpace(body, 0, body.length)
  if (body[start] !== OPEN_BRACKET) return [body.toString('utf8')]
  const texts: string[] = []
  let at = skipSpace(body, start + 1, body.length)
  if (body[at] === 0x5d) return skipSpace(body, at + 1, body.length) === body.length ? [] : undefined
  for (;;) {
    const end = skipValue(body, at, body.length)
    if (end < 0) return undefined
    texts.push(body.toString('utf8', at, end))
    at = skipSpace(body, end, body.length)
    if (body[at] === 0x5d) return skipSpace(body, at + 1, body.length) === body.length ? texts : undefined
    if (body[at] !== 0x2c) return undefined
    at = skipSpace(body, at + 1, body.length)
  }
}

function inflate(exchange: Exchange): Buffer | undefined {
  const encoding = exchange.headers['content-encoding']
  if (encoding === undefined) return exchange.body
  if (encoding !== 'gzip') return undefined
  try {
    return gunzipSync(exchange.body, { maxOutputLength: MAX_INFLATED })
  } catch {
    return undefined
  }
}
