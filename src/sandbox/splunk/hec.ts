import { gunzipSync } from 'node:zlib'
import type { FaultPlan } from '../faults.ts'
import type { Exchange, Handler } from '../listen.ts'
import type { AckBook } from './acks.ts'
import { faultAfter, faultBefore, type PostFaults, poisonOf, postFaults } from './hec-faults.ts'
import { replyCode, replyNotFound, replyPage } from './hec-replies.ts'
import { CLOUD_BODY_BYTES, type HecToken, type SplunkProfile } from './profile.ts'
import { readEvents } from './read-events.ts'
import type { StoredRow } from './store.ts'

export type HecParts = {
  readonly profile: SplunkProfile
  readonly tokens: readonly HecToken[]
  readonly faults: FaultPlan
  readonly acks: AckBook
  readonly now: () => number
  commit(row: StoredRow): void
  violate(request: number, rule: string, detail: string): void
  /** Stops listening for that long. */
  die(ms: number): void
}

const EVENT_PATHS = new Set([
  '/services/collector',
  '/services/collector/1.0',
  '/services/collector/event',
  '/services/collector/event/1.0',
])
const ACK_PATHS = new Set(['/services/collector/ack', '/services/collector/ack/1.0'])
const HEALTH_PATHS = new Set(['/services/collector/health', '/services/collector/health/1.0'])
const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

/** The HTTP Event Collector, its rules in the order in which it applies them. Faults count the requests that carry events. */
export function hecHandler(parts: HecParts): Handler {
  let posts = 0
  return (exchange) => {
    if (exchange.method === 'OPTIONS') return exchange.reply(200, '')
    const isEvent = EVENT_PATHS.has(exchange.path)
    const isAck = ACK_PATHS.has(exchange.path)
    const isHealth = HEALTH_PATHS.has(exchange.path)
    if (!isEvent && !isAck && !isHealth) return replyNotFound(exchange, 404)
    if (exchange.method !== (isHealth ? 'GET' : 'POST')) return replyNotFound(exchange, 405)
    if (isHealth) return replyHealth(exchange, parts)
    if (tooLarge(exchange, exchange.body.length, parts)) return
    const token = authorize(exchange, parts)
    if (token === undefined) return
    if (isAck && token.usesAck !== true) return replyCode(exchange, 14)
    const channel = channelOf(exchange)
    if (token.usesAck === true) {
      if (channel === undefined) return replyCode(exchange, parts.profile.kind === 'cloud' ? 28 : 10)
      if (!GUID.test(channel)) return replyCode(exchange, 11)
    }
    if (isAck) return replyAcks(exchange, channel ?? '', parts)
    const body = inflate(exchange)
    if (body === undefined || tooLarge(exchange, body.length, parts)) return
    if (body.toString('latin1', 0, 64).trim() === '' && body.toString('latin1').trim() === '')
      return replyCode(exchange, 5)
    posts += 1
    receive(exchange, { body, token, channel, post: posts, faults: postFaults(parts.faults, posts) }, parts)
  }
}

function receive(
  exchange: Exchange,
  request: { body: Buffer; token: HecToken; channel: string | undefined; post: number; faults: PostFaults },
  parts: HecParts,
) {
  const { faults, post } = request
  const now = parts.now()
  if (!/^application\/json\b/i.test(exchange.headers['content-type'] ?? '')) {
    parts.violate(post, 'content-type', String(exchange.headers['content-type']))
  }
  if (faultBefore(exchange, faults, parts)) return
  const channel = request.token.usesAck === true ? (request.channel ?? '') : undefined
  if (channel !== undefined && parts.acks.isFull(channel, now)) return replyCode(exchange, 27)
  const rows: StoredRow[] = []
  const outcome = readEvents(request.body, {
    token: request.token,
    profile: parts.profile,
    request: post,
    now,
    visibleAt: now + faults.indexDelayMs,
    stopAt: faults.busyNumber ?? Number.POSITIVE_INFINITY,
    poison: poisonOf(parts.faults, post),
    commit: (row) => rows.push(row),
    violate: (rule, detail) => parts.violate(post, rule, detail),
  })
  for (const row of rows.slice(faults.lose ?? 0)) parts.commit(row)
  for (const row of rows.slice(0, faults.duplicate ?? 0)) parts.commit(row)
  if (faultAfter(exchange, faults)) return
  const answer = () => {
    if (outcome.kind === 'refused') {
      return replyCode(exchange, outcome.code, { 'invalid-event-number': outcome.number })
    }
    if (outcome.kind === 'lost-silently' && outcome.events === 0) return replyCode(exchange, 5)
    const acked = channel === undefined ? {} : { ackId: parts.acks.open(channel, now, faults.ackNever) }
    replyCode(exchange, faults.slowDown ? 24 : 0, acked)
  }
  if (faults.slowMs > 0) setTimeout(answer, faults.slowMs).unref()
  else answer()
}

