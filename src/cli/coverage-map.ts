import { HOUR_MS, isoTime, type TimeRange } from '../core/time-range.ts'

const SHADES = ' .:-=+*#'
const LABEL = 8
const MIN_CELLS = 4
const RED = '\u001b[31m'
const GREEN = '\u001b[32m'
const PLAIN = '\u001b[0m'

/**
 * The window drawn across the terminal: how dense the source is, how much of it the SIEM holds, and where the holes are. Readable without
 * colour and in ASCII: `^` marks a hole.
 */
export function coverageMap(window: TimeRange, columns: number) {
  const cells = Math.max(MIN_CELLS, Math.min(columns, 160) - LABEL - 1)
  const source = new Float64Array(cells)
  const held = new Float64Array(cells)
  const width = Math.max(1, (window.to - window.from) / cells)
  return {
    /** Events and held ones of a slice; a slice wider than a cell is spread over the cells it covers. */
    add(range: TimeRange, events: number, heldEvents: number): void {
      const first = clamp(Math.floor((range.from - window.from) / width), cells)
      const last = clamp(Math.floor((range.to - 1 - window.from) / width), cells)
      const share = last - first + 1
      for (let i = first; i <= last; i += 1) {
        source[i] = (source[i] ?? 0) + events / share
        held[i] = (held[i] ?? 0) + heldEvents / share
      }
    },
    /** Counts one event at its own time: exact where the caller knows times. */
    addEvent(atMs: number, isHeld: boolean): void {
      const i = clamp(Math.floor((atMs - window.from) / width), cells)
      source[i] = (source[i] ?? 0) + 1
      if (isHeld) held[i] = (held[i] ?? 0) + 1
    },
    draw({ color }: { readonly color: boolean }): string {
      const most = Math.max(1, ...source)
      const row = (counts: Float64Array): string => [...counts].map((count) => shade(count, most)).join('')
      const holes = [...source].map((count, i) => (count - (held[i] ?? 0) > 1e-6 ? '^' : ' '))
      const marks = holes.join('').trimEnd()
      const paint = (text: string, code: string): string => (color ? `${code}${text}${PLAIN}` : text)
      const lines = [
        `${'source'.padEnd(LABEL)}|${row(source)}`,
        `${'siem'.padEnd(LABEL)}|${row(held)}`,
        marks === ''
          ? `${''.padEnd(LABEL)}|${paint('no holes', GREEN)}`
          : `${'missing'.padEnd(LABEL)}|${paint(marks, RED)}`,
        `${''.padEnd(LABEL)}|${scale(window, cells)}`,
      ]
      return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
    },
  }
}

function shade(count: number, most: number): string {
  if (count <= 0) return SHADES[0] ?? ' '
  return SHADES[Math.max(1, Math.ceil((count / most) * (SHADES.length - 1)))] ?? '#'
}

function clamp(i: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, i))
}

/** Start and end of the window; dates only where the window is long. */
function scale(window: TimeRange, cells: number): string {
  const isLong = window.to - window.from > 48 * HOUR_MS
  const text = (ms: number): string =>
    isLong ? isoTime(ms).slice(0, 10) : isoTime(ms).slice(5, 16).replace('T', ' ')
  const [from, to] = [text(window.from), `${text(window.to)}${isLong ? '' : 'Z'}`]
  if (cells < from.length + to.length + 2) return from.slice(0, cells)
  return from + to.padStart(cells - from.length)
}
