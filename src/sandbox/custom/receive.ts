import { isUtf8 } from 'node:buffer'
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { JsonObject } from '../../core/event.ts'
import { inflated, isObject, isPing, type LoggedEvent, logged, objectLines, parsed } from '../event-log.ts'
import type { FaultPlan } from '../faults.ts'
import { httpFaults } from '../http-faults.ts'
import type { Exchange, Handler, Violation } from '../listen.ts'

export const MAX_EVENTS = 500
export const MAX_BYTES = 1_000_000
const MAX_SKEW_SECONDS = 300

/** What each path takes: the product's own form, and those that auditctl offers beside it. */
export const FORMS = { '/in': 'array', '/ndjson': 'ndjson', '/single': 'single', '/signed': 'array' } as const
type Form = (typeof FORMS)[keyof typeof FORMS]

const TYPES: Readonly<Record<Form, string>> = {
  array: 'application/json',
  ndjson: 'application/x-ndjson',
  single: 'application/json',
}

export type ReceiveParts = {
  readonly authorization: string
  /** Base64, as in `whsec_…` without its prefix. */
  readonly signingKey: string
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly log: LoggedEvent[]
  readonly now: () => number
  /** Called once for each request with events, before it is answered; its number. */
  count(): number
}

/** A receiver built for the product's custom stream. Every broken rule is refused, and recorded. */
export function receiver(parts: ReceiveParts): Handler {
  const keys = new Map<string, string>()
  return async (exchange) => {
    const form = Object.hasOwn(FORMS, exchange.path) ? FORMS[exchange.path as keyof typeof FORMS] : undefined
    if (form === undefined) return exchange.reply(404, { error: 'there is nothing here' })
    if (exchange.headers.authorization !== parts.authorization) {
      return exchange.reply(401, { error: 'unknown credentials' })
    }
    if (exchange.method !== 'POST') return exchange.reply(405, { error: 'only POST' }, { allow: 'POST' })
    const request = parts.count()
    const refuse = (status: number, rule: string, detail: string) => {
      parts.violations.push({ request, rule, detail })
      exchange.reply(status, { error: detail })
    }
    const body = inflated(exchange, MAX_BYTES)
    if (body === 413) return refuse(413, 'body-size', `more than ${MAX_BYTES} bytes`)
    if (typeof body === 'number') return refuse(body, 'encoding', 'the body cannot be unpacked')
    if (!isUtf8(body)) return refuse(400, 'utf-8', 'the body is not UTF-8')
    const broken = checkHeaders(exchange, body, form, keys, parts)
    if (broken !== undefined) return refuse(broken.status, broken.rule, broken.detail)
    const faults = httpFaults(parts.faults, 'custom', request)
    if (faults.before(exchange, body)) return
    const events = eventsOf(body, form)
    if (typeof events === 'string') return refuse(400, 'body', events)
    if (events.length > MAX_EVENTS) return refuse(413, 'events', `${events.length} events`)
    const delayMs = Number(parts.faults.standing('custom', 'index-delay', request)?.value ?? 0)
    const isErrorBody = parts.faults.take('custom', 'error-body', request) !== undefined
    const rows = events.map((event) => logged(event, { arrivedAt: parts.now(), request, delayMs }))
    parts.log.push(...faults.kept(isErrorBody ? rows.slice(0, -1) : rows))
    if (await faults.after(exchange)) return
    const errors = isErrorBody ? { errors: [{ position: events.length - 1, error: 'refused' }] } : {}
    exchange.reply(200, { status: 'ok', accepted: events.length - (isErrorBody ? 1 : 0), ...errors })
  }
}

type Broken = { readonly status: number; readonly rule: string; readonly detail: string }

function checkHeaders(
  exchange: Exchange,
  body: Buffer,
  form: Form,
  keys: Map<string, string>,
  parts: ReceiveParts,
): Broken | undefined {
  const { headers } = exchange
  const type = String(headers['content-type'] ?? '')
  const isPingBody = body.length < 64 && isPingText(body)
  if (!type.startsWith(isPingBody ? 'application/json' : TYPES[form])) {
    return { status: 400, rule: 'content-type', detail: `content-type ${type || 'is missing'}` }
  }
  const key = headers['idempotency-key']
  if (typeof key === 'string') {
    const digest = createHash('sha256').update(body).digest('hex')
    if ((keys.get(key) ?? digest) !== digest) {
      return { status: 400, rule: 'idempotency-key', detail: 'the same key came with another body' }
    }
    keys.set(key, digest)
  }
  if (exchange.path !== '/signed') return undefined
  const wrong = checkSignature(exchange, body, parts)
  return wrong === undefined ? undefined : { status: 400, rule: 'signature', detail: wrong }
}

/** @source https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11-20) */
function checkSignature({ headers }: Exchange, body: Buffer, parts: ReceiveParts): string | undefined {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    String(headers[`webhook-${name}`] ?? ''),
  )
  if (!/^msg_[0-9a-f]{32}$/.test(id ?? '')) return 'webhook-id is missing or not one'
  if (!/^\d+$/.test(timestamp ?? '')) return 'webhook-timestamp is missing or not one'
  const skew = Math.abs(parts.now() / 1000 - Number(timestamp))
  if (skew > MAX_SKEW_SECONDS) return `webhook-timestamp is ${Math.round(skew)} s off`
  const expected = createHmac('sha256', Buffer.from(parts.signingKey, 'base64'))
    .update(`${id}.${timestamp}.`)
    .update(body)
    .digest()
  const isSigned = (signatures ?? '').split(' ').some((signature) => {
    const given = Buffer.from(signature.replace(/^v1,/, ''), 'base64')
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
  return isSigned ? undefined : 'webhook-signature does not fit'
}

function eventsOf(body: Buffer, form: Form): readonly JsonObject[] | string {
  if (isPingText(body)) return [{ ping: 'ok' }]
  if (form === 'ndjson') {
    if (body.at(-1) !== 0x0a) return 'the last line has no end'
    const lines = objectLines(body)
    return lines.length === 0 ? 'the body is empty' : lines
  }
  const value = parsed(body.toString('utf8'))
  if (form === 'single') return isObject(value) ? [value] : 'the body is not one JSON object'
  if (!Array.isArray(value)) return 'the body is not a JSON array'
  if (value.length === 0) return 'the array is empty'
  return value.every(isObject) ? value : 'the array holds something that is not an object'
}

function isPingText(body: Buffer): boolean {
  const value = body.length < 64 ? parsed(body.toString('utf8')) : undefined
  return isObject(value) && isPing(value)
}
