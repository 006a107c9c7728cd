import { type Options, stringify } from 'csv-stringify'
import { stringify as stringifySync } from 'csv-stringify/sync'
import { ContractError } from '../core/errors.ts'
import type { AuditEvent } from '../core/event.ts'
import { jsonTextAt } from './json-text-at.ts'

export type CsvOptions = {
  /** Cells that a spreadsheet would run as a formula get an apostrophe in front. On unless switched off. */
  readonly guard?: boolean | undefined
}

/** A number spelled as JavaScript would not spell it: a large integer, `1.0`, `1e3`. */
class SpelledNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/**
 * The reference writer: csv-stringify as a stream of rows (arrays of cells) to CSV with a header, RFC 4180, CRLF. The header is written
 * also for no rows. `csvRow` makes the cells of an event.
 */
export function csvStream(
  columns: readonly string[],
  options: CsvOptions = {},
): ReturnType<typeof stringify> {
  return stringify({ ...settings(options), ...headed(columns) })
}

/** Small tables in one go: reports, groups, settings. Objects are written as JSON text, null and undefined as nothing. */
export function csvText(
  columns: readonly string[],
  rows: readonly (readonly unknown[])[],
  options: CsvOptions = {},
): string {
  return stringifySync(
    rows.map((row) => [...row]),
    { ...settings(options), ...headed(columns) },
  )
}

export function csvHeader(columns: readonly string[], options: CsvOptions = {}): string {
  return csvText(columns, [], options)
}

/** One event as a line of CSV, by the reference. */
export function csvLine(
  event: AuditEvent,
  paths: readonly (readonly string[])[],
  options: CsvOptions = {},
): string {
  return stringifySync([csvRow(event, paths)], settings(options))
}

/**
 * The cells of an event for `csvStream`: strings as they read, numbers and JSON text as they are spelled in the event's bytes, nothing for
 * null and for what is absent.
 * @throws ContractError when the event is not JSON inside
 */
export function csvRow(event: AuditEvent, paths: readonly (readonly string[])[]): unknown[] {
  try {
    event.record()
  } catch (cause) {
    throw new ContractError(`Event ${event.id} is not JSON inside`, { cause })
  }
  const { bytes } = event
  return paths.map((path) => cellOf(jsonTextAt(bytes, path)))
}

function cellOf(text: string | undefined): unknown {
  if (text === undefined || text === 'null') return undefined
  if (text.startsWith('"') || text === 'true' || text === 'false') return JSON.parse(text)
  if (text.startsWith('{') || text.startsWith('[')) return text
  return String(Number(text)) === text ? Number(text) : new SpelledNumber(text)
}

/** Rows are arrays, so the keys only have to be there: a column may be named anything, and twice. */
function headed(columns: readonly string[]): Options {
  return { header: true, columns: columns.map((header, n) => ({ key: `${n}`, header })) }
}

function settings({ guard = true }: CsvOptions): Options {
  return {
    record_delimiter: '\r\n',
    // With a delimiter of its own csv-stringify 6.9 leaves a lone \n or \r in a cell unquoted: most readers would break the row there.
    quote_record_delimiter: true,
    escape_formulas: guard,
    cast: {
      boolean: String,
      date: (value) => value.toISOString(),
      object: (value) =>
        value instanceof SpelledNumber
          ? { value: value.text, escape_formulas: false }
          : JSON.stringify(value),
    },
  }
}
