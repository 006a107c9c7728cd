import { isUtf8 } from 'node:buffer'
import { DAY_MS } from '../../core/time-range.ts'
import { inflated, isObject, type LoggedEvent, logged, parsed } from '../event-log.ts'
import type { FaultPlan } from '../faults.ts'
import { httpFaults } from '../http-faults.ts'
import type { Exchange, Handler, Violation } from '../listen.ts'

const MAX_BYTES = 1_000_000
const MAX_MESSAGE_BYTES = 65_536

/** May be turned while it runs. */
export type SumoSettings = {
  /** The secret end of the address. */
  code: string
  token: string
  pastMs: number
  futureMs: number
  /** A message further than this from the one before it gets the time of its arrival; 0: a source of its own, which takes any. */
  spreadMs: number
}

export const SUMO_DEFAULTS = { pastMs: 365 * DAY_MS, futureMs: 2 * DAY_MS, spreadMs: DAY_MS } as const

export type SumoRow = LoggedEvent & {
  readonly messageTime: number
  /** Its time is not its own, and nobody was told. */
  readonly isRewritten: boolean
}

export type SumoParts = {
  readonly settings: SumoSettings
  readonly faults: FaultPlan
  readonly violations: Violation[]
  readonly log: SumoRow[]
  readonly now: () => number
}

/** An HTTP source: answers 200 also to what it dates otherwise or splits. */
export function sumoSource(parts: SumoParts): Handler {
  const { settings, faults, violations, log, now } = parts
  let requests = 0
  return async (exchange) => {
    const [, code] = /^\/receiver\/v1\/http\/([^/]+)$/.exec(exchange.path) ?? []
    if (code === undefined) return exchange.reply(404, 'Not Found')
    if (code !== settings.code || exchange.headers['x-sumo-token'] !== settings.token) {
      return exchange.reply(401, 'Unauthorized')
    }
    if (exchange.method !== 'POST') return exchange.reply(exchange.method === 'HEAD' ? 200 : 405, '')
    requests += 1
    const request = requests
    const violate = (rule: string, detail: string) => violations.push({ request, rule, detail })
    const body = inflated(exchange, MAX_BYTES)
    if (typeof body === 'number') {
      violate(body === 413 ? 'body-size' : 'encoding', `answered ${body}`)
      return exchange.reply(body, 'refused')
    }
    const wire = httpFaults(faults, 'sumo-logic', request)
    if (wire.before(exchange, body)) return
    const rows: SumoRow[] = []
    const delayMs = Number(faults.standing('sumo-logic', 'index-delay', request)?.value ?? 0)
    let recent = log.at(-1)?.messageTime
    for (const event of messages(exchange, body, violate)) {
      const arrivedAt = now()
      const row = dated(logged(event, { arrivedAt, request, delayMs }), settings, recent)
      recent = row.messageTime
      rows.push(row)
    }
    log.push(...wire.kept(rows))
    if (await wire.after(exchange)) return
    exchange.reply(200, '')
  }
}

/** The row under its own time, or under that of its arrival. */
export function dated(row: LoggedEvent, settings: SumoSettings, recent: number | undefined): SumoRow {
  const { atMs, arrivedAt } = row
  const isFar =
    atMs < arrivedAt - settings.pastMs ||
    atMs > arrivedAt + settings.futureMs ||
    (settings.spreadMs > 0 && recent !== undefined && Math.abs(atMs - recent) > settings.spreadMs)
  const isRewritten = isFar || Number.isNaN(atMs)
  return { ...row, messageTime: isRewritten ? arrivedAt : atMs, isRewritten }
}

function* messages(exchange: Exchange, body: Buffer, violate: (rule: string, detail: string) => void) {
  if (!isUtf8(body)) violate('utf-8', 'the body is not UTF-8')
  if (body.at(-1) === 0x0a) violate('final-newline', 'the live stream sends none')
  for (const name of ['x-sumo-category', 'x-sumo-name', 'x-sumo-host', 'x-sumo-fields']) {
    if (exchange.headers[name] !== undefined) violate('metadata', `the live stream sends no ${name}`)
  }
  const lines = body.toString('utf8').split('\n')
  const type = String(exchange.headers['content-type'] ?? '')
  const isOne = lines.length === 1 && type.startsWith('application/json')
  if (!type.startsWith('application/x-ndjson') && !isOne) violate('content-type', type || 'none')
  for (const line of lines) {
    if (line.trim() === '') continue
    const bytes = Buffer.byteLength(line)
    const event = bytes > MAX_MESSAGE_BYTES ? undefined : parsed(line)
    if (isObject(event)) {
      yield event
      continue
    }
    violate(bytes > MAX_MESSAGE_BYTES ? 'split' : 'not-json', `a message of ${bytes} bytes`)
    // Parts of a long message are messages of their own.
    for (let at = 0; at < line.length; at += MAX_MESSAGE_BYTES) {
      yield { _raw: line.slice(at, at + MAX_MESSAGE_BYTES) }
    }
  }
}
