import type { Spans, Splitter } from './spans.ts'

const QUOTE = 0x22
const CR = 0x0d
/** A quote that is still open after this much is taken for a stray one. */
const MAX_ROW_BYTES = 8 * 1024 * 1024

/**
 * CSV rows without their line ends; a quoted cell may hold line breaks. Blank lines are left out. A row whose quote is never closed ends with
 * its first line, so that one broken row costs no other.
 * @source RFC 4180
 */
export class RowSplitter implements Splitter {
  readonly #newline: number
  readonly #delimiter: number

  constructor(newline: number, delimiter: number) {
    this.#newline = newline
    this.#delimiter = delimiter
  }

  split(bytes: Buffer, from: number, limit: number, isLast: boolean, spans: Spans): number {
    let start = from
    while (start < limit) {
      let end = this.#rowEnd(bytes, start, limit)
      if (end < 0) {
        if (!isLast && limit - start < MAX_ROW_BYTES) return start
        const line = bytes.indexOf(this.#newline, start)
        end = line < 0 || line > limit ? limit : line
      }
      // The last row may lack its line end, but only the end of the text shows that it is over.
      if (end === limit && !isLast) return start
      const last = end > start && bytes[end - 1] === CR ? end - 1 : end
      if (last > start) spans.add(start, last)
      start = end + 1
    }
    return Math.min(start, limit)
  }

  problem(): undefined {
    return undefined
  }

  /** The index of the row's line end, or `limit`; -1 when a quote is open there. */
  #rowEnd(bytes: Buffer, start: number, limit: number): number {
    const newline = this.#newline
    const delimiter = this.#delimiter
    let i = start
    while (i < limit) {
      // A cell begins at i.
      if (bytes[i] === QUOTE) {
        i = bytes.indexOf(QUOTE, i + 1)
        while (i >= 0 && i < limit && bytes[i + 1] === QUOTE) i = bytes.indexOf(QUOTE, i + 2)
        if (i < 0 || i >= limit) return -1
        i += 1
      }
      while (i < limit && bytes[i] !== delimiter && bytes[i] !== newline) i += 1
      if (i >= limit || bytes[i] === newline) return i
      i += 1
    }
    return i
  }
}
