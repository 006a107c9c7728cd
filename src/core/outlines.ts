import { escapeLength, scalarEnd } from './json-check.ts'
import { WordView } from './word-view.ts'

/**
 * What events look like apart from their values. A log repeats itself: an event of a known outline is compared with it eight bytes at a
 * time, which proves its structure and finds its values for half of what scanning it costs.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const MINUS = 0x2d
const SPACE = 0x20
const NEWLINE = 0x0a

/** What follows the fixed text of a step: a string, whose quotes belong to the fixed text, a number, or nothing. */
const STRING = 0
const NUMBER = 1
const END = 2

/** What is longer or holds more is not worth remembering. */
const MAX_BYTES = 16 * 1024
const MAX_VALUES = 512
const MAX_SIBLINGS = 48
/** Of all outlines together; what is met later is scanned. */
const MAX_STEPS = 16 * 1024
/** Learning costs some twenty times a scan, so it must pay: so many at first, then one for every 32 events that were recognised. */
const FREE_LESSONS = 64
const HITS_A_LESSON = 32

/** One outline: fixed texts and a value between each two of them. `id` and `time` are the numbers of those values, -1 where it is not known. */
export type Outline = {
  /** Its place in `Outlines.all`. */
  readonly number: number
  /** The lengths of the texts, and their first bytes. */
  readonly texts: Int32Array
  readonly firsts: Uint8Array
  readonly id: number
  readonly time: number
}

/** The fixed text between two values. Where outlines part, the step before has several that may follow, the last one met first. */
class Step {
  readonly text: Uint8Array
  readonly length: number
  /** The text as doubles: two are equal where their bytes are, but for zeros, which no text holds, and what is no number, which equals nothing. */
  readonly doubles: Float64Array
  /** Its last eight bytes. */
  readonly tail: number
  /** For a shorter text its first four bytes, of which those in `mask` count, and its last four. */
  readonly head: number
  readonly mask: number
  readonly last: number
  readonly kind: number
  first: Step | undefined = undefined
  sibling: Step | undefined = undefined
  outline: Outline | undefined = undefined

  constructor(text: Uint8Array, kind: number) {
    const { length } = text
    this.text = text
    this.length = length
    const padded = new DataView(new ArrayBuffer(length + 4))
    for (let i = 0; i < length; i += 1) padded.setUint8(i, text[i] as number)
    this.doubles = new Float64Array(length >> 3)
    for (let n = 0; n < this.doubles.length; n += 1) this.doubles[n] = padded.getFloat64(8 * n, true)
    this.tail = length < 8 ? 0 : padded.getFloat64(length - 8, true)
    this.head = padded.getInt32(0, true)
    this.mask = length < 4 ? (1 << (length * 8)) - 1 : -1
    this.last = length < 4 ? 0 : padded.getInt32(length - 4, true)
    this.kind = kind
  }
}

/** Remembers the outlines of a log's events, and recognises them; never one that spans lines. */
export class Outlines {
  readonly all: Outline[] = []
  /** The values of the event matched or learned last, in their order: number n lies in `[marks[2n], marks[2n + 1])`, strings inside their quotes. */
  readonly marks: Int32Array = new Int32Array(2 * MAX_VALUES)
  /** Of the event matched last. */
  outline: Outline | undefined
  /** Whether a string of the event matched last holds a backslash. */
  hasEscapes = false
  readonly #root = new Step(new Uint8Array(), NUMBER)
  #steps = 0
  #hits = 0
  #lessons = 0
  #bytes: Uint8Array = new Uint8Array()
  readonly #view = new WordView()

