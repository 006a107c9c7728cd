import { UserError } from '../../core/errors.ts'
import { type Form, formOf } from './form.ts'
import { LineSplitter } from './lines.ts'
import { RowSplitter } from './rows.ts'
import { Spans, type Splitter } from './spans.ts'
import { ValueSplitter } from './values.ts'

/** Some records in a row; `bytes` and `spans` are good only until the next are asked for. */
export type Records = {
  readonly bytes: Buffer
  readonly spans: Spans
  /** Where `bytes[0]` lies in the text, after unpacking and without a byte order mark. */
  readonly offset: number
  /** The line of record n in the text, from 1. */
  lineOf(n: number): number
}

export type RecordsOptions = {
  /** For messages. */
  readonly name: string
  /** How text that is not JSON is cut, judged by its first lines. */
  readonly textForm: (head: string) => 'lines' | 'rows'
}

export type OpenRecords = {
  readonly form: Form
  /** In a text that is not JSON: the character between cells, judged by the first row. */
  readonly delimiter: ',' | ';' | '\t'
  readonly records: AsyncGenerator<Records, { readonly problem: string | undefined }>
  /** Closes the text, also when no record was asked for. */
  close(): Promise<void>
}

const REGION_BYTES = 2 * 1024 * 1024
/** The most of a text that is looked at to tell its form. */
const HEAD_BYTES = 256 * 1024
/** No audit event is this long, and memory must have a bound. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
const NEWLINE = 0x0a

/**
 * Cuts a text into records after telling its form from its first bytes: JSON lines, JSON values of any layout, CSV rows, or lines.
 * Undefined when the text is blank.
 * @throws UserError when a single record is longer than 64 MB
 */
export async function openRecords(
  text: AsyncGenerator<Uint8Array>,
  options: RecordsOptions,
): Promise<OpenRecords | undefined> {
  const region = new Region(text, options.name)
  try {
    return await openRegion(region, options)
  } catch (error) {
    await region.close()
    throw error
  }
}

async function openRegion(region: Region, options: RecordsOptions): Promise<OpenRecords | undefined> {
  while (region.filled < HEAD_BYTES && (await region.fill())) {}
  const told = formOf(region.bytes, region.filled, region.isOver, options.textForm)
  if (told === undefined && region.isOver) {
    await region.close()
    return undefined
  }
  // A text that begins with very many blanks is cut into lines.
  const { form, newline, delimiter } = told ?? {
    form: 'lines' as const,
    newline: NEWLINE,
    delimiter: ',' as const,
  }
  const records = cut(region, splitterOf(form, newline, delimiter))
  return { form, delimiter, records, close: () => region.close() }
}

function splitterOf(form: Form, newline: number, delimiter: string): Splitter {
  if (form === 'json-values') return new ValueSplitter()
  return form === 'rows' ? new RowSplitter(newline, delimiter.charCodeAt(0)) : new LineSplitter(newline)
}

async function* cut(
  region: Region,
  splitter: Splitter,
): AsyncGenerator<Records, { readonly problem: string | undefined }> {
  const spans = new Spans()
  // After a region without a single whole record twice as much is read before the next try, so that a long record is not scanned again and again.
  let enough = 0
  try {
    for (;;) {
      if (region.filled >= enough || region.isOver) {
        spans.clear()
        const rest = splitter.split(region.bytes, 0, region.filled, region.isOver, spans)
        if (spans.count > 0) {
          const firstLine = region.line
          const bytes = region.bytes
          yield { bytes, spans, offset: region.offset, lineOf: (n) => lineOf(bytes, firstLine, spans, n) }
        }
        region.drop(rest, splitter.isByLine === true ? spans.count : undefined)
        enough = spans.count > 0 || rest > 0 ? 0 : region.filled * 2
        if (region.isOver) return { problem: splitter.problem() }
      }
      await region.fill()
    }
  } finally {
    await region.close()
  }
}

function lineOf(bytes: Buffer, firstLine: number, spans: Spans, n: number): number {
  return firstLine + newlinesIn(bytes, 0, spans.starts[n] ?? 0)
}

function newlinesIn(bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let i = bytes.indexOf(NEWLINE, from); i >= 0 && i < to; i = bytes.indexOf(NEWLINE, i + 1)) count += 1
  return count
}

/** The part of the text in hand: what is not yet cut, and room for more behind it. */
class Region {
  bytes = Buffer.allocUnsafeSlow(REGION_BYTES)
  filled = 0
  /** Of `bytes[0]` in the text. */
  offset = 0
  line = 1
  isOver = false
  readonly #text: AsyncGenerator<Uint8Array>
  readonly #name: string

  constructor(text: AsyncGenerator<Uint8Array>, name: string) {
    this.#text = text
    this.#name = name
  }

  /** Reads one more block; false at the end of the text. */
  async fill(): Promise<boolean> {
    const next = await this.#text.next()
    if (next.done === true) {
      this.isOver = true
      this.#room(1)
    } else {
      this.#room(next.value.length + 1)
      this.bytes.set(next.value, this.filled)
      this.filled += next.value.length
    }
    // What is left behind from earlier must not look like text.
    this.bytes[this.filled] = NEWLINE
    return !this.isOver
  }

  /** Forgets the first `count` bytes, in which so many lines end; undefined: they are counted. */
  drop(count: number, lines: number | undefined): void {
    if (count === 0) return
    this.line += lines ?? newlinesIn(this.bytes, 0, count)
    this.bytes.copyWithin(0, count, this.filled)
    this.offset += count
    this.filled -= count
    this.bytes[this.filled] = NEWLINE
  }

  async close(): Promise<void> {
    await this.#text.return(undefined)
  }

  #room(bytes: number): void {
    if (this.filled + bytes <= this.bytes.length) return
    if (this.filled > MAX_RECORD_BYTES) {
      throw new UserError(`${this.#name}: the record at line ${this.line} is longer than 64 MB`, {
        hint: 'this is no export of audit events; check which file was given',
        code: 'endless-record',
      })
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.filled + bytes))
    this.bytes.copy(larger, 0, 0, this.filled)
    this.bytes = larger
  }
}
