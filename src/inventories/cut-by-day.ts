import { DAY_MS, type TimeRange } from '../core/time-range.ts'

/** Pieces of the window, ascending and without gaps, of a day at most: for inventories that cannot say how much they hold before they say it. */
export function cutByDay(window: TimeRange): TimeRange[] {
  const pieces: TimeRange[] = []
  for (let from = window.from; from < window.to; from += DAY_MS) {
    pieces.push({ from, to: Math.min(from + DAY_MS, window.to) })
  }
  return pieces
}
