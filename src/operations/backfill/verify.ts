import { formatDuration } from '../../core/duration.ts'
import type { Engine } from './engine.ts'
import { lookUp } from './look-up.ts'
import { countOf, type Stretch } from './stretches.ts'

const FIRST_LOOK_MS = 1000
const MAX_LOOK_MS = 30_000

/** How long to wait after so many looks that did not find everything. */
export function nextLook(looks: number): number {
  return Math.min(MAX_LOOK_MS, FIRST_LOOK_MS * 2 ** Math.min(looks, 10))
}

/**
 * Looks until the inventory holds every event of the stretches or the grace has passed since `since`; gives what it still lacks.
 * @throws the inventory's errors
 */
export async function awaitHeld(
  engine: Engine,
  stretches: readonly Stretch[],
  since: number,
): Promise<readonly Stretch[]> {
  const { clock, signal, destination, log, observe } = engine.work.parts
  const { graceMs } = destination.traits
  const total = countOf(stretches)
  let missing = stretches
  for (let looks = 0; missing.length > 0; looks += 1) {
    // Taken before looking: only a look that begins after the grace may conclude.
    const rest = since + graceMs - clock.now()
    missing = (await lookUp(engine.work, missing)).filter(({ isHeld }) => !isHeld)
    const left = countOf(missing)
    observe?.({ phase: 'verify', done: 0, events: left, total })
    if (left === 0 || rest <= 0) break
    log.debug(`${left} events are not searchable yet; looking again for at most ${formatDuration(rest)}`)
    await clock.sleep(Math.max(1, Math.min(nextLook(looks), since + graceMs - clock.now())), signal)
  }
  return missing
}

/** `--verify`: how many of all events the run delivered the inventory still lacks. */
export async function verifyDelivered(engine: Engine): Promise<number> {
  const { ledger, clock } = engine.work.parts
  const delivered = ledger.ranges(engine.work.run.id).filter(({ state }) => state === 'delivered')
  const lastSent = delivered.reduce((latest, range) => Math.max(latest, range.sentAt ?? 0), 0)
  return countOf(await awaitHeld(engine, delivered, Math.min(lastSent, clock.now())))
}
