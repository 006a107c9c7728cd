import { hexOfBits, idBits, packId, packIdAt } from './id-bits.ts'

const ROUNDS = 8

/**
 * A digest of many ids that does not depend on their order: the 128-bit mixes of the ids, added modulo 2^128, so that an id counted twice
 * changes it, unlike with exclusive or. Spellings of one UUID are equal (see `packId`). Digests of parts add up to that of the whole.
 * It tells an id set from another by accident, not from one made to look alike: that is what the SHA-256 of each file is for.
 */
export class IdDigest {
  readonly #sum = new Uint32Array(4)

  add(id: string): void {
    packId(id)
    this.#addBits()
  }

  /** The same for an id in `buffer[start, end)`. */
  addAt(buffer: Uint8Array, start: number, end: number): void {
    packIdAt(buffer, start, end)
    this.#addBits()
  }

  /** Adds the digest of another part, as `hex` gave it. @throws RangeError when it is none */
  addDigest(hex: string): void {
    if (!/^[0-9a-f]{32}$/.test(hex)) throw new RangeError(`not an id digest: ${JSON.stringify(hex)}`)
    const word = (n: number) => Number.parseInt(hex.slice(n * 8, n * 8 + 8), 16) | 0
    this.#sumUp(word(0), word(1), word(2), word(3))
  }

  /** 32 hexadecimal digits; zeros for no ids. */
  hex(): string {
    return hexOfBits(Int32Array.from(this.#sum))
  }

  /** The ids' bits go through the quarter round of ChaCha, eight times, each with another constant, and are added to the outcome. */
  #addBits(): void {
    const [w0, w1, w2, w3] = [
      idBits[0] as number,
      idBits[1] as number,
      idBits[2] as number,
      idBits[3] as number,
    ]
    // "expand 32-byte k", as ChaCha begins: without it the id of zeros would not count.
    let [a, b, c, d] = [w0 ^ 0x61707865, w1 ^ 0x3320646e, w2 ^ 0x79622d32, w3 ^ 0x6b206574]
    for (let round = 0; round < ROUNDS; round += 1) {
      a = (a + b + round) | 0
      d = rotate(d ^ a, 16)
      c = (c + d) | 0
      b = rotate(b ^ c, 12)
      a = (a + b) | 0
      d = rotate(d ^ a, 8)
      c = (c + d) | 0
      b = rotate(b ^ c, 7)
    }
    this.#sumUp((a + w0) | 0, (b + w1) | 0, (c + w2) | 0, (d + w3) | 0)
  }

  #sumUp(a: number, b: number, c: number, d: number): void {
    const sum = this.#sum
    const fourth = (sum[3] as number) + (d >>> 0)
    const third = (sum[2] as number) + (c >>> 0) + (fourth > 0xffffffff ? 1 : 0)
    const second = (sum[1] as number) + (b >>> 0) + (third > 0xffffffff ? 1 : 0)
    sum[3] = fourth
    sum[2] = third
    sum[1] = second
    sum[0] = (sum[0] as number) + (a >>> 0) + (second > 0xffffffff ? 1 : 0)
  }
}

function rotate(word: number, turn: number): number {
  return (word << turn) | (word >>> (32 - turn))
}
