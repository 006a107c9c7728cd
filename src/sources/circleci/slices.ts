import type { Order, Slice } from '../../core/source.ts'
import { HOUR_MS, type TimeRange } from '../../core/time-range.ts'
import { ceilHour, floorHour } from '../../storage/objects/hour-keys.ts'
import { type Hour, type Hours, hoursFor } from '../../storage/objects/hours.ts'

/** Files may stand an hour early: clocks differ. */
export const BEFORE_MS = HOUR_MS
/** What a slice's objects may hold together, as stored; an hour that holds more is cut in time. */
const SLICE_BYTES = 8 * 1024 * 1024
const MAX_SLICE_BYTES = 4 * SLICE_BYTES
/** However little is in them: a caller sees that it goes on. */
const MAX_SLICE_MS = 31 * 24 * HOUR_MS

/** What a slice is read from. */
export type SliceKey = { readonly hours: readonly Hour[] }

/**
 * Slices over the events' own time, whole hours where one is not too full, in the asked order. Each carries the objects that may hold its events:
 * those delivered from an hour before it to the slack after it.
 */
export async function* sliceHours(
  window: TimeRange,
  listed: Hours,
  options: { readonly order: Order; readonly slackMs: number; readonly signal: AbortSignal },
): AsyncGenerator<Slice> {
  const { order, slackMs, signal } = options
  const isUp = order === 'asc'
  const needed = (from: number, to: number) => hoursFor({ from, to }, BEFORE_MS, slackMs)
  const coming = listed.within(hoursFor(window, BEFORE_MS, slackMs), signal, order)
  let known: Hour[] = []
  let isOver = false
  /** Every hour inside the range is among the known ones. */
  const know = async (range: TimeRange): Promise<void> => {
    const isPast = (hour: Hour) => (isUp ? hour.from >= range.to : hour.from < range.from)
    for (let last = known.at(-1); !isOver && (last === undefined || !isPast(last)); last = known.at(-1)) {
      const next = await coming.next()
      if (next.done === true) isOver = true
      else known.push(next.value)
    }
  }
  const within = (range: TimeRange) => known.filter(({ from }) => from >= range.from && from < range.to)
  const bytesIn = (range: TimeRange) =>
    within(range).reduce((sum, { objects }) => sum + objects.reduce((all, { bytes }) => all + bytes, 0), 0)

  let index = 0
  try {
    const [first, last] = [floorHour(window.from), ceilHour(window.to)]
    for (let edge = isUp ? first : last; isUp ? edge < last : edge > first; ) {
      let [from, to] = isUp ? [edge, edge + HOUR_MS] : [edge - HOUR_MS, edge]
      await know(needed(from, to))
      for (;;) {
        const wider = isUp ? needed(from, to + HOUR_MS) : needed(from - HOUR_MS, to)
        if ((isUp ? to >= last : from <= first) || to - from >= MAX_SLICE_MS) break
        await know(wider)
        if (bytesIn(wider) > SLICE_BYTES) break
        if (isUp) to += HOUR_MS
        else from -= HOUR_MS
      }
      const range = { from: Math.max(from, window.from), to: Math.min(to, window.to) }
      const hours = within(needed(from, to))
      const parts = cut(range, Math.ceil(bytesIn(needed(from, to)) / MAX_SLICE_BYTES))
      if (!isUp) parts.reverse()
      for (const part of parts) {
        yield { index, range: part, key: { hours } satisfies SliceKey }
        index += 1
      }
      edge = isUp ? to : from
      const rest = isUp ? needed(edge, last) : needed(first, edge)
      known = known.filter((hour) => hour.from >= rest.from && hour.from < rest.to)
    }
  } finally {
    await coming.return(undefined)
  }
}

function cut({ from, to }: TimeRange, parts: number): TimeRange[] {
  const count = Math.max(1, Math.min(parts, to - from))
  const edge = (n: number) => from + Math.floor(((to - from) * n) / count)
  return Array.from({ length: count }, (_, n) => ({ from: edge(n), to: edge(n + 1) }))
}
