import { isUtf8 } from 'node:buffer'
import { instantOf, instantOfText } from '../../core/instant.ts'
import { checkJson } from '../../core/json-check.ts'
import { found, scanEvent } from '../../core/json-scan.ts'
import type { Records } from '../../storage/records/read-records.ts'
import { type Field, idAt, idOf, timeKeyOf } from '../id-field.ts'
import type { IdSink, RowReader } from './row-reader.ts'

const HASH = 0x23
const OPEN_BRACE = 0x7b
const NONE = new Uint8Array()

/** Rows that are JSON: objects that hold an id, or ids as strings or numbers. */
export class JsonRows implements RowReader {
  readonly #fields: readonly Field[]
  /** The field of the first row that had one, and its key when it stands at the top level. */
  #field: Field | undefined
  #key: Uint8Array = NONE
  #timeName: string | undefined
  #timeKey: Uint8Array = NONE

  constructor(fields: readonly Field[]) {
    this.#fields = fields
  }

  read(batch: Records, sink: IdSink): string | undefined {
    const { bytes, spans } = batch
    for (let n = 0; n < spans.count; n += 1) {
      const start = spans.starts[n] as number
      const end = spans.ends[n] as number
      // A comment cannot be JSON.
      if (start === end || bytes[start] === HASH) continue
      // A whole object with a plain id: that its other members are spelled right makes no difference to what is held.
      if (
        bytes[start] === OPEN_BRACE &&
        scanEvent(bytes, start, end, this.#key, this.#timeKey) === end &&
        found.idStart >= 0
      ) {
        sink.take(bytes, found.idStart, found.idEnd, this.#plainTime(bytes))
        continue
      }
      if (checkJson(bytes, start, end, NONE, NONE) !== end || !isUtf8(bytes.subarray(start, end))) {
        return `line ${batch.lineOf(n)} is not JSON, or is cut off`
      }
      const problem = this.#parse(bytes.toString('utf8', start, end), sink)
      if (problem !== undefined) return `line ${batch.lineOf(n)} ${problem}`
    }
    return undefined
  }

  #plainTime(bytes: Uint8Array): number {
    if (found.timeStart < 0) return Number.NaN
    try {
      return instantOf(bytes, found.timeStart, found.timeEnd)
    } catch {
      return Number.NaN
    }
  }

  #parse(text: string, sink: IdSink): string | undefined {
    const row: unknown = JSON.parse(text)
    if (row === null || typeof row !== 'object') {
      const id = idOf(row)
      if (id === undefined) return `is no id: ${text.slice(0, 40)}`
      sink.takeText(id, Number.NaN)
      return undefined
    }
    const report = splunkReport(row)
    if (report !== undefined) return report === '' ? undefined : report
    const field = this.#field ?? this.#choose(row)
    const id = field && idAt(row, field.path)
    if (id === undefined || id === '') {
      const tried = this.#field === undefined ? this.#fields : [this.#field]
      return `has no id: tried ${tried.map(({ name }) => name).join(', ')}`
    }
    sink.takeText(id, this.#timeOf(row))
    return undefined
  }

  /** Later rows must hold their id where the first one did: a mixture would hide what is missing. */
  #choose(row: object): Field | undefined {
    const field = this.#fields.find(({ path }) => (idAt(row, path) ?? '') !== '')
    if (field === undefined) return undefined
    this.#field = field
    const [key, ...deeper] = field.path
    if (deeper.length === 0 && key !== undefined) this.#key = Buffer.from(key)
    this.#timeName = timeKeyOf(Object.keys(row))
    if (this.#timeName !== undefined) this.#timeKey = Buffer.from(this.#timeName)
    return field
  }

  #timeOf(row: object): number {
    const time = this.#timeName === undefined ? undefined : (row as Record<string, unknown>)[this.#timeName]
    if (typeof time !== 'string') return Number.NaN
    try {
      return instantOfText(time)
    } catch {
      return Number.NaN
    }
  }
}

/**
 * A line of Splunk's export that is no row: '' when it may be passed over, else what it says is wrong. Undefined for a row.
 * @source https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTsearch, search/v2/jobs/export (read 2026-11-20)
 */
function splunkReport(row: object): string | undefined {
  if ('preview' in row && row.preview === true)
    return 'is a preview row: export the search again with preview=false'
  if ('result' in row) return undefined
  if ('messages' in row && Array.isArray(row.messages)) {
    const bad = row.messages.find((message: unknown) =>
      /^(?:FATAL|ERROR)$/.test(String((message as { type?: unknown } | null)?.type)),
    )
    return bad === undefined ? '' : `reports an error of the search: ${JSON.stringify(bad).slice(0, 200)}`
  }
  return 'lastrow' in row ? '' : undefined
}
