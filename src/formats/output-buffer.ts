const LEAST_BYTES = 1 << 20

/** One growing buffer that is filled again for every page, so that writing a million events allocates nothing. */
export class OutputBuffer {
  /** Write at `length` and move it; no further than `reserve` made room for. */
  bytes = Buffer.allocUnsafeSlow(LEAST_BYTES)
  /** The same bytes, for writing four at once. */
  words = new DataView(this.bytes.buffer)
  length = 0

  clear(): void {
    this.length = 0
  }

  /** Makes room for so many bytes more. `bytes` may be another buffer afterwards. */
  reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
    this.words = new DataView(larger.buffer)
  }

  text(text: string): void {
    this.reserve(text.length * 3)
    this.length += this.bytes.write(text, this.length, 'utf8')
  }

  /** What was written since `clear`; good until it is called again. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }
}
