import { isBitSet, setBit } from './bit-list.ts'
import { hexOfBits, idBits, packId, packIdAt } from './id-bits.ts'
import type { IdSpill } from './id-diff.ts'
import { spread } from './id-hash.ts'
import { IdPages } from './id-pages.ts'

export type Mark = 'absent' | 'first' | 'again'

/** `bits`: a copy; `textOfBits` spells them. */
export type IdEntry = { readonly bits: Int32Array; readonly number: number | undefined }

export type IdSetOptions = {
  /** How many ids to make room for at once; more may come. */
  readonly expected?: number
  /** Keep a number with each id, such as its time in milliseconds; 8 bytes more. */
  readonly numbers?: boolean
  /** Opened when the entries outgrow `maxBytes`, which are then kept there; without one all are in memory. */
  readonly spill?: (() => IdSpill) | undefined
  /** Bytes of entries in memory before they are spilled; the table that finds them stays, 7 bytes an entry. */
  readonly maxBytes?: number | undefined
}

const WORDS = 4
const LEAST_SLOTS = 1024
const LOAD = 0.75
const ENTRY_BYTES = 16
const NUMBER_BYTES = 8
const DEFAULT_MAX_BYTES = 48 * 1024 * 1024
/** What has to be spilled is long: the table is widened once for much more, rather than often with two of them in memory. */
const SPILLED_SLOTS = 10

/**
 * A set of ids as 128 bits each, 21 to 35 bytes an entry, and no strings. UUIDs are kept whole, so that comparing them is exact; other ids
 * are hashed (see `packId`). Every entry can be marked.
 *
 * Entries lie in the order they came, and a table of one word a slot says where: source and SIEM both tell ids in time order, so looking
 * one up usually touches memory that is near. A slot's word is the entry's number plus one, with the rest of its hash in the bits above.
 */
export class IdSet {
  #words: Int32Array
  #table: Int32Array
  #marks: Uint8Array
  #numbers: Float64Array | undefined
  #pages: IdPages | undefined
  #room: number
  readonly #hasNumbers: boolean
  readonly #spill: (() => IdSpill) | undefined
  /** Entries that may be in memory. */
  readonly #most: number
  #size = 0
  #marked = 0

  constructor({ expected = 0, numbers = false, spill, maxBytes = DEFAULT_MAX_BYTES }: IdSetOptions = {}) {
    let slots = LEAST_SLOTS
    while (slots * LOAD < expected) slots *= 2
    const room = Math.max(expected, LEAST_SLOTS * LOAD)
    this.#room = room
    this.#hasNumbers = numbers
    this.#spill = spill
    const most = Math.floor(maxBytes / (ENTRY_BYTES + (numbers ? NUMBER_BYTES : 0)))
    this.#most = spill === undefined ? Number.POSITIVE_INFINITY : most
    this.#table = new Int32Array(slots)
    this.#words = new Int32Array(room * WORDS)
    this.#marks = new Uint8Array((room >> 3) + 1)
    this.#numbers = numbers ? new Float64Array(room) : undefined
  }

  get size(): number {
    return this.#size
  }

  /** Entries never marked. */
  get unmarkedCount(): number {
    return this.#size - this.#marked
  }

  /** True when the id is new. `number` is kept for a new id only. */
  add(id: string, number?: number): boolean {
    packId(id)
    return this.#insert(number)
  }

  /** The same for an id in `buffer[start, end)`. */
  addAt(buffer: Uint8Array, start: number, end: number, number?: number): boolean {
    packIdAt(buffer, start, end)
    return this.#insert(number)
  }

  has(id: string): boolean {
    packId(id)
    return this.#find() >= 0
  }

  hasAt(buffer: Uint8Array, start: number, end: number): boolean {
    packIdAt(buffer, start, end)
    return this.#find() >= 0
  }

  /** `absent`: not in the set, which stays as it is; `again`: it was marked before. */
  mark(id: string): Mark {
    packId(id)
    return this.#mark()
  }

  markAt(buffer: Uint8Array, start: number, end: number): Mark {
    packIdAt(buffer, start, end)
    return this.#mark()
  }

