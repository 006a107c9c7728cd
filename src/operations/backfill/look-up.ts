import { MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { joined } from '../../state/proven.ts'
import { HeldIds, type HeldParts } from '../held-ids.ts'
import { spooledEvents } from './spooled-events.ts'
import type { Stretch } from './stretches.ts'
import type { SpooledEvent, Work } from './types.ts'

/** A stretch of the spool that the inventory holds whole, or not at all. */
export type LookedUp = Stretch & { readonly isHeld: boolean }

/** Events that lie closer than this are asked for in one question. */
const NEAR_MS = 10 * MINUTE_MS
/** More windows than this cost more searches than the rows between them. */
const MAX_WINDOWS = 24

/**
 * Asks the inventory for the events of these stretches (ascending), and cuts them into runs of held and absent ones.
 * @throws IncompleteError when the inventory could not be shown complete: nothing is concluded then
 */
export async function lookUp(work: Work, stretches: readonly Stretch[]): Promise<readonly LookedUp[]> {
  const { live, log, signal, source } = work.parts
  if (live === undefined) throw new TypeError('there is no inventory to look into')
  const parts: HeldParts = { inventory: live, log, signal }
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
      const isHeld = held.holdsPieceOf(spooled.event)
        ? held.hasNow(spooled.event)
        : await held.has(spooled.event)
      add(found, spooled, isHeld, stretch.first)
    }
  }
  return found
}

/** The times of the events, near ones joined; wider where they are scattered, since each window costs a search. */
function windowsOf(work: Work, stretches: readonly Stretch[]): readonly TimeRange[] {
  let windows: TimeRange[] = []
  let nearMs = NEAR_MS
  const { spool, parts } = work
  for (const stretch of stretches) {
    for (const { event } of spooledEvents(spool, parts.source.shape, stretch)) {
      const at = event.occurredAtMs
      const last = windows.at(-1)
      if (last !== undefined && at >= last.from && at < last.to + nearMs)
        windows[windows.length - 1] = { from: last.from, to: Math.max(last.to, at + 1) }
      else windows.push({ from: at, to: at + 1 })
    }
    while (windows.length > MAX_WINDOWS) {
      nearMs *= 4
      windows = nearJoined(windows, nearMs)
    }
  }
  return nearJoined(windows, nearMs)
}

function nearJoined(windows: readonly TimeRange[], nearMs: number): TimeRange[] {
  const widened = windows.map(({ from, to }) => ({ from, to: to + nearMs }))
  return joined(widened).map(({ from, to }) => ({ from, to: to - nearMs }))
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
