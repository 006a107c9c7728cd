/** Where the records of a region lie: record n is `[starts[n], ends[n])`. Grows as needed and is used again for the next region. */
export class Spans {
  count = 0
  starts = new Int32Array(4096)
  ends = new Int32Array(4096)

  add(start: number, end: number): void {
    if (this.count === this.starts.length) {
      this.starts = larger(this.starts)
      this.ends = larger(this.ends)
    }
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count += 1
  }

  clear(): void {
    this.count = 0
  }
}

/** Cuts a text into records. `isByLine`: each line of the text is one, so that lines need not be counted. Told of the same text again and again, each time with more of it, until `isLast`. */
export interface Splitter {
  readonly isByLine?: boolean
  /**
   * Adds the whole records of `bytes[from, limit)` and returns where the first that is not over begins; with `isLast` all are over.
   * `bytes[limit]` is a newline that does not belong to the text.
   */
  split(bytes: Buffer, from: number, limit: number, isLast: boolean, spans: Spans): number
  /** What was wrong with the text as a whole, once it was split to its end. */
  problem(): string | undefined
}

function larger(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(numbers.length * 2)
  copy.set(numbers)
  return copy
}
