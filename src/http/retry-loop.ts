import { RateLimitError, type RemoteDetails, UnavailableError } from '../core/errors.ts'
import type { HttpReply, RetryPolicy, StreamReply } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import { isoTime } from '../core/time-range.ts'
import { type Asked, attemptsFor, type FailureCode, failureError } from './failure.ts'
import { type RateLimiter, slowDownMs } from './rate-limit.ts'
import { excerptOf } from './reply.ts'
import { retryDelay } from './retry-delay.ts'

/** No answer, and why. */
export type Failed = {
  readonly kind: 'failed'
  readonly code: FailureCode
  readonly hasStarted: boolean
  readonly cause: unknown
}

export type RetryParts = {
  readonly clock: Clock
  readonly log: Log
  readonly asked: Asked
  readonly limiter: RateLimiter
  readonly signal: AbortSignal
  readonly maxAttempts: number
  readonly maxWaitMs: number
  readonly contact: { readonly hasAnswered: boolean }
}

/**
 * The one retry loop: attempts until there is an answer that is not worth another.
 * @throws RateLimitError, UnavailableError or ContractError when the attempts or the patience end; the signal's reason when aborted
 */
export async function untilAnswered<T extends StreamReply | HttpReply>(
  parts: RetryParts,
  policy: RetryPolicy,
  attemptOnce: (attempt: number) => Promise<T | HttpReply | Failed>,
): Promise<T | HttpReply> {
  const { clock, log, asked, limiter, signal } = parts
  const maxAttempts = Math.max(1, policy.maxAttempts ?? parts.maxAttempts)
  let waitedMs = 0
  for (let attempt = 1; ; attempt += 1) {
    const answer = await attemptOnce(attempt)
    if (isFailed(answer)) {
      signal.throwIfAborted()
    } else if (
      !('bytes' in answer) ||
      !isWorthRetrying(answer.status) ||
      policy.neverRetry?.includes(answer.status)
    ) {
      return answer
    }
    const retryAfterMs = isFailed(answer) ? undefined : slowDownMs(answer, clock.now())
    const delay = retryDelay(
      attempt,
      { retryAfterMs },
      {
        maxAttempts: isFailed(answer)
          ? attemptsFor(answer.code, parts.contact.hasAnswered, maxAttempts)
          : maxAttempts,
        maxWaitMs: parts.maxWaitMs,
        waitedMs,
        random: clock.random(),
      },
    )
    if (delay === undefined) {
      throw isFailed(answer)
        ? failureError(answer.code, answer.cause, asked, attempt)
        : refusal(answer, asked, attempt, retryAfterMs, clock)
    }
    const reason = isFailed(answer) ? answer.code : String(answer.status)
    log.info(`${asked.service}: ${reason}, trying again in ${Math.ceil(delay / 1000)} s`, {
      service: asked.service,
      operation: asked.operation,
      attempt,
      delayMs: delay,
      reason,
    })
    if (reason === '429') limiter.pause(delay)
    waitedMs += delay
    await clock.sleep(delay, signal)
  }
}

export function isFailed(answer: object): answer is Failed {
  return 'kind' in answer && answer.kind === 'failed'
}

/** 501 and 505 will never be anything else. */
function isWorthRetrying(status: number): boolean {
  return (
    status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505)
  )
}

/** The error for answers that said "later" until the budget was spent. */
function refusal(
  reply: HttpReply,
  asked: Asked,
  attempts: number,
  retryAfterMs: number | undefined,
  clock: Clock,
): RateLimitError | UnavailableError {
  const { status, requestId } = reply
  const { service, operation } = asked
  const seen = [
    String(status),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
    ...(attempts === 1 ? [] : [`${attempts} attempts`]),
  ]
  const details: RemoteDetails = {
    service,
    operation,
    status,
    requestId,
    attempts,
    retryAfterMs,
    hint:
      retryAfterMs === undefined
        ? `try again later; check ${asked.origin} with auditctl doctor`
        : `it may work again at ${isoTime(clock.now() + retryAfterMs)}`,
  }
  const what = status === 429 ? 'allows no more requests for now' : 'is not available'
  const words = excerptOf(reply)
  const message = `Could not ${operation}: ${service} ${what} (${seen.join(', ')})${words === '' ? '' : `: ${words}`}`
  return status === 429 ? new RateLimitError(message, details) : new UnavailableError(message, details)
}
