const EVERY = 64

/** A view of the bytes asked for last, to read several at once. */
export class WordView {
  #bytes: Uint8Array = new Uint8Array()
  #view: DataView = new DataView(this.#bytes.buffer)
  #asked = 0

  of(bytes: Uint8Array): DataView {
    this.#asked += 1
    // Made anew now and then without need: the engine compiles no path that was never taken, and taking it throws away all code around it.
    if (bytes !== this.#bytes || this.#asked % EVERY === 0) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    return this.#view
  }
}
