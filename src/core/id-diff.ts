import { IdArena, type IdRun } from './id-arena.ts'
import { idBits, packId, packIdAt } from './id-bits.ts'
import { type DiffPart, DiffTable, type SideIds } from './id-diff-table.ts'
import { hashOfBits } from './id-hash.ts'
import { IdTexts, isHashed, textsIn } from './id-texts.ts'

/** Where ids go that do not fit in memory; storage has one in a temporary file. Synchronous, for it is called once in millions of ids. */
export interface IdSpill {
  /** Where `bytes` now lie. @throws LocalError when the disk is full */
  append(bytes: Uint8Array): number
  read(position: number, into: Uint8Array): void
  /** Removes it. */
  close?(): void
}

export type IdDiffOptions = {
  /** Opened when the ids outgrow `maxBytes`. Without one they are refused. */
  readonly spill?: () => IdSpill
  /** Bytes of ids in memory before they are spilled; 16 an id. */
  readonly maxBytes?: number
}

type Piece = { readonly position: number; readonly bytes: number }

const PARTS = 256
const SIDES = 2
const DEFAULT_MAX_BYTES = 192 * 1024 * 1024

/**
 * Compares two lists of ids of any length, in any order and in turns: ids are split by a hash into 256 parts, each small enough for a table
 * near the processor, and what outgrows memory waits in a file. UUIDs are compared exactly, whatever their spelling; other ids by 128-bit
 * hashes (see `packId`).
 */
export class IdDiff {
  readonly #arena: IdArena
  readonly #options: IdDiffOptions
  readonly #maxBytes: number
  readonly #counts = new Float64Array(PARTS * SIDES)
  readonly #pieces: Piece[][] = []
  readonly #texts: IdTexts[] = []
  readonly #textPieces: Piece[][] = []
  #textBytes = 0
  #spill: IdSpill | undefined
  /** For what was spilled of each side. */
  readonly #scratch = [new Scratch(), new Scratch()] as const

  constructor(options: IdDiffOptions = {}) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    this.#arena = new IdArena(this.#maxBytes, PARTS * SIDES)
    for (let n = 0; n < PARTS * SIDES; n += 1) {
      this.#pieces.push([])
      this.#texts.push(new IdTexts())
      this.#textPieces.push([])
    }
  }

  addLeft(id: string): void {
    packId(id)
    if (!this.#add(0)) this.#addText(0, Buffer.from(id))
  }

  /** The same for an id in `buffer[start, end)`. */
  addLeftAt(buffer: Uint8Array, start: number, end: number): void {
    packIdAt(buffer, start, end)
    if (!this.#add(0)) this.#addText(0, buffer.subarray(start, end))
  }

  addRight(id: string): void {
    packId(id)
    if (!this.#add(PARTS)) this.#addText(PARTS, Buffer.from(id))
  }

  addRightAt(buffer: Uint8Array, start: number, end: number): void {
    packIdAt(buffer, start, end)
    if (!this.#add(PARTS)) this.#addText(PARTS, buffer.subarray(start, end))
  }

  /** The differences, part by part and in no order within; to be asked for once, after the last id. */
  *parts(): Generator<DiffPart> {
    const table = new DiffTable()
    for (let n = 0; n < PARTS; n += 1) {
      if ((this.#counts[n] as number) + (this.#counts[n + PARTS] as number) === 0) continue
      yield table.compare(this.#side(n, this.#scratch[0]), this.#side(n + PARTS, this.#scratch[1]))
    }
  }

  /** Adds the id packed last to a side, whose parts begin at `base`; false when its bits do not spell it. */
  #add(base: number): boolean {
    const part = base + (hashOfBits() >>> 24)
    if (!this.#arena.add(part)) {
      this.#spillAll()
      this.#arena.add(part)
    }
    this.#counts[part] = (this.#counts[part] as number) + 1
    return !isHashed(idBits[2] as number)
  }

  #addText(base: number, text: Uint8Array): void {
    this.#texts[base + (hashOfBits() >>> 24)]?.add(text)
    this.#textBytes += text.length
    if (this.#textBytes > this.#maxBytes) this.#spillAll()
  }

  /** Puts what is in memory on disk and begins anew. */
  #spillAll(): void {
    this.#spill ??= this.#options.spill?.()
    const spill = this.#spill
    if (spill === undefined) throw new RangeError(`the ids outgrew ${this.#maxBytes} bytes of memory`)
    for (let part = 0; part < PARTS * SIDES; part += 1) {
      const bytes = bytesOf(this.#scratch[0].join(this.#arena.runs(part)))
      if (bytes.length > 0) this.#pieces[part]?.push({ position: spill.append(bytes), bytes: bytes.length })
      const texts = this.#texts[part]
      if (texts === undefined || texts.length === 0) continue
      this.#textPieces[part]?.push({ position: spill.append(texts.bytes()), bytes: texts.length })
      texts.clear()
    }
    this.#textBytes = 0
    this.#arena.clear()
  }

  #side(part: number, scratch: Scratch): SideIds {
    const texts = this.#texts[part] ?? new IdTexts()
    const pieces = this.#pieces[part] ?? []
    const words = scratch.room(bytesIn(pieces) / 4)
    this.#read(pieces, bytesOf(words))
    const textPieces = this.#textPieces[part] ?? []
    const spelled = Buffer.alloc(bytesIn(textPieces) + texts.length)
    this.#read(textPieces, spelled)
    spelled.set(texts.bytes(), spelled.length - texts.length)
    return {
      count: this.#counts[part] as number,
      runs: [{ words, from: 0, to: words.length }, ...this.#arena.runs(part)],
      texts: textsIn(spelled),
    }
  }

  #read(pieces: readonly Piece[], into: Uint8Array): void {
    let at = 0
    for (const piece of pieces) {
      this.#spill?.read(piece.position, into.subarray(at, at + piece.bytes))
      at += piece.bytes
    }
  }
}

/** Memory that is used again and again: fresh pieces would pile up until the collector runs. */
class Scratch {
  #words = new Int32Array(0)

  room(words: number): Int32Array {
    if (words > this.#words.length) this.#words = new Int32Array(words + (words >> 2))
    return this.#words.subarray(0, words)
  }

  join(runs: Iterable<IdRun>): Int32Array {
    const all = [...runs]
    const words = this.room(all.reduce((sum, run) => sum + run.to - run.from, 0))
    let at = 0
    for (const run of all) {
      words.set(run.words.subarray(run.from, run.to), at)
      at += run.to - run.from
    }
    return words
  }
}

function bytesIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + piece.bytes, 0)
}

function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}