  /**
   * The index after the event that begins at `start`, or -1 when its outline is not known, a control character or a broken escape stands in
   * a string, or it lies at the very end of `bytes`. Sets `outline`, `marks` and `hasEscapes`.
   */
  match(bytes: Uint8Array, start: number): number {
    this.#bytes = bytes
    const words = this.#view.of(bytes)
    const marks = this.marks
    // Eight bytes are read where fewer of them count.
    const safe = bytes.length - 8
    let hasEscapes = false
    let parent = this.#root
    let mark = 0
    let i = start
    for (;;) {
      let before: Step | undefined
      let step = parent.first
      for (; step !== undefined; before = step, step = step.sibling) {
        if (i + step.length > safe) return -1
        const { doubles, length } = step
        if (length < 8) {
          if (((words.getInt32(i, true) ^ step.head) & step.mask) !== 0) continue
          if (length < 4 || words.getInt32(i + length - 4, true) === step.last) break
          continue
        }
        // Texts differ in their ends more often than in their beginnings.
        if (words.getFloat64(i + length - 8, true) !== step.tail) continue
        let k = 0
        let p = i
        while (k < doubles.length && words.getFloat64(p, true) === doubles[k]) {
          k += 1
          p += 8
        }
        if (k === doubles.length) break
      }
      if (step === undefined) return -1
      if (before !== undefined) {
        // What was met last is tried first.
        before.sibling = step.sibling
        step.sibling = parent.first
        parent.first = step
      }
      i += step.length
      const { kind } = step
      if (kind === END) {
        this.outline = step.outline
        this.hasEscapes = hasEscapes
        this.#hits += 1
        return i
      }
      marks[mark] = i
      if (kind === STRING) {
        for (;;) {
          let special = 0
          while (i <= safe) {
            const word = words.getInt32(i, true)
            // The top bit of each byte that is a quote, a backslash, a control character, or not ASCII; reliable up to the lowest of them.
            special = (((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES) | (word - SPACES)) & TOPS
            if (special !== 0) break
            i += 4
          }
          if (special === 0) return -1
          i += (31 - Math.clz32(special & -special)) >> 3
          const c = bytes[i] as number
          if (c === QUOTE) break
          if (c >= 0x80) i += 1
          else {
            const length = c === BACKSLASH ? escapeLength(bytes, i, safe) : 0
            if (length <= 0) return -1
            i += length
            hasEscapes = true
          }
        }
      } else {
        const c = bytes[i] as number
        i = isDigit(c) || c === MINUS ? scalarEnd(bytes, i, safe) : -1
        if (i < 0) return -1
      }
      marks[mark + 1] = i
      mark += 2
      parent = step
    }
  }

  /** Whether a value of the event matched last is plain: not empty, ASCII, no escapes. */
  isPlain(value: number): boolean {
    let i = this.marks[2 * value] as number
    const end = this.marks[2 * value + 1] as number
    if (i === end) return false
    const bytes = this.#bytes
    let all = 0
    // Nearly always a few bytes: fewer than it takes to ask the engine.
    for (; i < end; i += 1) {
      const c = bytes[i] as number
      if (c === BACKSLASH) return false
      all |= c
    }
    return all < 0x80
  }

  /**
   * Remembers the outline of `bytes[start, end)`, a balanced object that `match` did not know, unless that would not pay. `idStart` and
   * `timeStart`: where the texts of its id and time begin, if that is known. Returns the outline and sets `marks`.
   */
  learn(bytes: Uint8Array, start: number, end: number, idStart = -1, timeStart = -1): Outline | undefined {
    if (end - start > MAX_BYTES || this.#steps > MAX_STEPS) return undefined
    if (this.#lessons >= FREE_LESSONS + this.#hits / HITS_A_LESSON) return undefined
    this.#lessons += 1
    const { marks } = this
    const values = markValues(bytes, start, end, marks)
    if (values < 0) return undefined
    let step: Step | undefined = this.#root
    let [id, time] = [-1, -1]
    const texts = new Int32Array(values + 1)
    const firsts = new Uint8Array(values + 1)
    let from = start
    for (let n = 0; n <= values && step !== undefined; n += 1) {
      const isLast = n === values
      const to = isLast ? end : (marks[2 * n] as number)
      if (to === idStart) id = n
      if (to === timeStart) time = n
      texts[n] = to - from
      firsts[n] = bytes[from] as number
      step = this.#after(step, bytes.subarray(from, to), isLast ? END : (kinds[n] as number))
      from = isLast ? end : (marks[2 * n + 1] as number)
    }
    if (step === undefined) return undefined
    step.outline = { number: this.all.length, texts, firsts, id, time }
    this.all.push(step.outline)
    return step.outline
  }

  /** The step with that text, a new one if need be; undefined where too many part already. */
  #after(parent: Step, text: Uint8Array, kind: number): Step | undefined {
    let siblings = 0
    for (let step = parent.first; step !== undefined; step = step.sibling) {
      if (step.kind === kind && Buffer.compare(step.text, text) === 0) return step
      siblings += 1
    }
    // Zeros are equal whatever their sign: see `Step.doubles`. And who reads replies relies on that no event spans lines.
    if (siblings === MAX_SIBLINGS || text.includes(0) || text.includes(NEWLINE)) return undefined
    const step = new Step(Uint8Array.from(text), kind)
    step.sibling = parent.first
    parent.first = step
    this.#steps += 1
    return step
  }
}

const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const SPACES = 0x20202020
const ONES = 0x01010101
const TOPS = 0x80808080

/** Of the values that `markValues` met. */
const kinds = new Uint8Array(MAX_VALUES)

/** Sets the bounds of each string that is no key and of each number, and returns how many there are; -1 for too many, or where a number is none. */
function markValues(bytes: Uint8Array, start: number, end: number, marks: Int32Array): number {
  let values = 0
  for (let i = start; i < end; ) {
    const from = i
    const c = bytes[i] as number
    i += 1
    let kind = NUMBER
    if (c === QUOTE) {
      while (i < end && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
      i += 1
      let after = i
      while (after < end && (bytes[after] as number) <= SPACE) after += 1
      if (bytes[after] === COLON) continue
      kind = STRING
    } else if (isDigit(c) || c === MINUS) {
      i = scalarEnd(bytes, from, end)
      if (i < 0) return -1
    } else continue
    if (values === MAX_VALUES) return -1
    const quote = kind === STRING ? 1 : 0
    kinds[values] = kind
    marks[2 * values] = from + quote
    marks[2 * values + 1] = i - quote
    values += 1
  }
  return values
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39
}
