import { Rows } from './rows.ts'

/** The most of the input that is held in memory: less than this is never written to disk. */
export const CHUNK_BYTES = 16 * 1024 * 1024

/** From `at` on, the chunk's bytes are those of the file from `offset` on. */
export type Segment = { readonly path: string; readonly offset: number; readonly at: number }

/** A stretch of the input in memory with the rows of its events, filled, put away and filled again. */
export class Chunk {
  bytes: Buffer
  filled = 0
  rows = new Rows()
  /** Undefined once something was put in that lies nowhere else in this form. */
  segments: Segment[] | undefined = []

  constructor(bytes = 1024 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Whether `bytes` more would make it larger than a chunk should be. */
  isFullWith(bytes: number): boolean {
    return this.filled > 0 && this.filled + bytes > CHUNK_BYTES
  }

  /** Makes room for `bytes` more and returns where they belong; the caller writes them and moves `filled`. */
  room(bytes: number): number {
    // One more: a scanner wants to see a byte behind the last one.
    const needed = this.filled + bytes + 1
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(needed, Math.min(this.bytes.length * 2, CHUNK_BYTES + 1)),
      )
      this.bytes.copy(larger, 0, 0, this.filled)
      this.bytes = larger
    }
    return this.filled
  }

  /** Copies `from[start, end)` in and returns where it begins here. */
  put(from: Buffer, start: number, end: number): number {
    const at = this.room(end - start)
    from.copy(this.bytes, at, start, end)
    this.filled = at + end - start
    this.bytes[this.filled] = 0x0a
    return at
  }

  /** Takes back what was put in last, when none of it was an event. */
  cutTo(filled: number): void {
    this.filled = filled
    while ((this.segments?.at(-1)?.at ?? -1) >= filled) this.segments?.pop()
  }

  clear(): void {
    this.filled = 0
    this.rows.clear()
    this.segments = []
  }
}
