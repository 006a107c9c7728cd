import type { FaultPlan } from '../faults.ts'
import type { Exchange } from '../listen.ts'
import { replyCode, replyPage } from './hec-replies.ts'

/**
 * Faults of one request with events, by kind; `@N` counts such requests.
 *
 * Nothing stored: `die=MS`, `reset-before`, `busy`, `throttle=SECONDS`, `html-502`, `html-200`, `too-large`, `status=CODE`, `hec=STATUS/CODE[/NUMBER]`.
 * Stored: `reset-after`, `reset-mid`, `error-after` (500, code 8), `slow-down`, `slow=MS` (a late answer).
 * In part: `busy-number=N` (the first N), `lose=N` and `duplicate=N` (the first N of the request; all without a number), `poison=ID[/CODE]`.
 * Standing, for ever unless counted: `poison`, `ack-never`, `index-delay=MS`.
 */
export type PostFaults = {
  readonly dieMs: number | undefined
  readonly resetBefore: boolean
  readonly resetAfter: boolean
  readonly resetMid: boolean
  readonly errorAfter: boolean
  readonly busy: boolean
  readonly busyNumber: number | undefined
  readonly throttleSeconds: string | undefined
  readonly page: number | undefined
  readonly hec: string | undefined
  readonly slowDown: boolean
  readonly slowMs: number
  readonly lose: number | undefined
  readonly duplicate: number | undefined
  readonly indexDelayMs: number
  readonly ackNever: boolean
}

export function postFaults(plan: FaultPlan, post: number): PostFaults {
  const take = (kind: string) => plan.take('splunk', kind, post)
  const isDue = (kind: string) => take(kind) !== undefined
  const numberOf = (kind: string, without: number) => {
    const fault = take(kind)
    return fault === undefined ? undefined : Number(fault.value ?? without)
  }
  const status = numberOf('status', 500)
  return {
    dieMs: numberOf('die', 1000),
    resetBefore: isDue('reset-before'),
    resetAfter: isDue('reset-after'),
    resetMid: isDue('reset-mid'),
    errorAfter: isDue('error-after'),
    busy: isDue('busy'),
    busyNumber: numberOf('busy-number', 0),
    throttleSeconds: (() => {
      const fault = take('throttle')
      return fault === undefined ? undefined : (fault.value ?? '1')
    })(),
    page: isDue('html-502') ? 502 : isDue('html-200') ? 200 : isDue('too-large') ? 413 : status,
    hec: take('hec')?.value,
    slowDown: isDue('slow-down'),
    slowMs: numberOf('slow', 1000) ?? 0,
    lose: numberOf('lose', Number.POSITIVE_INFINITY),
    duplicate: numberOf('duplicate', Number.POSITIVE_INFINITY),
    indexDelayMs: Number(plan.standing('splunk', 'index-delay', post)?.value ?? 0),
    ackNever: plan.standing('splunk', 'ack-never', post) !== undefined,
  }
}

/** Ids that are refused, with the code, for as long as the fault stands. */
export function poisonOf(plan: FaultPlan, post: number): ReadonlyMap<string, number> {
  const poison = new Map<string, number>()
  for (const fault of plan.list()) {
    if (fault.service !== 'splunk' || fault.kind !== 'poison' || post < fault.from) continue
    const [id = '', code = '6'] = (fault.value ?? '').split('/')
    poison.set(id, Number(code))
  }
  return poison
}

/** Answers in place of the server, nothing stored; true when it did. */
export function faultBefore(
  exchange: Exchange,
  faults: PostFaults,
  parts: { die(ms: number): void },
): boolean {
  if (faults.dieMs !== undefined) {
    exchange.reset()
    parts.die(faults.dieMs)
  } else if (faults.resetBefore) exchange.reset()
  else if (faults.busy) replyCode(exchange, 9)
  else if (faults.throttleSeconds !== undefined) {
    replyCode(exchange, 26, {}, { 'retry-after': faults.throttleSeconds })
  } else if (faults.page !== undefined) replyPage(exchange, faults.page)
  else if (faults.hec !== undefined) {
    const [status = 500, code = 8, number] = faults.hec.split('/').map(Number)
    replyCode(exchange, code, number === undefined ? {} : { 'invalid-event-number': number }, {}, status)
  } else return false
  return true
}

/** Spoils the answer after events were stored; true when it did. */
export function faultAfter(exchange: Exchange, faults: PostFaults): boolean {
  if (faults.resetAfter) exchange.reset()
  else if (faults.resetMid) {
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': 27 })
    exchange.response.write('{"text":"Suc', () => exchange.reset())
  } else if (faults.errorAfter) replyCode(exchange, 8)
  else if (faults.busyNumber !== undefined) {
    replyCode(exchange, 9, { 'invalid-event-number': faults.busyNumber })
  } else return false
  return true
}
