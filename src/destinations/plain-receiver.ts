import type { Check } from '../core/check.ts'
import type { Receipt } from '../core/destination.ts'
import { RemoteError } from '../core/errors.ts'
import { type HttpFailure, type HttpReply, type HttpService, isFailure } from '../core/http.ts'
import type { Clock } from '../core/runtime.ts'
import { redact } from '../core/secret.ts'
import { isoTime, SECOND_MS } from '../core/time-range.ts'
import { wholeBatch } from './envelope.ts'
import { excerpt, type Judged, judgeFailure, judgeStatus, quotaSpent, refusedConfig } from './judge.ts'

/** How long the live stream waits for an answer to a batch, and to a single event. */
export const LIVE_TIMEOUTS_MS = { batch: 30 * SECOND_MS, single: 5 * SECOND_MS } as const

/** What a proxy, a login page or a parked domain says in the place of a receiver, often with status 200. */
const PAGE = /^\s*(?:\ufeff)?<(?:!doctype\s+html|html|head|body)\b/i

/**
 * An answer of a receiver that has nothing to say but its status: any 2xx is a yes, unless a web page came with it. Statuses that the common
 * judgement does not tell apart are told apart here: 402, 406, 409, 501 and 505.
 */
export function judgePlain(answer: HttpReply | HttpFailure, count: number, judged: Judged): Receipt {
  if (isFailure(answer)) {
    const receipt = judgeFailure(answer, count)
    // A certificate that is not trusted now will not be trusted in a minute.
    return answer.code === 'tls' && answer.error instanceof RemoteError
      ? { ...receipt, stop: answer.error }
      : receipt
  }
  const { status } = answer
  const code = `http-${status}`
  if (status >= 200 && status < 300) {
    if (isPage(answer)) {
      const reason = `${judged.service} answered ${status} with a web page: something in between may have answered`
      return { unknown: wholeBatch(count), code: 'web-page', reason }
    }
    return { accepted: wholeBatch(count), code, reason: `answered ${status}` }
  }
  const receipt = judgeStatus(answer, count, judged)
  const { retryAfterMs: _, ...said } = receipt
  switch (status) {
    case 402:
      return { ...said, stop: quotaSpent(answer, said.reason, judged, 'a quota or a plan is used up there') }
    case 406:
    case 501:
    case 505:
      return { ...said, stop: refusedConfig(answer, said.reason, judged) }
    case 409:
      return { split: wholeBatch(count), code, reason: said.reason }
    default:
      return receipt
  }
}

/** Something in between has answered, whatever its status. */
export function isPage(reply: Pick<HttpReply, 'bytes'>): boolean {
  const { buffer, byteOffset, length } = reply.bytes
  return PAGE.test(Buffer.from(buffer, byteOffset, Math.min(length, 256)).toString('utf8'))
}

export const PAGE_HINT =
  'a web page answered: a proxy or a login page stands in between, or the url leads elsewhere'

/** Asks with HEAD, which no receiver takes for an event: proves the address, and a refusal of the credentials where the receiver looks at them first. */
export async function checkReach(check: {
  readonly service: HttpService
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly authHint: string
  readonly configHint: string
}): Promise<Check> {
  const name = 'receiver is reachable'
  const answer = await check.service.attempt({
    method: 'HEAD',
    path: check.path,
    headers: check.headers,
    operation: 'reach the receiver',
    signal: check.signal,
  })
  if (isFailure(answer)) return unreachable(name, answer)
  const { status } = answer
  const message = `answered ${status} to a request without a body`
  if (status === 401 || status === 403 || status === 407) {
    return { check: name, state: 'failure', message, hint: check.authHint, refused: true }
  }
  if ((status >= 300 && status < 400) || status === 404 || status === 410) {
    // Some frameworks answer so for every method but the one they know.
    return { check: name, state: 'warning', message, hint: check.configHint }
  }
  if (status >= 500) {
    return { check: name, state: 'warning', message, hint: 'the receiver has trouble of its own' }
  }
  if (status < 300 && /^text\/html\b/i.test(answer.headers['content-type'] ?? '')) {
    return { check: name, state: 'warning', message: `${message}, as a web page does`, hint: PAGE_HINT }
  }
  return { check: name, state: 'ok', message }
}

export const UNPROVED: Check = {
  check: 'not proved',
  state: 'ok',
  message: 'no event was sent, so whether the receiver takes and keeps events is open',
  hint: 'send one marked event with auditctl stream test --send',
}

export type Canary = { readonly id: string; readonly atMs: number; readonly event: Uint8Array }

/** An event that says of itself that it is a test. */
export function canaryOf(clock: Clock): Canary {
  const atMs = clock.now()
  const id = `auditctl-canary-${atMs}-${Math.floor(clock.random() * 1e9)}`
  const sentAt = isoTime(atMs)
  const event = { id, createdAt: sentAt, auditctl: { canary: true, sentAt } }
  return { id, atMs, event: Buffer.from(JSON.stringify(event)) }
}

/** Sends the canary with the stream's own `deliver` and tells what came of it. */
export async function checkCanary(
  canary: Canary,
  deliver: (encoded: readonly Uint8Array[], ids: readonly string[]) => Promise<Receipt>,
  encoded: Uint8Array,
): Promise<Check> {
  const name = 'an event is accepted'
  const receipt = await deliver([encoded], [canary.id])
  if (receipt.accepted !== undefined) {
    const message = `the canary ${canary.id} was accepted (${receipt.reason}); that it was kept is for the far side to show`
    return { check: name, state: 'ok', message }
  }
  const refused = receipt.stop?.exitCode === 5 ? { refused: true as const } : {}
  const hint = receipt.stop?.hint ?? 'see auditctl stream guide for what the receiver must take'
  return { check: name, state: 'failure', message: receipt.reason, hint, ...refused }
}

export function unreachable(check: string, failure: HttpFailure): Check {
  return {
    check,
    state: 'failure',
    message: redact(failure.error.message),
    hint: 'check host, port and certificate of the url (a private certificate authority goes into tls.caFile)',
  }
}

export function answered(reply: HttpReply): string {
  return `answered ${reply.status}${excerpt(reply)}`
}
