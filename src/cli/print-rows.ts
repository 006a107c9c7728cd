import { escapeText } from '../core/escape-text.ts'
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
  await runtime.output.write(formatRows(rows, columns, format))
}

export function formatRows(rows: readonly Row[], columns: readonly string[], format: RowFormat): string {
  if (format === 'json') return `${JSON.stringify(rows)}\n`
  if (format === 'jsonl') return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  const cells = [columns, ...rows.map((row) => columns.map((column) => cellOf(row[column])))]
  if (format === 'csv') return cells.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
  const plain = cells.map((row) => row.map(escapeText))
  const widths = columns.map((_, i) => Math.max(...plain.map((row) => row[i]?.length ?? 0)))
  return plain
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
