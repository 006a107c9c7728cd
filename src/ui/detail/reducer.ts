import type { ShapedEvent, ShapeName } from '../../core/browser.ts'
import { displayWidth } from '../../core/display-width.ts'
import { escapeText } from '../../core/escape-text.ts'
import type { HeldEvent } from '../../core/event-page.ts'
import { prettyJson } from './pretty-json.ts'

export const SHAPES: readonly ShapeName[] = ['native', 'stream', 'common']

/** The pane of one event. */
export type DetailState = {
  readonly shape: ShapeName
  readonly event: HeldEvent | undefined
  readonly shaped: ShapedEvent | undefined
  /** What is shown of it, wrapped at `columns`. */
  readonly lines: readonly string[]
  readonly columns: number
  readonly scroll: number
}

export function detailState(columns: number, shape: ShapeName = 'native'): DetailState {
  return { shape, event: undefined, shaped: undefined, lines: [], columns, scroll: 0 }
}

export function showDetail(
  state: DetailState,
  event: HeldEvent,
  shape: ShapeName,
  shaped: ShapedEvent,
): DetailState {
  const isSame = state.event?.id === event.id && state.shape === shape
  const lines = detailLines(shaped, state.columns)
  return { ...state, event, shape, shaped, lines, scroll: isSame ? state.scroll : 0 }
}

export function resizeDetail(state: DetailState, columns: number): DetailState {
  if (columns === state.columns) return state
  const lines = state.shaped === undefined ? [] : detailLines(state.shaped, columns)
  return { ...state, columns, lines }
}

export function scrollDetail(state: DetailState, by: number, height: number): DetailState {
  const most = Math.max(0, state.lines.length - height)
  return { ...state, scroll: Math.max(0, Math.min(state.scroll + by, most)) }
}

/** The event's JSON, escaped and wrapped; wrapped lines go on with the indentation of their first. */
function detailLines({ text, notRebuilt }: ShapedEvent, columns: number): readonly string[] {
  const note = notRebuilt.length === 0 ? [] : ['', `not rebuilt from the API: ${notRebuilt.join(', ')}`]
  return [...prettyJson(text), ...note].flatMap((line) => wrapLine(escapeText(line), Math.max(1, columns)))
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function wrapLine(line: string, columns: number): readonly string[] {
  if (displayWidth(line) <= columns) return [line]
  const indent = ' '.repeat(Math.min((/^ */.exec(line)?.[0].length ?? 0) + 2, Math.floor(columns / 2)))
  const lines: string[] = []
  let current = ''
  let width = 0
  for (const { segment } of graphemes.segment(line)) {
    const wide = displayWidth(segment)
    if (width + wide > columns && current !== '') {
      lines.push(current)
      current = indent
      width = indent.length
    }
    current += segment
    width += wide
  }
  return [...lines, current]
}
