import { idBits } from './id-bits.ts'

const WORDS = 4
const LEAST_ROWS = 32
const LENGTH_BYTES = 4

/** Where ids go that do not fit in memory; storage has one in a temporary file. Synchronous, for it is called once in thousands of ids. */
export interface IdSpill {
  /** Where `bytes` now lie. @throws LocalError when the disk is full */
  append(bytes: Uint8Array): number
  read(position: number, into: Uint8Array): void
}

/** A part's ids in one piece. `texts` spells those that are no UUIDs, in their order. */
export type LoadedIds = {
  readonly words: Int32Array
  readonly count: number
  readonly texts: readonly string[]
}

type Piece = { readonly position: number; readonly bytes: number }

/** The ids of one side that fall into one part: 16 bytes each, and the text of those that the bits cannot give back. */
export class IdPartition {
  count = 0
  #words = new Int32Array(0)
  #used = 0
  #pieces: Piece[] = []
  #texts: Buffer | undefined
  #textBytes = 0
  #textPieces: Piece[] = []

  /** Adds the id packed last, whose spelling is `id` or in `buffer[start, end)`; returns how many bytes of memory it took. */
  add(id: string | undefined, buffer: Uint8Array | undefined, start: number, end: number): number {
    const at = this.#used
    if (at === this.#words.length) this.#grow()
    const words = this.#words
    const w2 = idBits[2] as number
    words[at] = idBits[0] as number
    words[at + 1] = idBits[1] as number
    words[at + 2] = w2
    words[at + 3] = idBits[3] as number
    this.#used = at + WORDS
    this.count += 1
    if (!isHashed(w2)) return WORDS * 4
    return WORDS * 4 + this.#addText(id, buffer, start, end)
  }

  spill(to: IdSpill): void {
    if (this.#used > 0) {
      const bytes = bytesOf(this.#words.subarray(0, this.#used))
      this.#pieces.push({ position: to.append(bytes), bytes: bytes.length })
      this.#used = 0
    }
    if (this.#texts !== undefined && this.#textBytes > 0) {
      const bytes = this.#texts.subarray(0, this.#textBytes)
      this.#textPieces.push({ position: to.append(bytes), bytes: bytes.length })
      this.#textBytes = 0
    }
  }

  load(from: IdSpill | undefined): LoadedIds {
    if (this.#pieces.length === 0) {
      return {
        words: this.#words,
        count: this.count,
        texts: textsOf(this.#texts?.subarray(0, this.#textBytes)),
      }
    }
    const words = new Int32Array(this.count * WORDS)
    const used = gather(bytesOf(words), this.#pieces, from)
    words.set(this.#words.subarray(0, this.#used), used / 4)
    const textBytes = this.#textPieces.reduce((sum, piece) => sum + piece.bytes, 0)
    const texts = Buffer.alloc(textBytes + this.#textBytes)
    gather(texts, this.#textPieces, from)
    this.#texts?.copy(texts, textBytes, 0, this.#textBytes)
    return { words, count: this.count, texts: textsOf(texts) }
  }

  clear(): void {
    this.count = 0
    this.#words = new Int32Array(0)
    this.#used = 0
    this.#pieces = []
    this.#texts = undefined
    this.#textBytes = 0
    this.#textPieces = []
  }

  #grow(): void {
    const larger = new Int32Array(Math.max(LEAST_ROWS * WORDS, this.#words.length * 2))
    larger.set(this.#words)
    this.#words = larger
  }

  #addText(id: string | undefined, buffer: Uint8Array | undefined, start: number, end: number): number {
    const text = id === undefined ? buffer?.subarray(start, end) : Buffer.from(id)
    const length = text?.length ?? 0
    const needed = this.#textBytes + LENGTH_BYTES + length
    if (this.#texts === undefined || needed > this.#texts.length) {
      const larger = Buffer.alloc(Math.max(1024, needed * 2))
      this.#texts?.copy(larger, 0, 0, this.#textBytes)
      this.#texts = larger
    }
    this.#texts.writeUInt32LE(length, this.#textBytes)
    if (text !== undefined) this.#texts.set(text, this.#textBytes + LENGTH_BYTES)
    this.#textBytes = needed
    return LENGTH_BYTES + length
  }
}

/** The bits are a hash, so that the id cannot be spelled from them: no UUID of RFC 9562 has the top three bits of the third word set. */
export function isHashed(thirdWord: number): boolean {
  return thirdWord >>> 29 === 7
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

function gather(into: Uint8Array, pieces: readonly Piece[], from: IdSpill | undefined): number {
  let at = 0
  for (const piece of pieces) {
    from?.read(piece.position, into.subarray(at, at + piece.bytes))
    at += piece.bytes
  }
  return at
}

function textsOf(bytes: Buffer | undefined): string[] {
  const texts: string[] = []
  for (let at = 0; bytes !== undefined && at < bytes.length; ) {
    const end = at + LENGTH_BYTES + bytes.readUInt32LE(at)
    texts.push(bytes.toString('utf8', at + LENGTH_BYTES, end))
    at = end
  }
  return texts
}
