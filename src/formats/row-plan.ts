import { ABSENT, BARE, type ColumnSpans, NESTED, STRING } from './column-spans.ts'

const QUOTE = 0x22
const COMMA = 0x2c

/** How a value is written: as a cell of its own, or as it stands inside JSON text. */
export const CELL = 0
export const INSIDE = 1

/** How the row of an event of one outline is put together: fixed texts, and after each but the last a value of the event. */
export type RowPlan = {
  /** The texts, each filled up to whole little-endian words. */
  readonly words: Int32Array
  /** By text: its words end here. */
  readonly wordEnds: Int32Array
  readonly lengths: Int32Array
  /** By text: the number of the value behind it; -1 for the last. */
  readonly values: Int32Array
  readonly kinds: Uint8Array
  /** Bytes that a row may need besides those of its values. */
  readonly room: number
  /** How often one value is written at most. */
  readonly uses: number
}

/**
 * The plan for events of the outline of one whose columns `spans` has just found and whose `values` values `marks` bound; undefined where
 * the columns are not made of whole values.
 */
export function planRow(
  spans: ColumnSpans,
  bytes: Uint8Array,
  marks: Int32Array,
  values: number,
): RowPlan | undefined {
  const plan = new PlanBuilder(bytes, marks, values)
  for (const [n, slot] of spans.slots.entries()) {
    if (n > 0) plan.text(COMMA)
    const kind = spans.kinds[slot] as number
    const [from, to] = [spans.starts[slot] as number, spans.ends[slot] as number]
    if (kind === ABSENT) continue
    if (kind === STRING || (kind === BARE && plan.isValue(from, to))) {
      if (!plan.value(from, to, kind === STRING ? CELL : INSIDE)) return undefined
    } else if (kind === BARE || kind === NESTED) {
      // A comma or a quote stands between the values if anywhere: numbers have none, and strings stand in quotes.
      const cell = bytes.subarray(from, to)
      const isQuoted = kind === NESTED && (cell.includes(QUOTE) || cell.includes(COMMA))
      if (isQuoted) plan.text(QUOTE)
      if (!plan.nested(from, to)) return undefined
      if (isQuoted) plan.text(QUOTE)
    } else return undefined
  }
  plan.text(0x0d)
  plan.text(0x0a)
  return plan.build()
}

class PlanBuilder {
  readonly #bytes: Uint8Array
  readonly #marks: Int32Array
  /** The number of the value that begins at a place. */
  readonly #numbers = new Map<number, number>()
  readonly #uses = new Map<number, number>()
  #text: number[] = []
  readonly #texts: Int32Array[] = []
  readonly #lengths: number[] = []
  readonly #values: number[] = []
  readonly #kinds: number[] = []

  constructor(bytes: Uint8Array, marks: Int32Array, values: number) {
    this.#bytes = bytes
    this.#marks = marks
    for (let n = 0; n < values; n += 1) this.#numbers.set(marks[2 * n] as number, n)
  }

  text(byte: number): void {
    this.#text.push(byte)
  }

  isValue(from: number, to: number): boolean {
    const value = this.#numbers.get(from)
    return value !== undefined && this.#marks[2 * value + 1] === to
  }

  /** False when no value lies exactly there. */
  value(from: number, to: number, kind: number): boolean {
    if (!this.isValue(from, to)) return false
    this.#close(this.#numbers.get(from) as number, kind)
    return true
  }

  /** JSON text with its quotes doubled. False when a value does not end in it. */
  nested(from: number, to: number): boolean {
    for (let i = from; i < to; ) {
      const value = this.#numbers.get(i)
      if (value === undefined) {
        const c = this.#bytes[i] as number
        this.text(c)
        if (c === QUOTE) this.text(QUOTE)
        i += 1
      } else {
        this.#close(value, INSIDE)
        i = this.#marks[2 * value + 1] as number
        if (i > to) return false
        // An empty string begins where it ends: its closing quote is met next.
        if (i === this.#marks[2 * value]) {
          this.text(QUOTE)
          this.text(QUOTE)
          i += 1
        }
      }
    }
    return true
  }

  build(): RowPlan {
    this.#close(-1, INSIDE)
    const words = new Int32Array(this.#texts.reduce((sum, text) => sum + text.length, 0))
    let used = 0
    const wordEnds = this.#texts.map((text) => {
      words.set(text, used)
      used += text.length
      return used
    })
    return {
      words,
      wordEnds: Int32Array.from(wordEnds),
      lengths: Int32Array.from(this.#lengths),
      values: Int32Array.from(this.#values),
      kinds: Uint8Array.from(this.#kinds),
      // Words overshoot; a cell may get a quote at each end and an apostrophe.
      room: 4 * words.length + 8 * this.#texts.length,
      uses: Math.max(0, ...this.#uses.values()),
    }
  }

  #close(value: number, kind: number): void {
    this.#texts.push(wordsOf(Uint8Array.from(this.#text)))
    this.#lengths.push(this.#text.length)
    this.#values.push(value)
    this.#kinds.push(kind)
    this.#text = []
    this.#uses.set(value, (this.#uses.get(value) ?? 0) + 1)
  }
}

/** The bytes as little-endian words, filled up with zeros. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((bytes.length >> 2) + 1)
  const view = new DataView(words.buffer)
  for (let i = 0; i < bytes.length; i += 1) view.setUint8(i, bytes[i] as number)
  for (let n = 0; n < words.length; n += 1) words[n] = view.getInt32(4 * n, true)
  return words
}
