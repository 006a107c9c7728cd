import type { AuditEvent } from '../core/event.ts'
import { compactJson } from '../core/json-members.ts'
import { ABSENT, BARE, ColumnSpans, NESTED, STRING } from './column-spans.ts'
import { type CsvOptions, csvHeader, csvLine } from './csv.ts'
import { csvCell } from './csv-cell.ts'
import type { EventWriter } from './event-writer.ts'
import { OutputBuffer } from './output-buffer.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const APOSTROPHE = 0x27
const CARRIAGE_RETURN = 0x0d
const NEWLINE = 0x0a

/** By first byte: begins a formula, or, for 2, may be the first byte of a full-width sign that does. */
const FORMULA = new Uint8Array(256)
for (const sign of '=+-@') FORMULA[sign.charCodeAt(0)] = 1
FORMULA[0xef] = 2

/**
 * The same bytes as the reference (`csv.ts`), copied from the bytes of events instead of built from objects. What it cannot prove to be
 * usual it leaves to the reference, an event at a time.
 * @throws RangeError without columns
 */
export function csvWriter(columns: readonly string[], { guard = true }: CsvOptions = {}): EventWriter {
  if (columns.length === 0) throw new RangeError('CSV needs at least one column')
  const writer = new RowWriter(columns, guard)
  return {
    extension: 'csv',
    header: Buffer.from(csvHeader(columns, { guard })),
    encode: (events) => writer.rows(events),
  }
}

/** The row being written: a class, for its parts all need the same two buffers. */
class RowWriter {
  readonly #output = new OutputBuffer()
  readonly #spans: ColumnSpans
  readonly #paths: readonly (readonly string[])[]
  readonly #guard: boolean
  #in: Uint8Array = new Uint8Array()
  #inWords = new DataView(this.#in.buffer)
  #out = this.#output.bytes
  #outWords = this.#output.words

  constructor(columns: readonly string[], guard: boolean) {
    this.#spans = new ColumnSpans(columns)
    this.#paths = columns.map((column) => column.split('.'))
    this.#guard = guard
  }

  rows(events: readonly AuditEvent[]): Uint8Array {
    this.#output.clear()
    for (const event of events) {
      if (!this.#writeUsual(event)) this.#output.text(csvLine(event, this.#paths, { guard: this.#guard }))
    }
    return this.#output.view()
  }

  /** Writes the row unless the event is unusual. A string that is not JSON inside is left to the reference too, for its error. */
  #writeUsual(event: AuditEvent): boolean {
    if (!this.#spans.find(event.buffer, event.start, event.end)) return false
    try {
      this.#row(event)
      return true
    } catch (error) {
      if (error instanceof SyntaxError) return false
      throw error
    }
  }

  #row({ buffer }: AuditEvent): void {
    const { slots, kinds, starts, ends } = this.#spans
    let size = 2
    for (let n = 0; n < slots.length; n += 1) {
      const slot = slots[n] as number
      // Doubled quotes at worst, a quote at each end, an apostrophe and a comma.
      size += 4 + (kinds[slot] === ABSENT ? 0 : 2 * ((ends[slot] as number) - (starts[slot] as number)))
    }
    const output = this.#output
    output.reserve(size)
    this.#out = output.bytes
    this.#outWords = output.words
    if (this.#in !== buffer) {
      this.#in = buffer
      this.#inWords = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    }
    const out = this.#out
    let at = output.length
    for (let n = 0; n < slots.length; n += 1) {
      if (n > 0) {
        out[at] = COMMA
        at += 1
      }
      const slot = slots[n] as number
      const kind = kinds[slot] as number
      if (kind !== ABSENT) at = this.#cell(at, kind, starts[slot] as number, ends[slot] as number)
    }
    out[at] = CARRIAGE_RETURN
    out[at + 1] = NEWLINE
    output.length = at + 2
  }

  #cell(at: number, kind: number, from: number, to: number): number {
    if (kind === STRING) return this.#string(at, from, to)
    if (kind === NESTED) return this.#nested(at, from, to)
    const bytes = this.#in
    const out = this.#out
    if (kind === BARE) {
      for (let i = from; i < to; i += 1) out[at + i - from] = bytes[i] as number
      return at + to - from
    }
    return at + out.write(csvCell(Buffer.from(compactJson(bytes.subarray(from, to))).toString(), false), at)
  }

