import { type ActionFamily, actionFamily } from '../core/action-family.ts'
import { displayWidth, fitText, truncate } from '../core/display-width.ts'
import { escapeText } from '../core/escape-text.ts'

export type TableColumn = {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** Coloured by what the action does. */
  readonly isAction?: boolean
}

export type TableOptions = {
  /** Columns of the terminal; undefined: as wide as the rows need. */
  readonly width: number | undefined
  readonly color?: boolean
  /** Off for the pages after the first. */
  readonly header?: boolean
}

const GAP = '  '
// Narrower cells tell nothing: below this the rows are written as lists, a member a line.
const LEAST_CELL = 6
// A terminal this narrow gets no colour: cut words with colours in them are hard to read.
const LEAST_COLOR_WIDTH = 21

const COLORS: Readonly<Record<ActionFamily, string>> = {
  create: '\x1b[32m',
  update: '\x1b[33m',
  delete: '\x1b[31m',
  read: '\x1b[36m',
  login: '\x1b[35m',
  other: '',
}
const BOLD = '\x1b[1m'
const RESET = '\x1b[0m'

/**
 * The lines of a table that fits the width, without newlines. Every cell is escaped, so nothing in it can move the cursor; a cell too long
 * ends in `…`. Where the columns have no room side by side, each row becomes a list.
 */
export function tableLines(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions,
): string[] {
  const titles = columns.map(({ title }) => escapeText(title))
  const cells = rows.map((row) => titles.map((_, n) => escapeText(row[n] ?? '')))
  const paint = (text: string, action: string) => colored(text, action, options)
  const widths = columnWidths([titles, ...cells], options.width)
  if (widths === undefined) {
    return cells.flatMap((row) => listLines(columns, titles, row, options, paint))
  }
  const line = (row: readonly string[], isHeader: boolean) => {
    const parts = columns.map(({ align, isAction }, n) => {
      const cell = row[n] ?? ''
      // Blanks at the end of a line would make it wrap on some terminals.
      const isLast = n === columns.length - 1 && align !== 'right'
      const text = isLast ? truncate(cell, widths[n] ?? 0) : fitText(cell, widths[n] ?? 0, align)
      return isAction === true && !isHeader ? paint(text, cell) : text
    })
    return parts.join(GAP).trimEnd()
  }
  const lines = cells.map((row) => line(row, false))
  if (options.header === false) return lines
  const header = line(titles, true)
  return [isColored(options) ? `${BOLD}${header}${RESET}` : header, ...lines]
}

/** A time without its end tells nothing: other columns give way first. */
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*$/

/**
 * As wide as the widest cell where that fits; otherwise the widest columns give way until all fit, those of times last. Undefined when a
 * column would have to be narrower than is of use.
 */
function columnWidths(
  rows: readonly (readonly string[])[],
  width: number | undefined,
): readonly number[] | undefined {
  const natural = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => displayWidth(row[n] ?? ''))))
  if (width === undefined) return natural
  const room = width - GAP.length * (natural.length - 1)
  const sum = (widths: readonly number[]) => widths.reduce((total, one) => total + one, 0)
  if (sum(natural) <= room) return natural
  const isTime = natural.map(
    (_, n) => rows.length > 1 && rows.slice(1).every((row) => TIME.test(row[n] ?? '')),
  )
  const cut = (isWhole: readonly boolean[], cap: number) =>
    natural.map((one, n) => (isWhole[n] === true ? one : Math.min(one, cap)))
  const isWhole = sum(cut(isTime, LEAST_CELL)) <= room ? isTime : []
  let cap = LEAST_CELL
  const capped = () => cut(isWhole, cap)
  if (sum(capped()) > room) return undefined
  while (sum(cut(isWhole, cap + 1)) <= room) cap += 1
  // What is left goes to the first columns that were cut.
  let left = room - sum(capped())
  return capped().map((one, n) => {
    if (left === 0 || one === natural[n]) return one
    left -= 1
    return one + 1
  })
}

function listLines(
  columns: readonly TableColumn[],
  titles: readonly string[],
  row: readonly string[],
  { width = 80 }: TableOptions,
  paint: (text: string, action: string) => string,
): string[] {
  const lines = titles.flatMap((title, n) => {
    const cell = row[n] ?? ''
    if (cell === '') return []
    const head = truncate(title, Math.max(1, Math.floor(width / 3)))
    const text = truncate(cell, Math.max(0, width - displayWidth(head) - 2))
    return [truncate(`${head}: `, width) + (columns[n]?.isAction === true ? paint(text, cell) : text)]
  })
  return [...lines, '']
}

function isColored({ color = false, width = LEAST_COLOR_WIDTH }: TableOptions): boolean {
  return color && width >= LEAST_COLOR_WIDTH
}

function colored(text: string, action: string, options: TableOptions): string {
  const start = isColored(options) ? COLORS[actionFamily(action)] : ''
  return start === '' ? text : `${start}${text}${RESET}`
}
