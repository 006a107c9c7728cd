import type { Clock } from '../core/runtime.ts'

/** Shorter ones are exact. */
const LEAST_SHARED_MS = 1000

/**
 * Signals that abort after so many milliseconds. Each costs a timer that nobody can clear and a place on the collector's lists, so those who
 * ask within a hundredth of the time share one, and get up to that hundredth more.
 */
export function totalTimeouts(clock: Pick<Clock, 'monotonic'>): (timeoutMs: number) => AbortSignal {
  let last:
    | { readonly signal: AbortSignal; readonly timeoutMs: number; readonly madeAtMs: number }
    | undefined
  return (timeoutMs) => {
    if (timeoutMs < LEAST_SHARED_MS) return AbortSignal.timeout(timeoutMs)
    const now = clock.monotonic()
    const moreMs = timeoutMs / 100
    if (last?.timeoutMs === timeoutMs && now - last.madeAtMs < moreMs) return last.signal
    last = { signal: AbortSignal.timeout(Math.ceil(timeoutMs + moreMs)), timeoutMs, madeAtMs: now }
    return last.signal
  }
}
