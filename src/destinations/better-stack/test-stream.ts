import type { Check } from '../../core/check.ts'
import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { NamedEvent } from '../../core/event.ts'
import { type HttpService, isFailure } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import { HOUR_MS, isoTime } from '../../core/time-range.ts'
import type { Judged } from '../judge.ts'
import { answered, canaryOf, checkCanary, UNPROVED, unreachable } from '../plain-receiver.ts'
import type { BetterStackOptions } from './options.ts'

export type BetterStackCheck = {
  readonly options: BetterStackOptions
  readonly service: HttpService
  readonly headers: () => Promise<Record<string, string>>
  readonly encode: Destination['encode']
  readonly deliver: (batch: DeliveryBatch, how: { readonly signal: AbortSignal }) => Promise<Receipt>
  readonly clock: Clock
  readonly judged: () => Judged
  readonly send: boolean
  readonly signal: AbortSignal
}

/** How far back the canary is dated: further than Better Stack once accepted. */
const CANARY_AGE_MS = HOUR_MS

/** An array without events proves the token; whether old times are kept is only proved by looking for what was sent. */
export async function testBetterStack(check: BetterStackCheck): Promise<readonly Check[]> {
  const { options, clock, encode, deliver, send, signal } = check
  const token = await checkToken(check)
  const checks: Check[] = [...unusualHost(options.url), token]
  if (token.state === 'failure') return checks
  if (!send) return [...checks, UNPROVED, oldTimes(options)]
  const canary = canaryOf(clock)
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

const CANARY = {
  type: 'auditctl',
  actor: () => undefined,
  action: () => 'canary',
  target: () => undefined,
}

async function checkToken({ service, headers, judged, signal }: BetterStackCheck): Promise<Check> {
  const check = 'source token'
  const answer = await service.attempt({
    method: 'POST',
    path: '/',
    headers: await headers(),
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
      return { check, state: 'failure', message, hint: judged().authHint, refused: true }
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
        : { check, state: 'failure', message, hint: judged().configHint }
  }
}

/** After parsing: a pattern over the text could be fooled by a query part. */
export function unusualHost(text: string): Check[] {
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