  isMarked(id: string): boolean {
    packId(id)
    const entry = this.#find()
    return entry >= 0 && isBitSet(this.#marks, entry)
  }

  /** The number kept with the id; undefined when the id is absent or the set keeps none. */
  numberOf(id: string): number | undefined {
    packId(id)
    const entry = this.#find()
    if (entry < 0 || !this.#hasNumbers) return undefined
    return this.#entry(entry).number
  }

  /** Entries never marked, in the order they came. */
  *unmarked(): Generator<IdEntry> {
    for (let entry = 0; entry < this.#size; entry += 1) {
      if (!isBitSet(this.#marks, entry)) yield this.#entry(entry)
    }
  }

  *entries(): Generator<IdEntry> {
    for (let entry = 0; entry < this.#size; entry += 1) yield this.#entry(entry)
  }

  /** Empty again, with its memory kept for the next ids. */
  clear(): void {
    this.close()
    this.#table.fill(0)
    this.#marks.fill(0)
    this.#size = 0
    this.#marked = 0
  }

  /** Gives up what lies on disk; the set is then empty of it and must be cleared before it is used again. */
  close(): void {
    const pages = this.#pages
    this.#pages = undefined
    if (pages === undefined) return
    this.#room = 0
    pages.close()
  }

  #entry(entry: number): IdEntry {
    if (this.#pages !== undefined) {
      const bits = new Int32Array(WORDS)
      const number = this.#pages.read(entry, bits)
      return { bits, number }
    }
    const bits = this.#words.slice(entry * WORDS, (entry + 1) * WORDS)
    return { bits, number: this.#numbers?.[entry] }
  }

  #mark(): Mark {
    const entry = this.#find()
    if (entry < 0) return 'absent'
    if (isBitSet(this.#marks, entry)) return 'again'
    setBit(this.#marks, entry)
    this.#marked += 1
    return 'first'
  }

  /** The number of the entry that `idBits` are, or, as its complement, the empty slot where they belong. */
  #find(): number {
    const table = this.#table
    const words = this.#words
    const pages = this.#pages
    const mask = table.length - 1
    const w0 = idBits[0] as number
    const w1 = idBits[1] as number
    const w2 = idBits[2] as number
    const w3 = idBits[3] as number
    const hash = spread(w0, w1, w2, w3)
    let slot = hash & mask
    for (;;) {
      const word = table[slot] as number
      if (word === 0) return ~slot
      if (((word ^ hash) & ~mask) === 0) {
        const entry = (word & mask) - 1
        const at = entry * WORDS
        if (pages !== undefined) {
          if (pages.isAt(entry, w0, w1, w2, w3)) return entry
        } else if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3)
          return entry
      }
      slot = (slot + 1) & mask
    }
  }

  #insert(number: number | undefined): boolean {
    let empty = this.#find()
    if (empty >= 0) return false
    const entry = this.#size
    if (entry === this.#room) {
      this.#makeRoom()
      // Going to disk widens the table, and the slot is another one.
      empty = this.#find()
    }
    const words = this.#words
    const at = entry * WORDS
    const w0 = idBits[0] as number
    const w1 = idBits[1] as number
    const w2 = idBits[2] as number
    const w3 = idBits[3] as number
    if (this.#pages !== undefined) this.#pages.add(w0, w1, w2, w3, number ?? Number.NaN)
    else {
      words[at] = w0
      words[at + 1] = w1
      words[at + 2] = w2
      words[at + 3] = w3
      if (this.#numbers !== undefined) this.#numbers[entry] = number ?? Number.NaN
    }
    const table = this.#table
    table[~empty] = (spread(w0, w1, w2, w3) & -table.length) | (entry + 1)
    this.#size = entry + 1
    if (this.#size > table.length * LOAD) this.#widen(table.length * 2)
    return true
  }

  /** Half as much again, so that never more than a third of the entries' memory is empty. */
  #makeRoom(): void {
    const isFull = this.#pages === undefined && this.#size >= this.#most
    if (isFull) this.#toDisk()
    const wanted = Math.max(Math.ceil(this.#size * 1.5), LEAST_SLOTS * LOAD)
    const room = this.#pages === undefined ? Math.max(Math.min(wanted, this.#most), this.#size + 1) : wanted
    this.#room = room
    const marks = new Uint8Array((room >> 3) + 1)
    marks.set(this.#marks.subarray(0, marks.length))
    this.#marks = marks
    if (this.#pages !== undefined) return
    const words = new Int32Array(room * WORDS)
    words.set(this.#words)
    this.#words = words
    if (!this.#hasNumbers) return
    const numbers = new Float64Array(room)
    if (this.#numbers !== undefined) numbers.set(this.#numbers)
    this.#numbers = numbers
  }

  #toDisk(): void {
    if (this.#spill === undefined) return
    this.#pages = this.#written(this.#spill())
    this.#words = new Int32Array(0)
    this.#numbers = undefined
    let slots = this.#table.length
    while (slots < this.#size * SPILLED_SLOTS) slots *= 2
    this.#widen(slots)
  }

  #written(spill: IdSpill): IdPages {
    const pages = new IdPages(spill, { numbers: this.#hasNumbers })
    const words = this.#words
    for (let entry = 0; entry < this.#size; entry += 1) {
      const at = entry * WORDS
      const number = this.#numbers?.[entry] ?? Number.NaN
      const [w0, w1] = [words[at] as number, words[at + 1] as number]
      pages.add(w0, w1, words[at + 2] as number, words[at + 3] as number, number)
    }
    return pages
  }

  #widen(slots: number): void {
    // It is made anew from the entries: two at once would be the peak of all memory.
    this.#table = new Int32Array(0)
    const table = new Int32Array(slots)
    const pages = this.#pages
    const words = pages === undefined ? this.#words : new Int32Array(WORDS)
    const mask = table.length - 1
    for (let entry = 0; entry < this.#size; entry += 1) {
      pages?.read(entry, words)
      const at = pages === undefined ? entry * WORDS : 0
      const hash = spread(
        words[at] as number,
        words[at + 1] as number,
        words[at + 2] as number,
        words[at + 3] as number,
      )
      let slot = hash & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = (hash & ~mask) | (entry + 1)
    }
    this.#table = table
  }
}

/** The id of an entry for a person: hexadecimal, with the dashes of a UUID. A hashed id cannot be told from its entry. */
export function textOfBits(bits: Int32Array): string {
  return hexOfBits(bits).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
