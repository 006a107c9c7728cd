import { packId, packIdAt } from './id-bits.ts'
import type { DiffPart } from './id-diff-table.ts'
import { DiffTable } from './id-diff-table.ts'
import { hashOfBits } from './id-hash.ts'
import type { IdSpill } from './id-partition.ts'
import { IdPartition } from './id-partition.ts'

export type IdDiffOptions = {
  /** Opened when the ids outgrow the bound; without one all stay in memory. */
  readonly spill?: () => IdSpill
  /** Bytes of ids in memory before they are spilled; 16 an id. */
  readonly maxBytes?: number
}

const PARTITIONS = 256
const DEFAULT_MAX_BYTES = 96 * 1024 * 1024

/**
 * Compares two lists of ids of any length, in any order and in turns: ids are split by a hash into 256 parts, each small enough for a table
 * that stays in the processor's cache, and parts that outgrow memory wait in a file. UUIDs are compared exactly, whatever their spelling;
 * other ids by 128-bit hashes (see `packId`).
 */
export class IdDiff {
  readonly #left: IdPartition[] = []
  readonly #right: IdPartition[] = []
  readonly #options: IdDiffOptions
  readonly #maxBytes: number
  #spill: IdSpill | undefined
  #heldBytes = 0

  constructor(options: IdDiffOptions = {}) {
    this.#options = options
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    for (let n = 0; n < PARTITIONS; n += 1) {
      this.#left.push(new IdPartition())
      this.#right.push(new IdPartition())
    }
  }

  addLeft(id: string): void {
    packId(id)
    this.#add(this.#left, id, undefined, 0, 0)
  }

  /** The same for an id in `buffer[start, end)`. */
  addLeftAt(buffer: Uint8Array, start: number, end: number): void {
    packIdAt(buffer, start, end)
    this.#add(this.#left, undefined, buffer, start, end)
  }

  addRight(id: string): void {
    packId(id)
    this.#add(this.#right, id, undefined, 0, 0)
  }

  addRightAt(buffer: Uint8Array, start: number, end: number): void {
    packIdAt(buffer, start, end)
    this.#add(this.#right, undefined, buffer, start, end)
  }

  /** The differences, part by part and in no order within; to be asked for once, after the last id. */
  *parts(): Generator<DiffPart> {
    const table = new DiffTable()
    for (let n = 0; n < PARTITIONS; n += 1) {
      const [left, right] = [this.#left[n], this.#right[n]]
      if (left === undefined || right === undefined || left.count + right.count === 0) continue
      yield table.compare(left.load(this.#spill), right.load(this.#spill))
      left.clear()
      right.clear()
    }
  }

  #add(
    side: readonly IdPartition[],
    id: string | undefined,
    buffer: Uint8Array | undefined,
    start: number,
    end: number,
  ): void {
    const part = side[hashOfBits() >>> 24] as IdPartition
    this.#heldBytes += part.add(id, buffer, start, end)
    if (this.#heldBytes > this.#maxBytes) this.#spillAll()
  }

  /** Puts what is in memory on disk; from then on it happens again whenever as much has come together. */
  #spillAll(): void {
    this.#spill ??= this.#options.spill?.()
    const spill = this.#spill
    if (spill === undefined) {
      this.#heldBytes = Number.NEGATIVE_INFINITY
      return
    }
    for (const part of this.#left) part.spill(spill)
    for (const part of this.#right) part.spill(spill)
    this.#heldBytes = 0
  }
}
