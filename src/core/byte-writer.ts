const SLAB_BYTES = 256 * 1024
// Below this a loop is cheaper than a call into the engine's copy.
const LOOP_BYTES = 48

/** Puts bytes together piece by piece. Pieces lie in shared slabs that are never overwritten, so what `take` gives stays good. */
export class ByteWriter {
  #slab: Buffer
  #from = 0
  #at = 0

  constructor(slabBytes = SLAB_BYTES) {
    this.#slab = Buffer.allocUnsafeSlow(slabBytes)
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#at - this.#from
  }

  byte(value: number): this {
    if (this.#at === this.#slab.length) this.#grow(1)
    this.#slab[this.#at] = value
    this.#at += 1
    return this
  }

  /** Every character must be below 128. */
  ascii(text: string): this {
    const length = text.length
    if (this.#at + length > this.#slab.length) this.#grow(length)
    const slab = this.#slab
    const at = this.#at
    if (length > LOOP_BYTES) slab.write(text, at, length, 'latin1')
    else for (let i = 0; i < length; i += 1) slab[at + i] = text.charCodeAt(i)
    this.#at = at + length
    return this
  }

  /** As UTF-8. */
  text(text: string): this {
    const most = text.length * 3
    if (this.#at + most > this.#slab.length) this.#grow(most)
    this.#at += this.#slab.write(text, this.#at, most, 'utf8')
    return this
  }

  /** `bytes[start, end)`. */
  copy(bytes: Uint8Array, start = 0, end = bytes.length): this {
    const length = end - start
    if (this.#at + length > this.#slab.length) this.#grow(length)
    const slab = this.#slab
    const at = this.#at
    if (length > LOOP_BYTES) slab.set(bytes.subarray(start, end), at)
    else for (let i = 0; i < length; i += 1) slab[at + i] = bytes[start + i] as number
    this.#at = at + length
    return this
  }

  /** What was written since the last `take`: a view that nobody writes to again. */
  take(): Uint8Array {
    const taken = this.#slab.subarray(this.#from, this.#at)
    this.#from = this.#at
    return taken
  }

  /** Forgets what was written since the last `take`. */
  drop(): void {
    this.#at = this.#from
  }

  #grow(more: number): void {
    const written = this.#at - this.#from
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#slab.length, 2 * (written + more)))
    larger.set(this.#slab.subarray(this.#from, this.#at))
    this.#slab = larger
    this.#from = 0
    this.#at = written
  }
}