  #string(start: number, from: number, to: number): number {
    const bytes = this.#in
    const out = this.#out
    const inWords = this.#inWords
    const outWords = this.#outWords
    let at = start
    let isQuoted = false
    if (this.#guard && isFormula(bytes, from, to)) {
      out[at] = APOSTROPHE
      at += 1
    }
    for (let i = from; i < to; ) {
      while (i + 4 <= to) {
        const word = inWords.getInt32(i, true)
        if (isSpecial(word)) break
        outWords.setInt32(at, word, true)
        i += 4
        at += 4
      }
      // Up to the special byte, or the last three.
      for (const end = Math.min(i + 4, to); i < end; i += 1) {
        const c = bytes[i] as number
        out[at] = c
        at += 1
        // An escape, or a control character, which JSON.parse refuses.
        if (c === BACKSLASH || c < 0x20) return this.#decoded(start, from, to)
        if (c !== COMMA || isQuoted) continue
        isQuoted = true
        out.copyWithin(start + 1, start, at)
        out[start] = QUOTE
        at += 1
      }
    }
    if (!isQuoted) return at
    out[at] = QUOTE
    return at + 1
  }

  #decoded(start: number, from: number, to: number): number {
    const bytes = this.#in
    const token = Buffer.from(bytes.buffer, bytes.byteOffset + from - 1, to - from + 2).toString()
    return start + this.#out.write(csvCell(JSON.parse(token) as string, this.#guard), start)
  }

  /** JSON text nearly always holds a quote, so it is written quoted, and moved where it proves to need none. */
  #nested(start: number, from: number, to: number): number {
    const bytes = this.#in
    const out = this.#out
    const inWords = this.#inWords
    const outWords = this.#outWords
    out[start] = QUOTE
    let at = start + 1
    let i = from
    while (i + 4 <= to) {
      const word = inWords.getInt32(i, true)
      outWords.setInt32(at, word, true)
      const quotes = zeroBytes(word ^ QUOTES)
      const step = quotes === 0 ? 4 : 1 + ((31 - Math.clz32(quotes & -quotes)) >> 3)
      i += step
      at += step
      if (quotes === 0) continue
      out[at] = QUOTE
      at += 1
    }
    for (; i < to; i += 1) {
      const c = bytes[i] as number
      out[at] = c
      at += 1
      if (c !== QUOTE) continue
      out[at] = QUOTE
      at += 1
    }
    const hasQuote = at - start - 1 > to - from
    if (hasQuote || bytes.subarray(from, to).includes(COMMA)) {
      out[at] = QUOTE
      return at + 1
    }
    out.copyWithin(start, start + 1, at)
    return at - 1
  }
}

const QUOTES = 0x22222222
const COMMAS = 0x2c2c2c2c
const BACKSLASHES = 0x5c5c5c5c
const BLANKS = 0x20202020

/** Whether one of four bytes is a comma, a backslash or below a blank; a byte after a special one may be taken for special, never the reverse. */
function isSpecial(word: number): boolean {
  const below = (word - BLANKS) & ~word & 0x80808080
  return (zeroBytes(word ^ COMMAS) | zeroBytes(word ^ BACKSLASHES) | below) !== 0
}

/** The top bit of each byte that is zero, reliable up to the lowest of them. */
function zeroBytes(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080
}

function isFormula(bytes: Uint8Array, from: number, to: number): boolean {
  const kind = from < to ? FORMULA[bytes[from] as number] : 0
  if (kind !== 2) return kind === 1
  const third = bytes[from + 2]
  return (
    to - from >= 3 &&
    bytes[from + 1] === 0xbc &&
    (third === 0x9d || third === 0x8b || third === 0x8d || third === 0xa0)
  )
}
