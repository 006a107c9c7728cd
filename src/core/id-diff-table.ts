import type { IdRun } from './id-arena.ts'
import { spread } from './id-hash.ts'
import { textOfBits } from './id-set.ts'
import { isHashed } from './id-texts.ts'

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

/** One side's ids of a part. `texts` spells those that are hashes, in their order. */
export type SideIds = {
  readonly count: number
  readonly runs: readonly IdRun[]
  readonly texts: readonly string[]
}

const WORDS = 4
const LEAST_SLOTS = 1024
const MAX_LOAD = 0.7
const LEFT = 1
const RIGHT = 2

/** An open-addressing table for the ids of one part, used again for the next. */
export class DiffTable {
  #mask = LEAST_SLOTS - 1
  #room = LEAST_SLOTS * MAX_LOAD
  #words = new Int32Array(LEAST_SLOTS * WORDS)
  /** On which sides the id in the slot was seen; 0: the slot is empty. */
  #sides = new Uint8Array(LEAST_SLOTS)
  /** Which of its first side's texts spells the id in the slot; for ids that are hashes only. */
  #texts = new Int32Array(LEAST_SLOTS)
  #size = 0
  #both = 0

  compare(left: SideIds, right: SideIds): DiffPart {
    this.#clear(Math.max(left.count, right.count))
    const leftRepeats = this.#seeAll(left, LEFT)
    const rightRepeats = this.#seeAll(right, RIGHT)
    const onlyLeft: string[] = []
    const onlyRight: string[] = []
    // In most parts nothing differs, and then no slot need be looked at.
    if (this.#both < this.#size) {
      for (let slot = 0; slot <= this.#mask; slot += 1) {
        const side = this.#sides[slot]
        if (side !== LEFT && side !== RIGHT) continue
        const id = spell(this.#words, slot * WORDS, side === LEFT ? left : right, this.#texts[slot] as number)
        ;(side === LEFT ? onlyLeft : onlyRight).push(id)
      }
    }
    return { onlyLeft, onlyRight, leftRepeats, rightRepeats, both: this.#both }
  }

  /** Marks all ids of a side as seen there; returns those seen there before. */
  #seeAll(ids: SideIds, side: number): string[] {
    const repeats: string[] = []
    let text = 0
    for (const { words, from, to } of ids.runs) {
      for (let at = from; at < to; at += WORDS) {
        const w0 = words[at] as number
        const w1 = words[at + 1] as number
        const w2 = words[at + 2] as number
        const w3 = words[at + 3] as number
        const slot = this.#slotOf(w0, w1, w2, w3)
        const sides = this.#sides[slot] as number
        const hashed = isHashed(w2)
        if (sides === 0) {
          this.#insert(slot, w0, w1, w2, w3)
          if (hashed) this.#texts[slot] = text
        } else if ((sides & side) !== 0) repeats.push(spell(words, at, ids, text))
        else this.#both += 1
        this.#sides[slot] = sides | side
        if (hashed) text += 1
        if (sides === 0 && this.#size > this.#room) this.#grow()
      }
    }
    return repeats
  }

  /** Where the id is, or the empty slot where it belongs. */
  #slotOf(w0: number, w1: number, w2: number, w3: number): number {
    const words = this.#words
    const mask = this.#mask
    let slot = spread(w0, w1, w2, w3) & mask
    while (this.#sides[slot] !== 0) {
      const at = slot * WORDS
      if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3)
        return slot
      slot = (slot + 1) & mask
    }
    return slot
  }

  #insert(slot: number, w0: number, w1: number, w2: number, w3: number): void {
    const at = slot * WORDS
    const words = this.#words
    words[at] = w0
    words[at + 1] = w1
    words[at + 2] = w2
    words[at + 3] = w3
    this.#size += 1
  }

  #clear(expected: number): void {
    let slots = LEAST_SLOTS
    while (slots * MAX_LOAD < expected) slots *= 2
    if (slots === this.#sides.length) this.#sides.fill(0)
    else this.#allocate(slots)
    this.#size = 0
    this.#both = 0
  }

  #allocate(slots: number): void {
    this.#mask = slots - 1
    this.#room = slots * MAX_LOAD
    this.#words = new Int32Array(slots * WORDS)
    this.#sides = new Uint8Array(slots)
    this.#texts = new Int32Array(slots)
  }

  #grow(): void {
    const [words, sides, texts] = [this.#words, this.#sides, this.#texts]
    this.#allocate(sides.length * 2)
    this.#size = 0
    for (let from = 0; from < sides.length; from += 1) {
      if (sides[from] === 0) continue
      const at = from * WORDS
      const [w0, w1, w2, w3] = [
        words[at] as number,
        words[at + 1] as number,
        words[at + 2] as number,
        words[at + 3] as number,
      ]
      const slot = this.#slotOf(w0, w1, w2, w3)
      this.#insert(slot, w0, w1, w2, w3)
      this.#sides[slot] = sides[from] as number
      this.#texts[slot] = texts[from] as number
    }
  }
}

function spell(words: Int32Array, at: number, ids: SideIds, text: number): string {
  if (isHashed(words[at + 2] as number)) return ids.texts[text] ?? ''
  return textOfBits(words.subarray(at, at + WORDS))
}