function tooLarge(exchange: Exchange, bytes: number, { profile, violate }: HecParts): boolean {
  if (bytes > profile.maxContentBytes) {
    violate(exchange.index, 'body-size', `a body of ${bytes} bytes`)
    replyPage(exchange, 413)
    return true
  }
  if (profile.kind === 'cloud' && bytes > CLOUD_BODY_BYTES) {
    violate(exchange.index, 'body-size', `a body of ${bytes} bytes`)
    replyCode(exchange, 6, { 'invalid-event-number': 0 })
    return true
  }
  return false
}

/** The token of the request; undefined when it was refused, and answered. */
function authorize(exchange: Exchange, { tokens, violate }: HecParts): HecToken | undefined {
  const header = exchange.headers.authorization
  const inQuery = exchange.query.get('token')
  if (inQuery !== null) {
    violate(exchange.index, 'token-in-url', 'a token in the query string')
    replyCode(exchange, tokens.some((known) => known.token === inQuery) ? 16 : 4)
    return undefined
  }
  if (header === undefined) return void replyCode(exchange, 2)
  const [, scheme = '', credentials = ''] = /^(\S+)\s+(.*)$/.exec(header) ?? []
  let presented = credentials
  if (/^basic$/i.test(scheme))
    presented = Buffer.from(credentials, 'base64')
      .toString()
      .replace(/^[^:]*:/, '')
  else if (!/^splunk$/i.test(scheme)) {
    violate(exchange.index, 'authorization-scheme', scheme)
    return void replyCode(exchange, 3)
  }
  const token = tokens.find((known) => known.token === presented)
  if (token === undefined) return void replyCode(exchange, 4)
  if (token.isDisabled === true) return void replyCode(exchange, 1)
  return token
}

function channelOf(exchange: Exchange): string | undefined {
  const header = exchange.headers['x-splunk-request-channel']
  return (Array.isArray(header) ? header[0] : header) ?? exchange.query.get('channel') ?? undefined
}

/** The body as it was before compression; undefined when it was refused, and answered. */
function inflate(exchange: Exchange): Buffer | undefined {
  const encoding = exchange.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return exchange.body
  if (encoding !== 'gzip') return void replyPage(exchange, 415)
  try {
    return gunzipSync(exchange.body)
  } catch {
    return void replyPage(exchange, 400)
  }
}

function replyHealth(exchange: Exchange, { tokens, faults }: HecParts) {
  const unhealthy = faults.take('splunk', 'unhealthy', exchange.index)
  if (unhealthy !== undefined) return replyCode(exchange, Number(unhealthy.value ?? 18))
  const presented = /^splunk\s+(.*)$/i.exec(exchange.headers.authorization ?? '')?.[1]
  if (presented === undefined) return replyCode(exchange, 17)
  const token = tokens.find((known) => known.token === presented)
  replyCode(exchange, token === undefined ? 21 : token.isDisabled === true ? 22 : 17)
}

function replyAcks(exchange: Exchange, channel: string, { acks, faults, now }: HecParts) {
  let ids: unknown
  try {
    ids = (JSON.parse(exchange.body.toString()) as { acks?: unknown }).acks
  } catch {
    return replyCode(exchange, 6)
  }
  if (!Array.isArray(ids)) return replyCode(exchange, 6)
  if (faults.take('splunk', 'ack-restart', exchange.index) !== undefined) acks.restart()
  if (faults.take('splunk', 'ack-elsewhere', exchange.index) !== undefined) {
    return exchange.reply(200, { acks: Object.fromEntries(ids.map((id) => [String(id), false])) })
  }
  exchange.reply(200, { acks: acks.poll(channel, ids, now()) })
}
