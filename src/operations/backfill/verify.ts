import { formatDuration } from '../../core/duration.ts'
import type { Engine } from './deliver.ts'
import { lookUp } from './look-up.ts'
import type { Stretch } from './stretches.ts'

const FIRST_LOOK_MS = 1000
const MAX_LOOK_MS = 30_000

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
  let missing = stretches
  for (let wait = FIRST_LOOK_MS; missing.length > 0; wait = Math.min(wait * 2, MAX_LOOK_MS)) {
    missing = (await lookUp(engine.work, missing)).filter(({ isHeld }) => !isHeld)
    const left = countOf(missing)
    if (left === 0) break
    observe?.({ phase: 'verify', done: 0, events: left, total: countOf(stretches) })
    const rest = since + graceMs - clock.now()
    if (rest <= 0) break
    log.debug(`${left} events are not searchable yet; looking again for at most ${formatDuration(rest)}`)
    await clock.sleep(Math.min(wait, rest), signal)
  }
  return missing
}

/** `--verify`: what of everything the run delivered the inventory still lacks. */
export async function verifyDelivered(engine: Engine): Promise<number> {
  const { ledger, clock } = engine.work.parts
  const delivered = ledger.ranges(engine.work.run.id).filter(({ state }) => state === 'delivered')
  const lastSent = delivered.reduce((latest, range) => Math.max(latest, range.sentAt ?? 0), 0)
  return countOf(await awaitHeld(engine, delivered, Math.min(lastSent, clock.now())))
}

export function countOf(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { count }) => sum + count, 0)
}
