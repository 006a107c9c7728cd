/** What is kept for the next reading at most. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024
/** Smaller ones cost the engine nothing. */
const LEAST_BYTES = 64 * 1024

/**
 * Memory for what is read, used again once it is given back. A fresh buffer for each reading would cost more than the reading: the system
 * clears its pages, and the collector walks the heap for every 64 MB of them.
 */
export class Buffers {
  #spare: Buffer[] = []
  #spareBytes = 0
  /** What was handed out: weakly, for not every reader gives back. */
  readonly #taken = new WeakSet<ArrayBufferLike>()

  /** A buffer of that length, with whatever it held before. */
  take(bytes: number): Buffer {
    const at = this.#spare.findIndex(({ length }) => length >= bytes && length < 2 * bytes + LEAST_BYTES)
    const found = at < 0 ? undefined : this.#spare.splice(at, 1)[0]
    const buffer = found ?? Buffer.allocUnsafeSlow(bytes)
    if (found !== undefined) this.#spareBytes -= found.length
    this.#taken.add(buffer.buffer)
    return buffer.subarray(0, bytes)
  }

  /** Takes back what `take` gave, at which nobody looks any more; what came from elsewhere is left alone. */
  give(buffer: Buffer): void {
    if (!this.#taken.delete(buffer.buffer)) return
    const whole = Buffer.from(buffer.buffer)
    if (whole.length < LEAST_BYTES || this.#spareBytes + whole.length > MAX_SPARE_BYTES) return
    this.#spare.push(whole)
    this.#spareBytes += whole.length
  }

  clear(): void {
    this.#spare = []
    this.#spareBytes = 0
  }
}
