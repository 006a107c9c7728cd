import type { AppState } from '../state.ts'
import type { Theme } from '../theme.ts'
import { countText, crossesDays, timeText } from '../words.ts'
import { barLevels, columnOf, resample } from './histogram.ts'
import { placeOf } from './reducer.ts'

/** How the events lie in time: bars over the whole width, then a scale with the place of the selected event. */
export function histogramLines(state: AppState, theme: Theme): readonly string[] {
  const { layout, counts, events, operations } = state
  const { columns, bars } = layout
  if (bars === 0) return []
  const { glyphs } = theme
  const steps = glyphs.bars.length - 1
  const filled = resample(counts.step?.cells ?? new Float64Array(1), columns)
  const countedFrom = counts.isWhole
    ? -1
    : counts.step === undefined
      ? columns
      : columnOf(counts.step.countedFrom, counts.window, columns)
  const rows = barLevels(filled, bars, steps).map((levels, row) => {
    const isLowest = row === bars - 1
    const blank = levels.map((level, column) =>
      level === 0 && isLowest && column < countedFrom ? glyphs.uncounted : (glyphs.bars[level] ?? ' '),
    )
    return theme.paint('key', blank.join('').trimEnd())
  })
  const zone = operations?.zone ?? 'UTC'
  const { window } = events.query
  const withDate = crossesDays(window, zone)
  const label = (ms: number): string => timeText(ms, zone, { width: withDate ? 14 : 8, withDate })
  const most = filled.reduce((max, count) => Math.max(max, count), 0)
  const peak = most > 0 ? ` peak ${countText(Math.max(1, most))} a bar ` : ''
  const place = placeOf(events)
  return [
    ...rows,
    scaleLine(
      {
        columns,
        from: label(window.from),
        to: label(window.to),
        peak,
        pointer: place === undefined ? undefined : columnOf(place.ms, window, columns),
      },
      theme,
    ),
  ]
}

function scaleLine(
  scale: {
    readonly columns: number
    readonly from: string
    readonly to: string
    readonly peak: string
    readonly pointer: number | undefined
  },
  theme: Theme,
): string {
  const { columns, from, to, peak, pointer } = scale
  const cells = Array.from({ length: columns }, () => theme.glyphs.rule)
  const put = (text: string, at: number): void => {
    if (at < 0 || at + text.length > columns) return
    for (const [i, character] of [...text].entries()) cells[at + i] = character
  }
  // The pointer stands in the way of no time.
  put(`${from} `, pointer !== undefined && pointer <= from.length ? pointer + 2 : 0)
  const end = columns - to.length - 1
  put(` ${to}`, pointer !== undefined && pointer >= end ? pointer - to.length - 2 : end)
  if (columns > from.length + to.length + peak.length + 8) put(peak, peakAt(columns, peak.length, pointer))
  if (pointer === undefined) return theme.paint('dim', cells.join(''))
  return (
    theme.paint('dim', cells.slice(0, pointer).join('')) +
    theme.paint('bold', theme.glyphs.pointer) +
    theme.paint('dim', cells.slice(pointer + 1).join(''))
  )
}

/** In the middle, or beside it where the pointer would stand in the words. */
function peakAt(columns: number, length: number, pointer: number | undefined): number {
  const middle = Math.floor((columns - length) / 2)
  if (pointer === undefined || pointer < middle || pointer >= middle + length) return middle
  return pointer < columns / 2 ? pointer + 2 : pointer - length - 1
}
