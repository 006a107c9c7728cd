import type { Clock } from '../core/runtime.ts'
import { MINUTE_MS, SECOND_MS } from '../core/time-range.ts'
import { httpDate, retryAfterMs } from './retry-delay.ts'

type Headers = Readonly<Record<string, string>>

/** What an answer says about the server's window: how many requests are left in it, and when it ends. */
export type RateReading = { readonly remaining: number; readonly resetMs: number }

/** Permission to send one request; `done` is called exactly once, with the answer or with nothing when there was none. */
export type Permit = { done(reply?: { readonly status: number; readonly headers: Headers }): void }

/** The pace of all workers of the process towards one limit of one server. */
export type RateLimiter = {
  /** A permit at once, or the promise of one when the server's window is used up. @throws the signal's reason */
  take(signal: AbortSignal): Permit | Promise<Permit>
  /** Nobody sends for so long. */
  pause(ms: number): void
}

/** Servers round the seconds to the end of the window; two ends closer than this are the same end. */
const SAME_WINDOW_MS = 2 * SECOND_MS

/**
 * Obeys `x-ratelimit-*` without guessing: a request may start while the lowest `remaining` heard in this window exceeds the requests still
 * unanswered. After a window that was used up, one request goes first to learn the new one, so that a server whose clock differs answers
 * one 429 and not one per worker. Waits never exceed what the server asked; one that asks for more than `maxWaitMs` is asked again instead,
 * for its own words.
 */
export function rateLimiter(parts: {
  readonly clock: Clock
  readonly maxWaitMs: number
  readonly onWait?: (ms: number) => void
}): RateLimiter {
  const { clock } = parts
  let remaining: number | undefined
  let endsAt = 0
  let inFlight = 0
  let isProbing = false
  let announcedEnd = Number.NEGATIVE_INFINITY
  let changed = Promise.withResolvers<void>()

  const permit = (isProbe: boolean): Permit => {
    inFlight += 1
    if (isProbe) isProbing = true
    let isDone = false
    return {
      done(reply) {
        if (isDone) return
        isDone = true
        inFlight -= 1
        if (isProbe) isProbing = false
        if (reply !== undefined) hear(reply, isProbe)
        changed.resolve()
        changed = Promise.withResolvers()
      },
    }
  }

  const hear = (
    { status, headers }: { readonly status: number; readonly headers: Headers },
    isProbe: boolean,
  ) => {
    const now = clock.monotonic()
    const reading = rateReading(headers, clock.now())
    if (status === 429) {
      const asked = retryAfterMs(headers['retry-after'], { nowMs: clock.now(), date: headers['date'] })
      const wait = asked ?? reading?.resetMs
      if (wait !== undefined) limiter.pause(wait)
    } else if (reading !== undefined) {
      const ends = now + reading.resetMs
      const isNewWindow =
        remaining === undefined ||
        now >= endsAt ||
        (ends > endsAt + SAME_WINDOW_MS && reading.remaining > remaining)
      // An answer that ends clearly earlier was sent in a window that is over.
      const isNews = isNewWindow || (ends >= endsAt - SAME_WINDOW_MS && reading.remaining <= (remaining ?? 0))
      if (isNews) {
        remaining = reading.remaining
        endsAt = ends
      }
    } else if (isProbe) {
      remaining = undefined
    }
  }

  /** A permit, or what to wait for. */
  const tryTake = (): Permit | { readonly waitMs: number | undefined } => {
    if (remaining === undefined) return permit(false)
    const waitMs = endsAt - clock.monotonic()
    const isUsedUp = remaining - inFlight <= 0
    if (!isUsedUp && waitMs > 0) return permit(false)
    if (waitMs <= 0 || waitMs > parts.maxWaitMs) {
      if (isUsedUp) return isProbing ? { waitMs: undefined } : permit(true)
      remaining = undefined
      return permit(false)
    }
    // With some left but all of them in flight, an answer will tell.
    return { waitMs: remaining > 0 ? undefined : waitMs }
  }

  const wait = async (
    first: { readonly waitMs: number | undefined },
    signal: AbortSignal,
  ): Promise<Permit> => {
    let next: Permit | { readonly waitMs: number | undefined } = first
    while ('waitMs' in next) {
      if (next.waitMs === undefined) {
        await orAborted(changed.promise, signal)
      } else {
        if (endsAt > announcedEnd + SAME_WINDOW_MS) {
          announcedEnd = endsAt
          parts.onWait?.(next.waitMs)
        }
        await clock.sleep(next.waitMs, signal)
      }
      signal.throwIfAborted()
      next = tryTake()
    }
    return next
  }

  const limiter: RateLimiter = {
    take(signal) {
      signal.throwIfAborted()
      const taken = tryTake()
      return 'waitMs' in taken ? wait(taken, signal) : taken
    },
    pause(ms) {
      remaining = 0
      endsAt = Math.max(endsAt, clock.monotonic() + ms)
    },
  }
  return limiter
}

/** At most `rate` requests a second, evenly spread over all callers; resolves when the caller's turn has come. */
export function evenPace(clock: Clock, rate: number): (signal: AbortSignal) => Promise<void> {
  const gapMs = SECOND_MS / rate
  let nextAt = Number.NEGATIVE_INFINITY
  return async (signal) => {
    const now = clock.monotonic()
    const at = Math.max(now, nextAt)
    nextAt = at + gapMs
    if (at > now) await clock.sleep(at - now, signal)
  }
}

/**
 * Reads `x-ratelimit-remaining` and `-reset`, or their standard-to-be names without `x-`. The reset may be seconds from now, or an epoch
 * in seconds or milliseconds, which is measured against the answer's own `Date`.
 */
export function rateReading(headers: Headers, nowMs: number): RateReading | undefined {
  const left = headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining']
  const reset = headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']
  if (left === undefined || reset === undefined) return undefined
  const remaining = Number(left)
  const value = Number(reset)
  if (left === '' || reset === '' || !(remaining >= 0) || !(value >= 0)) return undefined
  if (value < 1e9) return { remaining, resetMs: value * SECOND_MS }
  const at = value < 1e11 ? value * SECOND_MS : value
  return { remaining, resetMs: Math.max(0, at - (httpDate(headers['date'] ?? '') ?? nowMs)) }
}

/** How long a refusing answer asks to wait, in whatever dialect: `Retry-After`, the window's reset, or words like "try again in 59 seconds". */
export function slowDownMs(
  reply: { readonly status: number; readonly headers: Headers; text(): string },
  nowMs: number,
): number | undefined {
  const asked = retryAfterMs(reply.headers['retry-after'], { nowMs, date: reply.headers['date'] })
  if (asked !== undefined || reply.status !== 429) return asked
  const reading = rateReading(reply.headers, nowMs)
  if (reading !== undefined) return reading.resetMs
  const [, amount, unit = ''] =
    /(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|milli|m|s)/i.exec(reply.text().slice(0, 2000)) ??
    []
  if (amount === undefined) return undefined
  const scale = /^m$/i.test(unit) ? MINUTE_MS : /^m/i.test(unit) ? 1 : SECOND_MS
  return Math.ceil(Number(amount) * scale)
}

/** @throws the signal's reason when it fires first */
function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
