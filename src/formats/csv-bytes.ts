import { type AuditEvent, SpanEvent } from '../core/event.ts'
import { compactJson } from '../core/json-members.ts'
import { type Outline, Outlines } from '../core/outlines.ts'
import { WordView } from '../core/word-view.ts'
import { ABSENT, BARE, ColumnSpans, NESTED, STRING } from './column-spans.ts'
import { type CsvOptions, csvHeader, csvLine } from './csv.ts'
import { csvCell } from './csv-cell.ts'
import { COMMAS, FORMULA, isFormula, isSpecial, QUOTES, zeroBytes } from './csv-words.ts'
import type { EventWriter } from './event-writer.ts'
import { OutputBuffer } from './output-buffer.ts'
import { CELL, planRow, type RowPlan } from './row-plan.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const APOSTROPHE = 0x27
const CARRIAGE_RETURN = 0x0d
const NEWLINE = 0x0a

/**
 * The same bytes as the reference (`csv.ts`), copied from the bytes of events instead of built from objects: by the plan of its outline
 * where an event has a known one, else by searching it for the columns. What cannot be proven to be usual is left to the reference, an
 * event at a time.
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
  /** For events of which it is not known yet where their values lie. */
  readonly #outlines = new Outlines()
  /** By outline, those that pages know included. */
  readonly #plans = new Map<Outline, RowPlan | 'none'>()
  readonly #paths: readonly (readonly string[])[]
  readonly #guard: boolean
  #in: Uint8Array = new Uint8Array()
  readonly #view = new WordView()
  #inWords = this.#view.of(this.#in)
  #out = this.#output.bytes
  #outWords = this.#output.words

  constructor(columns: readonly string[], guard: boolean) {
    this.#spans = new ColumnSpans(columns)
    this.#paths = columns.map((column) => column.split('.'))
    this.#guard = guard
  }

  rows(events: readonly AuditEvent[]): Uint8Array {
    this.#output.clear()
    this.#write(events)
    return this.#output.view()
  }

  // With anything behind it the loop would be compiled before that was ever run, and each page would end in code that must be given up.
  #write(events: readonly AuditEvent[]): void {
    for (let n = 0; n < events.length; n += 1) {
      const event = events[n] as AuditEvent
      if (!this.#writeKnown(event) && !this.#writeUsual(event))
        this.#output.text(csvLine(event, this.#paths, { guard: this.#guard }))
    }
  }

  /** Writes the row when the event's outline and values are known: to its page, or by comparing it. */
  #writeKnown(event: AuditEvent): boolean {
    const { buffer, start, end } = event
    const outlines = this.#outlines
    const isKnown =
      (event instanceof SpanEvent && event.readValues(outlines)) || outlines.match(buffer, start) === end
    const { outline } = outlines
    if (!isKnown || outline === undefined) return false
    let plan = this.#plans.get(outline)
    if (plan === undefined) {
      const isFound = this.#spans.find(buffer, start, end)
      plan = isFound ? planRow(this.#spans, buffer, outlines.marks, outline.texts.length - 1) : undefined
      this.#plans.set(outline, plan ?? 'none')
    }
    if (plan === undefined || plan === 'none') return false
    this.#writePlanned(plan, buffer, end - start)
    return true
  }

  /** The row of the event whose marks were read last. */
  #writePlanned(plan: RowPlan, buffer: Uint8Array, size: number): void {
    const { words, wordEnds, lengths, values, kinds } = plan
    const { marks, hasEscapes } = this.#outlines
    this.#reserve(buffer, plan.room + 2 * plan.uses * size)
    const bytes = this.#in
    const inWords = this.#inWords
    const outWords = this.#outWords
    let at = this.#output.length
    let word = 0
    for (let n = 0; ; n += 1) {
      const wordEnd = wordEnds[n] as number
      for (let to = at; word < wordEnd; word += 1, to += 4) outWords.setInt32(to, words[word] as number, true)
      at += lengths[n] as number
      const value = values[n] as number
      if (value < 0) break
      const from = marks[2 * value] as number
      const to = marks[2 * value + 1] as number
      let i = from
      let o = at
      if (kinds[n] !== CELL) {
        if (hasEscapes) at = this.#doubled(at, from, to)
        else {
          for (; i < to; i += 4, o += 4) outWords.setInt32(o, inWords.getInt32(i, true), true)
          at += to - from
        }
        continue
      }
      let commas = 0
      for (; i + 4 <= to; i += 4, o += 4) {
        const four = inWords.getInt32(i, true)
        outWords.setInt32(o, four, true)
        commas |= zeroBytes(four ^ COMMAS)
      }
      const rest = inWords.getInt32(i, true)
      outWords.setInt32(o, rest, true)
      commas |= zeroBytes((rest ^ COMMAS) | (-1 << (8 * (to - i))))
      const isPlain = commas === 0 && !hasEscapes && !(this.#guard && FORMULA[bytes[from] as number] !== 0)
      at = isPlain ? at + to - from : this.#string(at, from, to)
    }
    this.#output.length = at
  }

  /** Writes the row unless the event is unusual. A string that is not JSON inside is left to the reference too, for its error. */
  #writeUsual(event: AuditEvent): boolean {
    const { buffer, start, end } = event
    if (!this.#spans.find(buffer, start, end)) return false
    try {
      this.#row(event)
      this.#outlines.learn(buffer, start, end)
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
    this.#reserve(buffer, size)
    const output = this.#output
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

  /** Makes room for so many bytes more, of an event that lies in `buffer`. */
  #reserve(buffer: Uint8Array, size: number): void {
    this.#output.reserve(size)
    this.#out = this.#output.bytes
    this.#outWords = this.#output.words
    this.#in = buffer
    this.#inWords = this.#view.of(buffer)
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
    const out = this.#out
    out[start] = QUOTE
    const at = this.#doubled(start + 1, from, to)
    const hasQuote = at - start - 1 > to - from
    if (hasQuote || this.#in.subarray(from, to).includes(COMMA)) {
      out[at] = QUOTE
      return at + 1
    }
    out.copyWithin(start, start + 1, at)
    return at - 1
  }

  /** A copy with every quote doubled. */
  #doubled(start: number, from: number, to: number): number {
    const bytes = this.#in
    const out = this.#out
    const inWords = this.#inWords
    const outWords = this.#outWords
    let at = start
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
    return at
  }
}
