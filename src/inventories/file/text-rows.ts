import { isUtf8 } from 'node:buffer'
import { UserError } from '../../core/errors.ts'
import { instantOfText } from '../../core/instant.ts'
import { cellsOf, delimiterOf, unguarded } from '../../storage/records/cells.ts'
import type { Records } from '../../storage/records/read-records.ts'
import { type Field, idAt, idOf, timeKeyOf } from '../id-field.ts'
import type { IdSink, RowReader } from './row-reader.ts'

const HASH = 0x23
const QUOTE = 0x22
const COMMA = 0x2c
const SPACE = 0x20
const DELETE = 0x7f
/** No product has longer ids; a longer line is something else. */
const MAX_ID_BYTES = 1024

/** One id a line; `#` begins a comment; quotes around the id and a comma after it are left out. */
export class LineRows implements RowReader {
  read(batch: Records, sink: IdSink): string | undefined {
    const { bytes, spans } = batch
    for (let n = 0; n < spans.count; n += 1) {
      let start = spans.starts[n] as number
      let end = spans.ends[n] as number
      if (start === end || bytes[start] === HASH) continue
      if (bytes[end - 1] === COMMA) end -= 1
      if (bytes[start] === QUOTE && bytes[end - 1] === QUOTE && end - start > 1) {
        start += 1
        end -= 1
      }
      if (!isId(bytes, start, end)) {
        const seen = JSON.stringify(bytes.toString('utf8', start, Math.min(end, start + 40)))
        return `line ${batch.lineOf(n)} is not an id: ${seen}`
      }
      sink.take(bytes, start, end, Number.NaN)
    }
    return undefined
  }
}

function isId(bytes: Buffer, start: number, end: number): boolean {
  if (end <= start || end - start > MAX_ID_BYTES) return false
  let isAscii = true
  for (let i = start; i < end; i += 1) {
    const c = bytes[i] as number
    if (c <= SPACE || c === DELETE) return false
    if (c >= 0x80) isAscii = false
  }
  return isAscii || isUtf8(bytes.subarray(start, end))
}

/** CSV with a header row; the id is in the column of a field, or inside the JSON text of one. */
export class CsvRows implements RowReader {
  readonly #fields: readonly Field[]
  readonly #delimiter: string
  #columns:
    | { readonly id: number; readonly rest: readonly string[]; readonly time: number; readonly count: number }
    | undefined

  constructor(fields: readonly Field[], delimiter: string) {
    this.#fields = fields
    this.#delimiter = delimiter
  }

  read(batch: Records, sink: IdSink): string | undefined {
    const { bytes, spans } = batch
    for (let n = 0; n < spans.count; n += 1) {
      const start = spans.starts[n] as number
      const end = spans.ends[n] as number
      if (this.#columns === undefined && bytes[start] === HASH) continue
      const cells = cellsOf(bytes.toString('utf8', start, end), this.#delimiter)
      if (cells === undefined) return `line ${batch.lineOf(n)} has a quote that is not closed`
      if (this.#columns === undefined) {
        this.#columns = columnsOf(cells, this.#fields)
        continue
      }
      const { id: column, rest, time, count } = this.#columns
      if (cells.length !== count) {
        return `line ${batch.lineOf(n)} has ${cells.length} cells, the header has ${count}`
      }
      const cell = unguarded(cells[column] ?? '')
      const id = rest.length === 0 ? idOf(cell) : idAt(cell, rest)
      if (id === undefined || id === '') return `line ${batch.lineOf(n)} has no id`
      sink.takeText(id, timeOf(cells[time]))
    }
    return undefined
  }
}

/** Whether the first line is a header that names a field of the id. @throws UserError when it is a header, but of other columns */
export function isCsvHeader(line: string, fields: readonly Field[], file: string): boolean {
  const cells = cellsOf(line, delimiterOf(line))?.map((cell) => cell.trim()) ?? []
  if (findColumn(cells, fields) !== undefined) return true
  // One id a line, perhaps with the comma of a list behind it.
  if (cells.filter((cell) => cell !== '').length < 2) return false
  throw new UserError(`${file} has no column for the id among ${cells.slice(0, 12).join(', ')}`, {
    hint: 'name the column with --inventory-field',
    code: 'inventory-field',
  })
}

function columnsOf(header: readonly string[], fields: readonly Field[]) {
  const names = header.map((name) => name.trim())
  const { column, rest } = findColumn(names, fields) ?? { column: 0, rest: [] }
  const time = timeKeyOf(names)
  return { id: column, rest, time: time === undefined ? -1 : names.indexOf(time), count: names.length }
}

function findColumn(names: readonly string[], fields: readonly Field[]) {
  for (const { path } of fields) {
    const whole = names.indexOf(path.join('.'))
    if (whole >= 0) return { column: whole, rest: [] }
  }
  for (const { path } of fields) {
    const column = path.length > 1 ? names.indexOf(path[0] ?? '') : -1
    if (column >= 0) return { column, rest: path.slice(1) }
  }
  return undefined
}

function timeOf(cell: string | undefined): number {
  if (cell === undefined || cell === '') return Number.NaN
  try {
    return instantOfText(cell)
  } catch {
    return Number.NaN
  }
}
