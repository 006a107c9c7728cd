import type { SpoolRange } from '../../state/run-record.ts'

/** A part of the spool by positions and bytes. */
export type Stretch = {
  readonly first: number
  readonly count: number
  readonly spoolFrom: number
  readonly spoolTo: number
}

/** What is left to send, in the order of the spool, neighbours joined: what no row names, and what is known not to be stored. */
export function stretchesToSend(
  ranges: readonly SpoolRange[],
  spool: { readonly events: number; readonly bytes: number },
): readonly Stretch[] {
  const left: Stretch[] = []
  let [position, offset] = [0, 0]
  const add = ({ first, count, spoolFrom, spoolTo }: Stretch): void => {
    if (count <= 0) return
    const last = left.at(-1)
    if (last !== undefined && last.first + last.count === first) {
      left[left.length - 1] = { ...last, count: last.count + count, spoolTo }
    } else left.push({ first, count, spoolFrom, spoolTo })
  }
  for (const range of ranges) {
    add({ first: position, count: range.first - position, spoolFrom: offset, spoolTo: range.spoolFrom })
    if (range.state === 'retry') add(range)
    position = range.first + range.count
    offset = range.spoolTo
  }
  add({ first: position, count: spool.events - position, spoolFrom: offset, spoolTo: spool.bytes })
  return left
}

/** The position behind the first `most` events of the stretches. */
export function boundOf(stretches: readonly Stretch[], most: number | undefined): number {
  let left = most ?? Number.POSITIVE_INFINITY
  for (const { first, count } of stretches) {
    if (left < count) return first + left
    left -= count
  }
  return Number.POSITIVE_INFINITY
}

export function countOf(stretches: readonly { readonly count: number }[]): number {
  return stretches.reduce((sum, { count }) => sum + count, 0)
}

/** How many events of the stretches lie before the position. */
export function countBefore(stretches: readonly Stretch[], before: number): number {
  return stretches.reduce((sum, { first, count }) => sum + Math.max(0, Math.min(count, before - first)), 0)
}
