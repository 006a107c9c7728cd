import { formatDuration } from '../../core/duration.ts'
import type { RangeState, SpoolRange } from '../../state/run-record.ts'
import type { Engine } from './engine.ts'
import { lateReason } from './late.ts'
import { type LookedUp, lookUp } from './look-up.ts'
import { spooledEvents } from './spooled-events.ts'
import { countOf } from './stretches.ts'
import { nextLook } from './verify.ts'

const UNSETTLED: ReadonlySet<RangeState> = new Set(['sending', 'unknown', 'unverified'])

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
  const { clock, signal, destination, log, observe } = engine.work.parts
  const { graceMs } = destination.traits
  for (let looks = 0; ; looks += 1) {
    const open = unsettled(engine)
    if (open.length === 0) return
    const left = countOf(open)
    if (looks === 0)
      log.info(
        `${left.toLocaleString('en-US')} events were sent with an unknown outcome: looking for them in the inventory (at most ${formatDuration(graceMs)} after sending)`,
      )
    observe?.({ phase: 'settle', done: 0, events: left, total: left })
    const now = clock.now()
    const looked = await lookUp(engine.work, open)
    let due = Number.POSITIVE_INFINITY
    let next = 0
    for (const range of open) {
      const dueAt = (range.sentAt ?? 0) + graceMs
      const pieces: SpoolRange[] = []
      for (; belongs(looked[next], range); next += 1) {
        const { isHeld, ...stretch } = looked[next] as LookedUp
        const state: RangeState = isHeld ? 'delivered' : now >= dueAt ? 'retry' : 'unknown'
        if (state === 'unknown') due = Math.min(due, dueAt)
        pieces.push({ ...range, ...stretch, state })
      }
      if (pieces.every(({ state }) => state === range.state)) continue
      const { lost, restamped } = lossesOf(engine, pieces)
      engine.commit(pieces, { restamped }, lost)
    }
    if (due === Number.POSITIVE_INFINITY) return
    await clock.sleep(Math.max(1, Math.min(nextLook(looks), due - clock.now())), signal)
  }
}

/** What the far side now turns out to hold without its own time, or without a field that could not be rebuilt. */
function lossesOf(
  { work, encodeOptions }: Engine,
  pieces: readonly SpoolRange[],
): { readonly lost: ReadonlyMap<string, number>; readonly restamped: number } {
  const { source, destination } = work.parts
  const lost = new Map<string, number>()
  let restamped = 0
  for (const piece of pieces) {
    if (piece.state !== 'delivered') continue
    for (const { event } of spooledEvents(work.spool, source.shape, piece)) {
      const late = lateReason(destination.traits.accepts, event.occurredAtMs, piece.sentAt ?? 0)
      if (late !== undefined && encodeOptions.late === 'restamp') restamped += 1
      for (const field of source.shape.asStreamed(event, source.streamedSettings).notRebuilt)
        lost.set(field, (lost.get(field) ?? 0) + 1)
    }
  }
  return { lost, restamped }
}

function belongs(piece: LookedUp | undefined, range: SpoolRange): boolean {
  return piece !== undefined && piece.first >= range.first && piece.first < range.first + range.count
}

/** Without an inventory an unknown outcome of an earlier process can only be sent again, as a possible duplicate. */
export function resendUnknown(engine: Engine): void {
  for (const range of unsettled(engine))
    engine.commit([{ ...range, state: 'retry' }], { duplicatesPossible: range.count })
}
