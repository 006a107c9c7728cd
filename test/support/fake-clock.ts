import type { Clock } from '../../src/core/runtime.ts'
import type { EpochMs } from '../../src/core/time-range.ts'

/** A clock whose sleeps end at once, in the order of their ends, each moving the time to its end. */
export type FakeClock = Clock & {
  /** Every sleep asked for, in milliseconds and in order. */
  readonly slept: readonly number[]
  /** Moves the time without a sleep. */
  advance(ms: number): void
}

export const FAKE_START: EpochMs = Date.parse('2026-11-20T12:00:00.000Z')

type Sleeper = { readonly until: number; readonly wake: () => void }

/**
 * Sleeps take one turn of the event loop each, so that sockets go on working between them; several at once overlap as real ones do.
 * `random` gives the same row of numbers for the same seed.
 */
export function fakeClock(startMs: EpochMs = FAKE_START, seed = 1): FakeClock {
  let elapsed = 0
  let state = seed >>> 0
  let isPumping = false
  const slept: number[] = []
  const sleepers = new Set<Sleeper>()

  const pump = () => {
    let next: Sleeper | undefined
    for (const sleeper of sleepers) if (next === undefined || sleeper.until < next.until) next = sleeper
    if (next !== undefined) {
      sleepers.delete(next)
      elapsed = Math.max(elapsed, next.until)
      next.wake()
    }
    isPumping = sleepers.size > 0
    if (isPumping) setImmediate(pump)
  }

  return {
    slept,
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    advance: (ms) => {
      elapsed += ms
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        slept.push(ms)
        const onAbort = () => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper: Sleeper = {
          until: elapsed + Math.max(0, ms),
          wake: () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        signal?.addEventListener('abort', onAbort, { once: true })
        sleepers.add(sleeper)
        if (!isPumping) {
          isPumping = true
          setImmediate(pump)
        }
      }),
    // mulberry32
    random: () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
