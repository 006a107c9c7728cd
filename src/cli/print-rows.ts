import { displayWidth } from '../core/display-width.ts'
import { escapeText } from '../core/escape-text.ts'
import { tableLines } from '../formats/table.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import type { Runtime } from './runtime.ts'

export type RowFormat = 'table' | 'json' | 'jsonl' | 'csv'
export type Row = Readonly<Record<string, unknown>>

/** What was asked for with `-o` or `--json`; otherwise a table on a terminal and JSON in a pipe. */
export function rowFormat(invocation: Invocation, runtime: Pick<Runtime, 'io'>): RowFormat {
  if (flagOption(invocation, 'json')) return 'json'
  const asked = textOption(invocation, 'output')
  if (asked === 'table' || asked === 'json' || asked === 'jsonl' || asked === 'csv') return asked
  return runtime.io.stdoutIsTerminal ? 'table' : 'json'
}

/** Rows of settings: an aligned table, one JSON array, a line each, or CSV. Columns name the keys that a table and CSV show. */
export async function printRows(
  rows: readonly Row[],
  columns: readonly string[],
  format: RowFormat,
  runtime: Pick<Runtime, 'output'>,
): Promise<void> {
  if (format !== 'jsonl') {
    // Not fitted: a name or a limit cut short would be of no use, and a terminal wraps.
    return runtime.output.write(formatRows(rows, columns, format))
  }
  // ndjson is loaded only where lines were asked for.
  const { objectLines } = await import('../formats/object-lines.ts')
  for await (const line of objectLines(rows)) await runtime.output.write(line)
}

/**
 * Rows that people compare on a terminal: the first of the choices of columns that fits its width; where none does, a list of each row. No
 * cell is cut. Elsewhere it is `printRows` with the first choice.
 */
export async function printFitting(
  rows: readonly Row[],
  choices: readonly (readonly string[])[],
  format: RowFormat,
  runtime: Pick<Runtime, 'output' | 'io'>,
): Promise<void> {
  const [columns = []] = choices
  if (format !== 'table' || !runtime.io.stdoutIsTerminal) return printRows(rows, columns, format, runtime)
  const width = runtime.io.columns
  const fits = (text: string): boolean => text.split('\n').every((line) => displayWidth(line) <= width)
  const text = choices.map((choice) => formatRows(rows, choice, format)).find(fits)
  await runtime.output.write(text ?? rows.map((row) => listOf(row, columns)).join('\n'))
}

function listOf(row: Row, columns: readonly string[]): string {
  const shown = columns.filter((column) => cellOf(row[column]) !== '')
  const width = Math.max(0, ...shown.map((column) => column.length))
  return shown.map((column) => `${column.padEnd(width)}  ${escapeText(cellOf(row[column]))}\n`).join('')
}

export function formatRows(
  rows: readonly Row[],
  columns: readonly string[],
  format: Exclude<RowFormat, 'jsonl'>,
  /** Of the terminal; undefined: as wide as the rows need. */
  width?: number,
): string {
  if (format === 'json') return `${JSON.stringify(rows)}\n`
  const cells = rows.map((row) => columns.map((column) => cellOf(row[column])))
  if (format === 'csv') return [columns, ...cells].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
  const lines = tableLines(
    columns.map((title) => ({ title })),
    cells,
    { width },
  )
  return lines.map((line) => `${line}\n`).join('')
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** RFC 4180, with an apostrophe before what a spreadsheet would run. */
function csvCell(cell: string): string {
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
