import type { CountStep } from '../../core/browser.ts'
import type { EpochMs, TimeRange } from '../../core/time-range.ts'

/** Parts of the window that are counted: finer than any terminal is wide, so that a resize reads nothing again. */
export const CELLS = 720

export type CountsState = {
  readonly window: TimeRange
  readonly step: CountStep | undefined
  readonly isWhole: boolean
}

/** The cells as `columns` of the same window; a cell that two columns share is given to both in its parts. */
export function resample(cells: Float64Array, columns: number): Float64Array {
  const result = new Float64Array(Math.max(0, columns))
  const perCell = columns / cells.length
  for (const [i, count] of cells.entries()) {
    if (count === 0) continue
    const [from, to] = [i * perCell, (i + 1) * perCell]
    for (let column = Math.floor(from); column < Math.min(columns, Math.ceil(to - 1e-9)); column += 1) {
      const share = (Math.min(to, column + 1) - Math.max(from, column)) / perCell
      result[column] = (result[column] ?? 0) + count * share
    }
  }
  return result
}

/** The column in which an instant lies. */
export function columnOf(ms: EpochMs, window: TimeRange, columns: number): number {
  const part = (ms - window.from) / Math.max(1, window.to - window.from)
  return Math.max(0, Math.min(columns - 1, Math.floor(part * columns)))
}

/** The instant at which a column ends: the list from there on begins with the column's newest event. */
export function endOfColumn(column: number, window: TimeRange, columns: number): EpochMs {
  return Math.round(window.from + ((column + 1) * (window.to - window.from)) / columns)
}

/** The next column that holds events, or was not counted yet; undefined at the end of the window. */
export function nextColumn(
  counts: CountsState,
  columns: number,
  from: number,
  by: -1 | 1,
): number | undefined {
  const { step, window } = counts
  const filled = step === undefined ? undefined : resample(step.cells, columns)
  const counted = step === undefined ? columns : columnOf(step.countedFrom, window, columns)
  for (let column = from + by; column >= 0 && column < columns; column += by) {
    if (filled === undefined || (!counts.isWhole && column <= counted) || (filled[column] ?? 0) > 1e-9)
      return column
  }
  return undefined
}

/** Rows of bars from the top down, each as levels of 0 to `steps`; at least the lowest level where there is an event. */
export function barLevels(
  columns: Float64Array,
  rows: number,
  steps: number,
): readonly (readonly number[])[] {
  const most = columns.reduce((max, count) => Math.max(max, count), 0)
  const levels = Array.from(columns, (count) => {
    if (count <= 1e-9) return 0
    return Math.max(1, Math.round((count / most) * rows * steps))
  })
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * steps
    return levels.map((level) => Math.max(0, Math.min(steps, level - below)))
  })
}

/** A window of another width around an instant, or moved by half of its width; never beyond `now`. */
export function zoomed(window: TimeRange, around: EpochMs, factor: number, now: EpochMs): TimeRange {
  const width = Math.max(1000, Math.round((window.to - window.from) * factor))
  const part = (around - window.from) / Math.max(1, window.to - window.from)
  const to = Math.min(now, Math.round(around + (1 - part) * width))
  return { from: to - width, to }
}

export function shifted(window: TimeRange, by: -1 | 1, now: EpochMs): TimeRange {
  const width = window.to - window.from
  const to = Math.min(now, Math.round(window.to + (by * width) / 2))
  return { from: to - width, to }
}
