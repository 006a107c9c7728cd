import type { Spans, Splitter } from './spans.ts'

/** Lines without their ends and the blanks around them; blank lines are records too, empty ones, so that records can be counted as lines. */
export class LineSplitter implements Splitter {
  readonly isByLine: boolean
  readonly #newline: number

  /** `newline`: 10, or 13 for a text whose lines end in a lone carriage return. */
  constructor(newline: number) {
    this.#newline = newline
    this.isByLine = newline === 10
  }

  split(bytes: Buffer, from: number, limit: number, isLast: boolean, spans: Spans): number {
    const newline = this.#newline
    let start = from
    while (start < limit) {
      let end = bytes.indexOf(newline, start)
      if (end < 0 || end >= limit) {
        if (!isLast) return start
        end = limit
      }
      let [first, last] = [start, end]
      while (last > first && isBlank(bytes[last - 1] as number)) last -= 1
      while (first < last && isBlank(bytes[first] as number)) first += 1
      spans.add(first, last)
      start = end + 1
    }
    return Math.min(start, limit)
  }

  problem(): undefined {
    return undefined
  }
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x0d || c === 0x09
}
