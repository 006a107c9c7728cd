import { isUtf8 } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'
import type { JsonObject } from '../../core/event.ts'
import { inflated, isPing, type LoggedEvent, logged, objectLines } from '../event-log.ts'
import type { FaultPlan } from '../faults.ts'
import { httpFaults } from '../http-faults.ts'
import type { Exchange, Handler, Violation } from '../listen.ts'

/** May be turned while it runs. */
export type CriblSettings = {
  /** Below it only `_bulk` is served. */
  base: string
  /** None: anyone may post. */
  tokens: string[]
  maxBodyBytes: number
  /** Requests at a time; above: 503. */
  maxActive: number
  /** On one socket; above: 503. 0: any number. */
  requestsPerSocket: number
  /** Unknown paths are answered 200 and thrown away, as on the Elasticsearch paths of the product. */
  fakeSuccess: boolean
  /** The health endpoint is off unless it was switched on. */
  health: 'off' | 'healthy' | 'unhealthy'
}

export const CRIBL_DEFAULTS = {
  base: '/infisical',
  maxBodyBytes: 2_000_000,
  maxActive: 256,
  requestsPerSocket: 0,
  fakeSuccess: false,
  health: 'off',
} as const

export type CriblParts = {
  readonly settings: CriblSettings
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly log: LoggedEvent[]
  readonly now: () => number
}

const BUSY = 'Server is busy, max active connections reached'

/** The HTTP/S source. Events are kept with the `_time` they came with, or with the time of their arrival. */
export function criblSource(parts: CriblParts): Handler {
  const { settings } = parts
  const bySocket = new WeakMap<object, number>()
  let active = 0
  let requests = 0
  return async (exchange) => {
    if (exchange.path === '/cribl_health' && settings.health !== 'off') {
      const isHealthy = settings.health === 'healthy'
      return exchange.reply(isHealthy ? 200 : 503, { status: settings.health })
    }
    if (exchange.path !== `${settings.base}/_bulk`) {
      return settings.fakeSuccess ? exchange.reply(200, { items: [] }) : exchange.reply(404, 'Not Found')
    }
    if (exchange.method !== 'POST') return exchange.reply(405, 'Method Not Allowed')
    const socket = exchange.response.socket ?? exchange
    const onSocket = (bySocket.get(socket) ?? 0) + 1
    bySocket.set(socket, onSocket)
    const most = settings.requestsPerSocket
    if (most > 0 && onSocket > most) {
      return exchange.reply(503, 'Max requests per socket reached', { connection: 'close' })
    }
    if (active >= settings.maxActive) return exchange.reply(503, BUSY)
    if (!isAuthorized(exchange, settings)) return exchange.reply(401, 'Unauthorized')
    active += 1
    try {
      if (exchange.body.length > 0) requests += 1
      await receive(exchange, requests, onSocket === most, parts)
    } finally {
      active -= 1
    }
  }
}

async function receive(
  exchange: Exchange,
  request: number,
  isLastOnSocket: boolean,
  { settings, faults, violations, log, now }: CriblParts,
): Promise<void> {
  const headers: Record<string, string> = isLastOnSocket ? { connection: 'close' } : {}
  const refuse = (status: number, rule: string, detail: string) => {
    violations.push({ request, rule, detail })
    exchange.reply(status, detail, headers)
  }
  const body = inflated(exchange, settings.maxBodyBytes)
  if (body === 413) return refuse(413, 'body-size', `more than ${settings.maxBodyBytes} bytes`)
  if (typeof body === 'number') return refuse(body, 'encoding', 'the body cannot be unpacked')
  // An empty request holds no event, and no fault is spent on it.
  if (body.length === 0) return exchange.reply(200, { text: 'Success', code: 0 }, headers)
  if (!isUtf8(body)) return refuse(400, 'utf-8', 'the body is not UTF-8')
  const wire = httpFaults(faults, 'cribl', request)
  if (faults.take('cribl', 'busy', request) !== undefined) return exchange.reply(503, BUSY, headers)
  if (wire.before(exchange, body)) return
  const events = objectLines(body)
  if (typeof events === 'string') return refuse(400, 'body', events)
  for (const [rule, detail] of strictness(exchange, body, events)) violations.push({ request, rule, detail })
  const delayMs = Number(faults.standing('cribl', 'index-delay', request)?.value ?? 0)
  const rows = events.map((event) => {
    const arrivedAt = now()
    const stamped = event['_time'] === undefined ? { ...event, _time: arrivedAt / 1000 } : event
    return logged(stamped, { arrivedAt, request, delayMs })
  })
  log.push(...wire.kept(rows))
  if (await wire.after(exchange)) return
  exchange.reply(200, { text: 'Success', code: 0 }, headers)
}

/** What a lenient source lets pass, and the live stream never does. */
function* strictness(
  exchange: Exchange,
  body: Buffer,
  events: readonly JsonObject[],
): Generator<readonly [rule: string, detail: string]> {
  const type = String(exchange.headers['content-type'] ?? '')
  const isOne = events.length === 1
  if (!type.startsWith('application/x-ndjson') && !(isOne && type.startsWith('application/json'))) {
    yield ['content-type', `${type || 'none'} for ${events.length} events`]
  }
  if (body.at(-1) === 0x0a) yield ['final-newline', 'the live stream sends none']
  for (const [i, event] of events.entries()) {
    if (isPing(event)) continue
    const time = event['_time']
    if (time !== undefined && typeof time !== 'number') yield ['time', `_time of event ${i} is no number`]
    const internal = Object.keys(event).find((key) => /^(?:__|cribl_)/.test(key))
    if (internal !== undefined) yield ['internal-key', `event ${i} has the key ${internal}`]
  }
}

/** The bare token, or with Bearer. */
function isAuthorized({ headers }: Exchange, { tokens }: CriblSettings): boolean {
  if (tokens.length === 0) return true
  const given = Buffer.from((headers.authorization ?? '').replace(/^bearer /i, ''))
  return tokens.some((token) => {
    const known = Buffer.from(token)
    return known.length === given.length && timingSafeEqual(known, given)
  })
}
