import { hexOfBits, idBits, packId, packIdAt } from './id-bits.ts'

export type Mark = 'absent' | 'first' | 'again'

/** `bits`: a copy; `textOfBits` spells them. */
export type IdEntry = { readonly bits: Int32Array; readonly number: number | undefined }

export type IdSetOptions = {
  /** How many ids to make room for at once; more may come. */
  readonly expected?: number
  /** Keep a number with each id, such as its time in milliseconds; 8 bytes more. */
  readonly numbers?: boolean
}

const WORDS = 4
const LEAST_SLOTS = 1024
const LOAD = 0.75

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
  #size = 0
  #marked = 0

  constructor({ expected = 0, numbers = false }: IdSetOptions = {}) {
    let slots = LEAST_SLOTS
    while (slots * LOAD < expected) slots *= 2
    const room = Math.max(expected, LEAST_SLOTS * LOAD)
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
    return entry >= 0 && isSet(this.#marks, entry)
  }

  /** The number kept with the id; undefined when the id is absent or the set keeps none. */
  numberOf(id: string): number | undefined {
    packId(id)
    const entry = this.#find()
    return entry < 0 ? undefined : this.#numbers?.[entry]
  }

  /** Entries never marked, in the order they came. */
  *unmarked(): Generator<IdEntry> {
    for (let entry = 0; entry < this.#size; entry += 1) {
      if (!isSet(this.#marks, entry)) yield this.#entry(entry)
    }
  }

  *entries(): Generator<IdEntry> {
    for (let entry = 0; entry < this.#size; entry += 1) yield this.#entry(entry)
  }

  /** Empty again, with its memory kept for the next ids. */
  clear(): void {
    this.#table.fill(0)
    this.#marks.fill(0)
    this.#size = 0
    this.#marked = 0
  }

  #entry(entry: number): IdEntry {
    const bits = this.#words.slice(entry * WORDS, (entry + 1) * WORDS)
    return { bits, number: this.#numbers?.[entry] }
  }

  #mark(): Mark {
    const entry = this.#find()
    if (entry < 0) return 'absent'
    if (isSet(this.#marks, entry)) return 'again'
    set(this.#marks, entry)
    this.#marked += 1
    return 'first'
  }

  /** The number of the entry that `idBits` are, or, as its complement, the empty slot where they belong. */
  #find(): number {
    const table = this.#table
    const words = this.#words
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
        if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3)
          return entry
      }
      slot = (slot + 1) & mask
    }
  }

  #insert(number: number | undefined): boolean {
    const empty = this.#find()
    if (empty >= 0) return false
    const entry = this.#size
    const at = entry * WORDS
    if (at === this.#words.length) this.#makeRoom()
    const words = this.#words
    const w0 = idBits[0] as number
    const w1 = idBits[1] as number
    const w2 = idBits[2] as number
    const w3 = idBits[3] as number
    words[at] = w0
    words[at + 1] = w1
    words[at + 2] = w2
    words[at + 3] = w3
    const table = this.#table
    table[~empty] = (spread(w0, w1, w2, w3) & -table.length) | (entry + 1)
    if (this.#numbers !== undefined) this.#numbers[entry] = number ?? Number.NaN
    this.#size = entry + 1
    if (this.#size > table.length * LOAD) this.#widen()
    return true
  }

  /** Half as much again, so that never more than a third of the entries' memory is empty. */
  #makeRoom(): void {
    const room = Math.ceil(this.#size * 1.5)
    const words = new Int32Array(room * WORDS)
    words.set(this.#words)
    this.#words = words
    const marks = new Uint8Array((room >> 3) + 1)
    marks.set(this.#marks)
    this.#marks = marks
    if (this.#numbers === undefined) return
    const numbers = new Float64Array(room)
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }

  #widen(): void {
    const table = new Int32Array(this.#table.length * 2)
    const words = this.#words
    const mask = table.length - 1
    for (let entry = 0; entry < this.#size; entry += 1) {
      const at = entry * WORDS
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

/** Ids made in a row, or with a time in front, differ in few bits: all of them must reach the low ones. */
function spread(w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca77)
  h ^= Math.imul(w2 ^ (h >>> 15), 0xc2b2ae3d)
  h ^= Math.imul(w3 ^ (h >>> 13), 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 14)
}

function isSet(marks: Uint8Array, entry: number): boolean {
  return ((marks[entry >> 3] as number) & (1 << (entry & 7))) !== 0
}

function set(marks: Uint8Array, entry: number): void {
  marks[entry >> 3] = (marks[entry >> 3] as number) | (1 << (entry & 7))
}
