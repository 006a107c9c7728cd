import type { Receipt } from '../core/destination.ts'
import { AuthError, RateLimitError, RemoteConfigError, type RemoteDetails } from '../core/errors.ts'
import type { HttpFailure, HttpReply } from '../core/http.ts'
import { redact } from '../core/secret.ts'
import type { EpochMs } from '../core/time-range.ts'
import { retryAfterMs } from '../http/retry-delay.ts'
import { wholeBatch } from './envelope.ts'

/** Who answered, for messages, and what to do about a refusal. */
export type Judged = {
  /** `Splunk HEC` */
  readonly service: string
  /** The stream's name, as configured. */
  readonly stream: string
  readonly now: EpochMs
  /** What to look at when the credentials are refused. */
  readonly authHint: string
  /** What to look at when the address or the settings are refused. */
  readonly configHint: string
}

type Verdict = 'retry' | 'split' | 'unknown' | 'auth' | 'config'

/** What an HTTP status means for a batch when the provider's own words do not say more. Contract, section 4, unknown outcomes. */
const VERDICTS: Readonly<Record<number, Verdict>> = {
  400: 'split',
  401: 'auth',
  403: 'auth',
  404: 'config',
  405: 'config',
  407: 'auth',
  408: 'unknown',
  410: 'config',
  413: 'split',
  415: 'config',
  422: 'split',
}

function verdictOf(status: number): Verdict {
  const verdict = VERDICTS[status]
  if (verdict !== undefined) return verdict
  // A redirect is never followed with credentials: the address is not the provider's.
  if (status >= 300 && status < 400) return 'config'
  return status >= 400 && status < 500 ? 'retry' : 'unknown'
}

/** No reply: nothing was stored when no byte of the body had left, and nobody knows otherwise. */
export function judgeFailure(failure: HttpFailure, count: number): Receipt {
  const reason = redact(failure.error.message)
  return failure.nothingSent
    ? { retry: wholeBatch(count), code: failure.code, reason }
    : { unknown: wholeBatch(count), code: failure.code, reason: `${reason} after the events were sent` }
}

/**
 * A reply judged by its status alone, for what the provider's own judgement leaves over. Never `accepted`: a 2xx that the provider does not
 * recognise as its own comes from something in between, and counts as unknown.
 */
export function judgeStatus(reply: HttpReply, count: number, judged: Judged): Receipt {
  const whole = wholeBatch(count)
  const code = `http-${reply.status}`
  const reason = `${judged.service} answered ${reply.status}${excerpt(reply)}`
  const wait = { retryAfterMs: retryAfterOf(reply, judged.now) }
  switch (verdictOf(reply.status)) {
    case 'split':
      return { split: whole, code, reason }
    case 'unknown':
      return { unknown: whole, code, reason, ...wait }
    case 'retry':
      return { retry: whole, code, reason, ...wait }
    case 'auth':
      return { retry: whole, code, reason, stop: refusedCredentials(reply, reason, judged) }
    case 'config':
      return { retry: whole, code, reason, stop: refusedConfig(reply, reason, judged) }
  }
}

export function refusedCredentials(reply: HttpReply, reason: string, judged: Judged): AuthError {
  return new AuthError(`stream ${judged.stream}: ${reason}`, detailsOf(reply, judged, judged.authHint))
}

export function refusedConfig(
  reply: HttpReply,
  reason: string,
  judged: Judged,
  hint?: string,
): RemoteConfigError {
  return new RemoteConfigError(
    `stream ${judged.stream}: ${reason}`,
    detailsOf(reply, judged, hint ?? judged.configHint),
  )
}

/** For providers that say that a quota is spent, as opposed to "slow down". */
export function quotaSpent(reply: HttpReply, reason: string, judged: Judged, hint: string): RateLimitError {
  return new RateLimitError(`stream ${judged.stream}: ${reason}`, detailsOf(reply, judged, hint))
}

function detailsOf(reply: HttpReply, judged: Judged, hint: string): RemoteDetails {
  return {
    hint,
    service: judged.service,
    operation: 'deliver events',
    status: reply.status,
    requestId: reply.requestId,
  }
}

/** `Retry-After` in milliseconds, in seconds or as a date; undefined without one that can be read. */
export function retryAfterOf(reply: Pick<HttpReply, 'headers'>, now: EpochMs): number | undefined {
  return retryAfterMs(reply.headers['retry-after'], { nowMs: now, date: reply.headers['date'] })
}

/** The beginning of what was answered, for messages: `: <html>…`; empty for an empty body. Secrets and control characters cut out. */
export function excerpt(reply: Pick<HttpReply, 'bytes'>, maxChars = 160): string {
  const text = Buffer.from(
    reply.bytes.buffer,
    reply.bytes.byteOffset,
    Math.min(reply.bytes.length, 4 * maxChars),
  )
    .toString('utf8')
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim()
  if (text === '') return ''
  return `: ${redact(text.length > maxChars ? `${text.slice(0, maxChars)}…` : text)}`
}
