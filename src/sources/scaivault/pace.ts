import type { Clock } from '../../core/runtime.ts'
import { MINUTE_MS } from '../../core/time-range.ts'

/** Of the managed service, for each identity. @source https://www.scailabs.ai/en/docs/scaivault/advanced/rate-limiting */
export const QUERIES_A_MINUTE = 50

/**
 * At most so many turns in any minute, and none later than that needs: the first ones come at once. The service itself counts with a
 * bucket that fills up continuously, which is never empty at this pace.
 */
export function minutePace(clock: Clock, turns: number): (signal: AbortSignal) => Promise<void> {
  const taken: number[] = []
  return async (signal) => {
    const now = clock.monotonic()
    const oldest = taken.length < turns ? undefined : taken.shift()
    const at = oldest === undefined ? now : Math.max(now, oldest + MINUTE_MS)
    taken.push(at)
    if (at > now) await clock.sleep(at - now, signal)
  }
}
