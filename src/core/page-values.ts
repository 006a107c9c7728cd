import type { Outline, Outlines } from './outlines.ts'

/**
 * Where the values of a page's events lie, for the events of a known outline: the lengths of their values, which the fixed texts of the
 * outline set apart. Whoever needs the values of an event then need not search it again.
 */
export type PageValues = {
  readonly outlines: readonly Outline[]
  /** By event: the number of its outline, `WITH_ESCAPES` added where a string holds a backslash; -1 for none. */
  readonly numbers: Int32Array
  /** By event: where its lengths begin in `lengths`. */
  readonly ats: Int32Array
  readonly lengths: Uint16Array
}

/** Whether values are to be collected: told by who had to do without them, to who finds the next events of the same log. */
export type ValueWish = { wantsValues: boolean }

const WITH_ESCAPES = 1 << 30
const MAX_LENGTH = 0xffff

/** Collects them, event by event. */
export class ValueList {
  count = 0
  numbers: Int32Array<ArrayBuffer>
  ats: Int32Array<ArrayBuffer>
  /** Of `lengths`. */
  used = 0
  lengths: Uint16Array<ArrayBuffer>

  constructor(events = 1024) {
    this.numbers = new Int32Array(events)
    this.ats = new Int32Array(events)
    this.lengths = new Uint16Array(16 * events)
  }

  /** An event whose values are not known. */
  addNone(): void {
    this.#add(-1)
  }

  /** The event that was matched last. */
  add({ outline, marks, hasEscapes }: Outlines): void {
    const values = outline === undefined ? 0 : outline.texts.length - 1
    const at = this.used
    while (at + values > this.lengths.length) this.lengths = larger(this.lengths, Uint16Array)
    const { lengths } = this
    let longest = 0
    for (let n = 0; n < values; n += 1) {
      const length = (marks[2 * n + 1] as number) - (marks[2 * n] as number)
      lengths[at + n] = length
      if (length > longest) longest = length
    }
    if (outline === undefined || longest > MAX_LENGTH) this.#add(-1)
    else {
      this.#add(hasEscapes ? outline.number + WITH_ESCAPES : outline.number)
      this.used = at + values
    }
  }

  /** An event of another list, which tells of the same outlines. */
  addOf(other: ValueList, n: number): void {
    const from = other.ats[n] as number
    const to = n + 1 < other.count ? (other.ats[n + 1] as number) : other.used
    const lengths = other.lengths.subarray(from, to)
    while (this.used + lengths.length > this.lengths.length) this.lengths = larger(this.lengths, Uint16Array)
    this.lengths.set(lengths, this.used)
    this.#add(other.numbers[n] as number)
    this.used += lengths.length
  }

  clear(): void {
    this.count = 0
    this.used = 0
  }

  /** Views of the list, which must not be added to any more. */
  values(outlines: readonly Outline[]): PageValues {
    return {
      outlines,
      numbers: this.numbers.subarray(0, this.count),
      ats: this.ats.subarray(0, this.count),
      lengths: this.lengths.subarray(0, this.used),
    }
  }

  /** The same in arrays of their own, of their exact length: the list may go on with other events. */
  copied(outlines: readonly Outline[]): PageValues {
    return {
      outlines,
      numbers: this.numbers.slice(0, this.count),
      ats: this.ats.slice(0, this.count),
      lengths: this.lengths.slice(0, this.used),
    }
  }

  #add(number: number): void {
    if (this.count === this.numbers.length) {
      this.numbers = larger(this.numbers, Int32Array)
      this.ats = larger(this.ats, Int32Array)
    }
    this.numbers[this.count] = number
    this.ats[this.count] = this.used
    this.count += 1
  }
}

/** Where the values of one event lie; `Outlines` tells the same of the event it matched last. */
export type EventValues = { outline: Outline | undefined; readonly marks: Int32Array; hasEscapes: boolean }

/**
 * Fills `into` with the outline of event `n`, which begins at `start`, and the bounds of its values. False when they are not known, or
 * when other bytes stand where its texts should begin.
 */
export function readValues(
  { outlines, numbers, ats, lengths }: PageValues,
  n: number,
  bytes: Uint8Array,
  start: number,
  into: EventValues,
): boolean {
  const number = numbers[n] as number
  if (number < 0) return false
  const outline = outlines[number & ~WITH_ESCAPES] as Outline
  const { texts, firsts } = outline
  const { marks } = into
  const last = texts.length - 1
  const at = ats[n] as number
  let i = start
  for (let k = 0; k < last; k += 1) {
    if (bytes[i] !== firsts[k]) return false
    i += texts[k] as number
    marks[2 * k] = i
    i += lengths[at + k] as number
    marks[2 * k + 1] = i
  }
  into.outline = outline
  into.hasEscapes = number >= WITH_ESCAPES
  return bytes[i] === firsts[last]
}

/** How many lengths an event has, from what `PageValues.numbers` says of it. */
export function lengthsOf(number: number, outlines: readonly Outline[]): number {
  return number < 0 ? 0 : (outlines[number & ~WITH_ESCAPES] as Outline).texts.length - 1
}

function larger<List extends Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>>(
  list: List,
  kind: new (length: number) => List,
): List {
  const copy = new kind(list.length * 2)
  copy.set(list)
  return copy
}
