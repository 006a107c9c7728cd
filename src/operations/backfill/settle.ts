import { formatDuration } from '../../core/duration.ts'
import type { RangeState, SpoolRange } from '../../state/ledger.ts'
import type { Engine } from './deliver.ts'
import { lookUp } from './look-up.ts'

const UNSETTLED: ReadonlySet<RangeState> = new Set(['sending', 'unknown', 'unverified'])
const FIRST_LOOK_MS = 1000
const MAX_LOOK_MS = 30_000

/** Stretches that were sent and of which nobody knows whether they were stored. */
export function unsettled(engine: Engine): readonly SpoolRange[] {
  return engine.work.parts.ledger.ranges(engine.work.run.id).filter(({ state }) => UNSETTLED.has(state))
}

/**
 * Settles unknown batches through the inventory: what it holds is delivered; what it still lacks when the grace after sending has passed
 * is to be sent again. Looks early and often, since what is found needs no waiting.
 * @throws the inventory's errors; what was not settled stays unknown
 */
export async function settleUnknown(engine: Engine): Promise<void> {
  const { clock, signal, destination, log } = engine.work.parts
  const { graceMs } = destination.traits
  for (let wait = FIRST_LOOK_MS, told = false; ; wait = Math.min(wait * 2, MAX_LOOK_MS)) {
    const open = unsettled(engine)
    if (open.length === 0) return
    if (!told)
      log.info(
        `${count(open)} events were sent with an unknown outcome: looking for them in the inventory (at most ${formatDuration(graceMs)} after sending)`,
      )
    told = true
    const now = clock.now()
    const looked = await lookUp(engine.work, open)
    const pieces: SpoolRange[] = []
    for (const range of open) {
      const isDue = now >= (range.sentAt ?? 0) + graceMs
      for (const piece of looked) {
        if (piece.first < range.first || piece.first >= range.first + range.count) continue
        const state: RangeState = piece.isHeld ? 'delivered' : isDue ? 'retry' : 'unknown'
        const { isHeld: _, ...stretch } = piece
        pieces.push({ ...range, ...stretch, state })
      }
    }
    commitRuns(engine, open, pieces)
    const left = unsettled(engine)
    if (left.length === 0) return
    const due = Math.min(...left.map((range) => (range.sentAt ?? 0) + graceMs))
    await clock.sleep(Math.max(1, Math.min(wait, due - clock.now())), signal)
  }
}

/** Without an inventory an unknown outcome of an earlier process can only be sent again, as a possible duplicate. */
export function resendUnknown(engine: Engine): void {
  const open = unsettled(engine)
  for (const range of open) {
    const { duplicatesPossible } = engine.counters
    engine.commit([{ ...range, state: 'retry' }], {
      ...engine.counters,
      duplicatesPossible: duplicatesPossible + range.count,
    })
  }
}

/** Each old stretch is replaced by its pieces in one transaction of its own. */
function commitRuns(engine: Engine, open: readonly SpoolRange[], pieces: readonly SpoolRange[]): void {
  for (const range of open) {
    const own = pieces.filter(
      (piece) => piece.first >= range.first && piece.first < range.first + range.count,
    )
    if (own.length > 0) engine.commit(own)
  }
}

function count(ranges: readonly SpoolRange[]): number {
  return ranges.reduce((sum, range) => sum + range.count, 0)
}
