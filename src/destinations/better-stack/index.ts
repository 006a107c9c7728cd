import type { Check } from '../../core/check.ts'
import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { NamedEvent } from '../../core/event.ts'
import { type HttpService, isFailure } from '../../core/http.ts'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, frameBody, limitsOf } from '../envelope.ts'
import type { Judged } from '../judge.ts'
import { answered, canaryOf, checkCanary, UNPROVED, unreachable } from '../plain-receiver.ts'
import { betterStackEncoder } from './encode.ts'
import { BETTER_STACK_GUIDE } from './guide.ts'
import { createIngestJudge } from './judge-ingest.ts'
import { type BetterStackOptions, betterStackOptions, DEFAULT_LIMITS, FRAME, HARD_LIMITS } from './options.ts'
import { replayQuery } from './replay-query.ts'

const SERVICE = 'Better Stack'
const GRACE_MS = 10 * MINUTE_MS
/** How far back the canary is dated: further than Better Stack once accepted. */
const CANARY_AGE_MS = HOUR_MS

/** Better Stack Telemetry, by its HTTP source. */
export const betterStack = defineDestination({
  provider: 'better-stack',
  title: 'Better Stack Telemetry',
  options: betterStackOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable: 'id, by SQL over the hot and the archive store, with a connection of its own in "search"',
  guide: () => BETTER_STACK_GUIDE,
  create: createBetterStack,
})

function createBetterStack(name: string, options: BetterStackOptions, parts: DestinationParts): Destination {
  const service = parts.http.service({
    service: SERVICE,
    baseUrl: options.url.replace(/[?#].*$/s, '').replace(/\/+$/, ''),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  const encode = betterStackEncoder(options.eventTime)
  const judge = createIngestJudge()
  const judged = (): Judged => ({
    service: SERVICE,
    stream: name,
    now: parts.clock.now(),
    authHint: `check token (${options.token.origin}): the source token of Data ingestion, not an API token; then run auditctl stream test ${name}`,
    configHint: `check url: the ingesting host of the source, without a path; then run auditctl stream test ${name}`,
  })
  const headers = async () =>
    assembleHeaders(
      { 'Content-Type': 'application/json', Authorization: `Bearer ${await options.token.reveal()}` },
      options.headers,
    )

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const answer = await service.attempt({
      method: 'POST',
      path: '/',
      headers: await headers(),
      body: frameBody(batch.encoded, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    return judge(answer, batch.encoded.length, judged())
  }

  async function test({ send, signal }: { readonly send: boolean; readonly signal: AbortSignal }) {
    const token = await checkToken(service, await headers(), judged(), signal)
    const checks: Check[] = [...unusualHost(options.url), token]
    if (token.state === 'failure') return checks
    if (!send) return [...checks, UNPROVED, oldTimes(options)]
    const canary = canaryOf(parts.clock)
    const atMs = canary.atMs - CANARY_AGE_MS
    const event = new NamedEvent(CANARY, canary.event, {
      id: canary.id,
      occurredAt: isoTime(atMs),
      occurredAtMs: atMs,
    })
    const sent = await checkCanary(
      canary,
      (encoded, ids) => deliver({ encoded, ids, run: 'test' }, { signal }),
      encode(canary.event, event, { restamp: false }),
    )
    return [...checks, sent, oldTimes(options, canary.id, isoTime(atMs))]
  }

  return {
    name,
    provider: 'better-stack',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      // Dated by arrival, an event is never too old.
      accepts: options.eventTime === false ? {} : acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      concurrency: 4,
    },
    encode,
    deliver,
    test,
    replayQuery: (run) => replayQuery(options, run),
    close: async () => {},
  }
}

const CANARY = {
  type: 'auditctl',
  actor: () => undefined,
  action: () => 'canary',
  target: () => undefined,
}

/** An empty array holds no event, and is answered like any other body. */
async function checkToken(
  service: HttpService,
  headers: Record<string, string>,
  judged: Judged,
  signal: AbortSignal,
): Promise<Check> {
  const check = 'source token'
  const answer = await service.attempt({
    method: 'POST',
    path: '/',
    headers,
    body: '[]',
    operation: 'check the source token',
    signal,
  })
  if (isFailure(answer)) return unreachable(check, answer)
  const message = `${answered(answer)} to an array without events`
  switch (answer.status) {
    case 202:
      return { check, state: 'ok', message }
    case 406:
      return { check, state: 'ok', message: `${message}: the token was not refused` }
    case 401:
    case 403:
      return { check, state: 'failure', message, hint: judged.authHint, refused: true }
    case 402:
      return {
        check,
        state: 'failure',
        message,
        hint: 'the plan or the spending limit is used up: everything is refused, also what the live stream sends',
      }
    default:
      return answer.status >= 500 || answer.status === 429
        ? { check, state: 'warning', message, hint: 'Better Stack has trouble of its own: try again' }
        : { check, state: 'failure', message, hint: judged.configHint }
  }
}

/** After parsing: a pattern over the text could be fooled by a query part. */
function unusualHost(text: string): Check[] {
  const { protocol, hostname } = new URL(text)
  const isKnown = ['betterstackdata.com', 'betterstack.com'].some(
    (domain) => hostname === domain || hostname.endsWith(`.${domain}`),
  )
  if (protocol === 'https:' && isKnown) return []
  const hint = 'the ingesting host ends in .betterstackdata.com; this is fine for a proxy or a sandbox'
  return [
    { check: 'host', state: 'warning', message: `${protocol}//${hostname} is not Better Stack's own`, hint },
  ]
}

function oldTimes(options: BetterStackOptions, canary?: string, at?: string): Check {
  const check = 'old events'
  if (options.eventTime === false) return { check, state: 'ok', message: 'events are sent without dt' }
  if (canary === undefined) {
    const hint = 'refill with --probe or --verify, which look for what was sent'
    return {
      check,
      state: 'ok',
      message: 'not proved: whether the source keeps events under an old dt',
      hint,
    }
  }
  const table = options.search?.table ?? 't<team>_<source>'
  const suffix = options.search?.kind === 'warehouse' ? 'events' : 'logs'
  return {
    check,
    state: 'ok',
    message: `not proved: the canary was dated ${at}; where it stands tells whether old times are kept`,
    hint: `SELECT dt, raw FROM remote(${table}_${suffix}) WHERE JSONExtractString(raw,'id') = '${canary}' LIMIT 1`,
  }
}
