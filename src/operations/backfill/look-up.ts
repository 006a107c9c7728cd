import { MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { joined } from '../../state/proven.ts'
import { HeldIds, type HeldParts } from '../held-ids.ts'
import { spooledEvents } from './spooled-events.ts'
import type { Stretch } from './stretches.ts'
import type { SpooledEvent, Work } from './types.ts'

/** A stretch of the spool that the inventory holds whole, or not at all. */
export type LookedUp = Stretch & { readonly isHeld: boolean }

/** Stretches whose times lie closer than this are asked for in one question. */
const NEAR_MS = 10 * MINUTE_MS

/**
 * Asks the inventory for the events of these stretches (ascending), and cuts them into runs of held and absent ones.
 * @throws IncompleteError when the inventory could not be shown complete: nothing is concluded then
 */
export async function lookUp(work: Work, stretches: readonly Stretch[]): Promise<readonly LookedUp[]> {
  const { inventory, log, signal, source } = work.parts
  if (inventory === undefined) throw new TypeError('there is no inventory to look into')
  const parts: HeldParts = { inventory, log, signal }
  const windows = windowsOf(work, stretches)
  const found: LookedUp[] = []
  let next = 0
  let held: HeldIds | undefined
  for (const stretch of stretches) {
    for (const spooled of spooledEvents(work.spool, source.shape, stretch)) {
      const window = windows[next - 1]
      if (held === undefined || window === undefined || spooled.event.occurredAtMs >= window.to) {
        const following = windows[next]
        if (following === undefined) throw new TypeError('an event lies outside the windows made from it')
        held = await HeldIds.over(parts, following)
        next += 1
      }
      add(found, spooled, await held.has(spooled.event), stretch.first)
    }
  }
  return found
}

/** The times of the stretches, near ones joined. */
function windowsOf(work: Work, stretches: readonly Stretch[]): readonly TimeRange[] {
  const windows: TimeRange[] = []
  for (const stretch of stretches) {
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const { event } of spooledEvents(work.spool, work.parts.source.shape, stretch)) {
      from = Math.min(from, event.occurredAtMs)
      to = Math.max(to, event.occurredAtMs + 1)
    }
    if (to > from) windows.push({ from, to: to + NEAR_MS })
  }
  return joined(windows).map(({ from, to }) => ({ from, to: to - NEAR_MS }))
}

function add(
  found: LookedUp[],
  { position, spoolFrom, spoolTo }: SpooledEvent,
  isHeld: boolean,
  stretchFirst: number,
): void {
  const last = found.at(-1)
  // Runs end where a stretch ends: each answers for one stretch alone.
  const isSame = last !== undefined && last.first >= stretchFirst && last.isHeld === isHeld
  if (isSame && last.first + last.count === position) {
    found[found.length - 1] = { ...last, count: last.count + 1, spoolTo }
  } else found.push({ first: position, count: 1, spoolFrom, spoolTo, isHeld })
}
