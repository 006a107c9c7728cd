import { SECOND_MS } from '../core/time-range.ts'

/** What the far side said about coming back; empty when it said nothing, or never answered. */
export type SlowDown = { readonly retryAfterMs?: number | undefined }

export type RetryBudget = {
  readonly maxAttempts: number
  /** The longest wait it may ask for, and the longest that all waits of one request may add up to. */
  readonly maxWaitMs: number
  /** Waited between earlier attempts of the same request. */
  readonly waitedMs: number
  /** In `[0, 1)`. */
  readonly random: number
}

const BASE_MS = SECOND_MS
const CAP_MS = 60 * SECOND_MS

/**
 * Wait before the next attempt, in milliseconds; `undefined` means give up.
 * A `Retry-After` is obeyed to the letter, one longer than `maxWaitMs` gives up: better to stop and say so than to sleep for hours.
 * Otherwise full jitter below a doubling bound, so that workers that failed together do not come back together.
 * @param attempt the one that just failed, from 1
 * @throws RangeError if `attempt` is below 1
 * @source RFC 9110, section 10.2.3
 */
export function retryDelay(attempt: number, reply: SlowDown, budget: RetryBudget): number | undefined {
  if (!(attempt >= 1)) throw new RangeError(`attempt ${attempt} is below 1`)
  if (attempt >= budget.maxAttempts) return undefined
  const asked = reply.retryAfterMs
  // "Come back in 0 seconds" says nothing about how long the trouble lasts; obeying it would spend all attempts at once.
  const delay =
    asked !== undefined && asked > 0
      ? asked
      : Math.floor(budget.random * Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1)))
  return budget.waitedMs + delay > budget.maxWaitMs ? undefined : delay
}

/**
 * A `Retry-After` header in milliseconds from now: seconds, or a date, which is measured against the answer's own `Date` where there is one.
 * A moment in the past is 0; anything unreadable is undefined.
 */
export function retryAfterMs(
  value: string | undefined,
  options: { readonly nowMs: number; readonly date?: string | undefined },
): number | undefined {
  const text = value?.trim() ?? ''
  if (/^[+-]?\d+(?:\.\d+)?$/.test(text)) return Math.max(0, Math.ceil(Number(text) * SECOND_MS))
  const at = httpDate(text)
  if (at === undefined) return undefined
  return Math.max(0, at - (httpDate(options.date ?? '') ?? options.nowMs))
}

/** Any of the three spellings of an HTTP date; undefined for anything else. @source RFC 9110, section 5.6.7 */
export function httpDate(text: string): number | undefined {
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined
  const ms = Date.parse(/GMT$/.test(text) ? text : `${text} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
