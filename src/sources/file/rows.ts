import type { Outline, Outlines } from '../../core/outlines.ts'
import { lengthsOf, type PageValues, ValueList } from '../../core/page-values.ts'

/** Fields of one event in a table of rows: start, end, and the bounds of its id and its time; the last four are -1 where JSON.parse must tell. */
export const ROW = 6

/** Where events lie, and when they happened; kept by column of fixed width so that a million cost no objects. */
export class Rows {
  count = 0
  spans = new Int32Array(4096 * ROW)
  times = new Float64Array(4096)
  /** Of the same events. */
  readonly values = new ValueList()

  /** `known`: what tells where the values of the event are, if anything does. */
  add(start: number, end: number, found: Found, timeMs: number, known?: Outlines): void {
    if (known === undefined) this.values.addNone()
    else this.values.add(known)
    this.#add(start, end, found, timeMs)
  }

  /** Event `n` of another table, at another place. */
  addOf(other: Rows, n: number, start: number, end: number, found: Found): void {
    this.values.addOf(other.values, n)
    this.#add(start, end, found, other.times[n] as number)
  }

  clear(): void {
    this.count = 0
    this.values.clear()
  }

  /** The number of the first event from `first` on that begins at `limit` or behind it. */
  endBefore(limit: number, first: number): number {
    const { spans, count } = this
    let n = first
    while (n < count && (spans[n * ROW] as number) < limit) n += 1
    return n
  }

  spanOfTime(first: number, last: number): { readonly minMs: number; readonly maxMs: number } {
    const { times } = this
    let [minMs, maxMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let n = first; n < last; n += 1) {
      const time = times[n] as number
      if (time < minMs) minMs = time
      if (time > maxMs) maxMs = time
    }
    return { minMs, maxMs }
  }

  /** Times and rows of some events and where their values are, counted from `from`, as one stretch of numbers: `unpackRows` takes it apart again. */
  pack(first: number, last: number, from: number): Int32Array {
    const { spans, values } = this
    const begin = values.ats[first] as number
    const end = last < values.count ? (values.ats[last] as number) : values.used
    const count = last - first
    const [rowsAt, numbersAt, lengthsAt] = partsOf(count)
    // An even number, so that the next ones' times, too, lie where the engine wants doubles.
    const packed = new Int32Array((lengthsAt + ((end - begin + 1) >> 1) + 1) & ~1)
    new Float64Array(packed.buffer, 0, count).set(this.times.subarray(first, last))
    copyBounds(spans, first * ROW, last * ROW, from, packed.subarray(rowsAt))
    packed.set(values.numbers.subarray(first, last), numbersAt)
    const lengths = new Uint16Array(packed.buffer, lengthsAt * Int32Array.BYTES_PER_ELEMENT)
    lengths.set(values.lengths.subarray(begin, end))
    return packed
  }

  #add(start: number, end: number, found: Found, timeMs: number): void {
    if (this.count === this.times.length) this.#grow()
    const at = this.count * ROW
    const spans = this.spans
    spans[at] = start
    spans[at + 1] = end
    spans[at + 2] = found.idStart
    spans[at + 3] = found.idEnd
    spans[at + 4] = found.timeStart
    spans[at + 5] = found.timeEnd
    this.times[this.count] = timeMs
    this.count += 1
  }

  #grow(): void {
    const spans = new Int32Array(this.spans.length * 2)
    spans.set(this.spans)
    this.spans = spans
    const times = new Float64Array(this.times.length * 2)
    times.set(this.times)
    this.times = times
  }
}

/** Where rows, numbers of outlines, and lengths begin behind the times. */
function partsOf(count: number): readonly [number, number, number] {
  return [2 * count, (2 + ROW) * count, (2 + ROW + 1) * count]
}

// A function of its own, for the engine compiles a loop together with what was never run yet behind it, and throws that away again.
function copyBounds(spans: Int32Array, first: number, last: number, from: number, into: Int32Array): void {
  for (let i = first; i < last; i += 1) {
    const bound = spans[i] as number
    into[i - first] = bound < 0 ? bound : bound - from
  }
}

/** What `Rows.pack` made of `count` events. */
export function unpackRows(
  packed: Int32Array,
  count: number,
  outlines: readonly Outline[],
): { readonly times: Float64Array; readonly rows: Int32Array; readonly values: PageValues } {
  const [rowsAt, numbersAt, lengthsAt] = partsOf(count)
  const times = new Float64Array(packed.buffer, packed.byteOffset, count)
  const rows = packed.subarray(rowsAt, numbersAt)
  const numbers = packed.subarray(numbersAt, lengthsAt)
  const rest = packed.subarray(lengthsAt)
  const lengths = new Uint16Array(rest.buffer, rest.byteOffset, rest.length * 2)
  const ats = new Int32Array(count)
  let at = 0
  for (let n = 0; n < count; n += 1) {
    ats[n] = at
    at += lengthsOf(numbers[n] as number, outlines)
  }
  return { times, rows, values: { outlines, numbers, ats, lengths } }
}

export type Found = {
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

/** For an event whose id and time are read from its parsed record. */
export const NOT_PLAIN: Found = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }
