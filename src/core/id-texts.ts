const LENGTH_BYTES = 4

/** The spellings of ids that are no UUIDs, in a row: their bits are hashes, from which they cannot be spelled. */
export class IdTexts {
  #bytes = Buffer.alloc(0)
  #used = 0

  get length(): number {
    return this.#used
  }

  add(text: Uint8Array): void {
    const needed = this.#used + LENGTH_BYTES + text.length
    if (needed > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(1024, needed * 2))
      this.#bytes.copy(larger, 0, 0, this.#used)
      this.#bytes = larger
    }
    this.#bytes.writeUInt32LE(text.length, this.#used)
    this.#bytes.set(text, this.#used + LENGTH_BYTES)
    this.#used = needed
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#used)
  }

  clear(): void {
    this.#bytes = Buffer.alloc(0)
    this.#used = 0
  }
}

/** What `IdTexts` wrote, as texts. */
export function textsIn(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const texts: string[] = []
  for (let at = 0; at < buffer.length; ) {
    const end = at + LENGTH_BYTES + buffer.readUInt32LE(at)
    texts.push(buffer.toString('utf8', at + LENGTH_BYTES, end))
    at = end
  }
  return texts
}

/** Whether these are the bits of a hash: no UUID of RFC 9562 has the top three bits of its third word set. */
export function isHashed(thirdWord: number): boolean {
  return thirdWord >>> 29 === 7
}
