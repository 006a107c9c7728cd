import { spread } from './id-hash.ts'
import { isHashed, type LoadedIds } from './id-partition.ts'
import { textOfBits } from './id-set.ts'

/** What one part of the ids gave; a UUID is spelled with dashes in lower case, any other id as it came. */
export type DiffPart = {
  readonly onlyLeft: readonly string[]
  readonly onlyRight: readonly string[]
  /** Ids met again on their own side, once for each time beyond the first. */
  readonly leftRepeats: readonly string[]
  readonly rightRepeats: readonly string[]
  /** Distinct ids on both sides. */
  readonly both: number
}

const WORDS = 4
const LEAST_SLOTS = 1024
const MAX_LOAD = 0.7
const LEFT = 1
const RIGHT = 2

/** An open-addressing table for the ids of one part, used again for the next. */
export class DiffTable {
  #mask = LEAST_SLOTS - 1
  #words = new Int32Array(LEAST_SLOTS * WORDS)
  /** On which sides the id in the slot was seen; 0: the slot is empty. */
  #sides = new Uint8Array(LEAST_SLOTS)
  /** Which of its side's texts spells the id in the slot; for ids that are hashes only. */
  #texts = new Int32Array(LEAST_SLOTS)
  #size = 0

  compare(left: LoadedIds, right: LoadedIds): DiffPart {
    this.#clear(Math.max(left.count, right.count))
    const leftRepeats: string[] = []
    const rightRepeats: string[] = []
    let both = 0
    let text = 0
    for (let n = 0; n < left.count; n += 1) {
      const at = n * WORDS
      const hashed = isHashed(left.words[at + 2] as number)
      if (this.#see(left.words, at, LEFT, text) !== 0) leftRepeats.push(spell(left, at, hashed ? text : -1))
      if (hashed) text += 1
    }
    text = 0
    for (let n = 0; n < right.count; n += 1) {
      const at = n * WORDS
      const hashed = isHashed(right.words[at + 2] as number)
      const seen = this.#see(right.words, at, RIGHT, text)
      if (seen === LEFT) both += 1
      else if (seen !== 0) rightRepeats.push(spell(right, at, hashed ? text : -1))
      if (hashed) text += 1
    }
    const onlyLeft: string[] = []
    const onlyRight: string[] = []
    // In most parts nothing differs, and then no slot need be looked at.
    if (both < this.#size) {
      for (let slot = 0; slot <= this.#mask; slot += 1) {
        const side = this.#sides[slot]
        if (side === LEFT) onlyLeft.push(this.#spell(slot, left))
        else if (side === RIGHT) onlyRight.push(this.#spell(slot, right))
      }
    }
    return { onlyLeft, onlyRight, leftRepeats, rightRepeats, both }
  }

  /** Marks the id as seen on a side; returns the sides on which it was seen before, 0 for none. */
  #see(from: Int32Array, at: number, side: number, text: number): number {
    const w0 = from[at] as number
    const w1 = from[at + 1] as number
    const w2 = from[at + 2] as number
    const w3 = from[at + 3] as number
    const words = this.#words
    const mask = this.#mask
    let slot = spread(w0, w1, w2, w3) & mask
    for (;;) {
      const sides = this.#sides[slot] as number
      const place = slot * WORDS
      if (sides === 0) {
        words[place] = w0
        words[place + 1] = w1
        words[place + 2] = w2
        words[place + 3] = w3
        this.#sides[slot] = side
        if (isHashed(w2)) this.#texts[slot] = text
        this.#size += 1
        if (this.#size > mask * MAX_LOAD) this.#grow()
        return 0
      }
      if (
        words[place] === w0 &&
        words[place + 1] === w1 &&
        words[place + 2] === w2 &&
        words[place + 3] === w3
      ) {
        this.#sides[slot] = sides | side
        return sides
      }
      slot = (slot + 1) & mask
    }
  }

  #spell(slot: number, side: LoadedIds): string {
    const at = slot * WORDS
    if (isHashed(this.#words[at + 2] as number)) return side.texts[this.#texts[slot] as number] ?? ''
    return textOfBits(this.#words.subarray(at, at + WORDS))
  }

  #clear(expected: number): void {
    let slots = LEAST_SLOTS
    while (slots * MAX_LOAD < expected) slots *= 2
    if (slots !== this.#sides.length) this.#allocate(slots)
    else this.#sides.fill(0)
    this.#size = 0
  }

  #allocate(slots: number): void {
    this.#mask = slots - 1
    this.#words = new Int32Array(slots * WORDS)
    this.#sides = new Uint8Array(slots)
    this.#texts = new Int32Array(slots)
  }

  #grow(): void {
    const [words, sides, texts] = [this.#words, this.#sides, this.#texts]
    this.#allocate(sides.length * 2)
    for (let from = 0; from < sides.length; from += 1) {
      if (sides[from] === 0) continue
      const at = from * WORDS
      let slot =
        spread(
          words[at] as number,
          words[at + 1] as number,
          words[at + 2] as number,
          words[at + 3] as number,
        ) & this.#mask
      while (this.#sides[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#words.set(words.subarray(at, at + WORDS), slot * WORDS)
      this.#sides[slot] = sides[from] as number
      this.#texts[slot] = texts[from] as number
    }
  }
}

function spell(side: LoadedIds, at: number, text: number): string {
  return text < 0 ? textOfBits(side.words.subarray(at, at + WORDS)) : (side.texts[text] ?? '')
}
