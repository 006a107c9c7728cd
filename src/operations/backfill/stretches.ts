import type { RangeState, SpoolRange } from '../../state/ledger.ts'

/** A part of the spool by positions and bytes. */
export type Stretch = {
  readonly first: number
  readonly count: number
  readonly spoolFrom: number
  readonly spoolTo: number
}

/** States in which an event still has to be sent; a stretch that no row names was not reached and has to be sent too. */
const TO_SEND: ReadonlySet<RangeState> = new Set(['retry'])

/** What is left to send, in the order of the spool, neighbours joined. */
export function stretchesToSend(
  ranges: readonly SpoolRange[],
  spool: { readonly events: number; readonly bytes: number },
): readonly Stretch[] {
  const left: Stretch[] = []
  let [position, offset] = [0, 0]
  const add = (piece: Stretch): void => {
    if (piece.count <= 0) return
    const last = left.at(-1)
    if (last !== undefined && last.first + last.count === piece.first) {
      left[left.length - 1] = { ...last, count: last.count + piece.count, spoolTo: piece.spoolTo }
    } else left.push(piece)
  }
  for (const range of ranges) {
    add({ first: position, count: range.first - position, spoolFrom: offset, spoolTo: range.spoolFrom })
    if (TO_SEND.has(range.state)) add(range)
    position = range.first + range.count
    offset = range.spoolTo
  }
  add({ first: position, count: spool.events - position, spoolFrom: offset, spoolTo: spool.bytes })
  return left.map(({ first, count, spoolFrom, spoolTo }) => ({ first, count, spoolFrom, spoolTo }))
}
