/** What is kept for the next reading at most. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024
/** Smaller ones cost the engine nothing. */
const LEAST_BYTES = 64 * 1024
/** Pages of a log are of about one size; memory that is a little larger than the first of them serves the others too. */
const STEP_BYTES = 256 * 1024

/**
 * Memory for what is read, used again once it is given back. Fresh memory for each reading would cost more than the reading: the system
 * clears its pages, the collector walks the heap for every 64 MB of them, and what lies scattered among small pieces is not returned to
 * the system (measured: a third of the memory of an export of 3,000,000 events).
 */
export class Buffers {
  #spare: ArrayBuffer[] = []
  #spareBytes = 0
  /** What was handed out: weakly, for not every reader gives back. */
  readonly #taken = new WeakSet<ArrayBufferLike>()

  /** A buffer of that length, with whatever it held before. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const at = this.#spare.findIndex(
      ({ byteLength }) => byteLength >= bytes && byteLength < 2 * bytes + LEAST_BYTES,
    )
    const found = at < 0 ? undefined : this.#spare.splice(at, 1)[0]
    const memory = found ?? Buffer.allocUnsafeSlow(roundedUp(bytes)).buffer
    if (found !== undefined) this.#spareBytes -= found.byteLength
    this.#taken.add(memory)
    return Buffer.from(memory, 0, bytes)
  }

  /**
   * Takes back what `take` gave, at which nobody looks any more: it and every other view of its memory are empty afterwards, so that none can
   * ever show what is read there next. False for what came from elsewhere, which is left alone.
   */
  give({ buffer: memory }: Uint8Array): boolean {
    if (!(memory instanceof ArrayBuffer) || !this.#taken.delete(memory)) return false
    const isKept = memory.byteLength >= LEAST_BYTES && this.#spareBytes + memory.byteLength <= MAX_SPARE_BYTES
    const moved = memory.transfer(isKept ? memory.byteLength : 0)
    if (isKept) {
      this.#spare.push(moved)
      this.#spareBytes += moved.byteLength
    }
    return true
  }

  clear(): void {
    this.#spare = []
    this.#spareBytes = 0
  }
}

function roundedUp(bytes: number): number {
  return bytes < STEP_BYTES ? bytes : Math.ceil(bytes / STEP_BYTES) * STEP_BYTES
}
