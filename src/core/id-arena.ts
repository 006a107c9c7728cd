import { idBits } from './id-bits.ts'

const WORDS = 4
/** A chunk of 256 ids, 4 KiB. */
const CHUNK_WORDS = 256 * WORDS
const IN_CHUNK = CHUNK_WORDS - 1

/** Ids of one part that lie together: `words[from, to)`, four words an id. */
export type IdRun = { readonly words: Int32Array; readonly from: number; readonly to: number }

/**
 * Ids of many parts in one block of memory, each part a chain of chunks: nothing is copied as parts grow, and memory is bounded by what was
 * asked for. The system commits a page of the block only when it is first written.
 */
export class IdArena {
  readonly #words: Int32Array
  /** Where the next id of a part goes; on the border of a chunk: nowhere yet. */
  readonly #heads: Int32Array
  readonly #firsts: Int32Array
  readonly #nexts: Int32Array
  /** Chunk 0 is never used, so that 0 can mean none. */
  #used = 1

  constructor(maxBytes: number, parts: number) {
    const chunks = Math.max(2 * parts, Math.floor(maxBytes / 4 / CHUNK_WORDS)) + 1
    this.#words = new Int32Array(chunks * CHUNK_WORDS)
    this.#nexts = new Int32Array(chunks)
    this.#heads = new Int32Array(parts)
    this.#firsts = new Int32Array(parts)
  }

  /** Adds the id packed last; false when there is no room. */
  add(part: number): boolean {
    let at = this.#heads[part] as number
    if ((at & IN_CHUNK) === 0) {
      at = this.#open(part, at)
      if (at === 0) return false
    }
    const words = this.#words
    words[at] = idBits[0] as number
    words[at + 1] = idBits[1] as number
    words[at + 2] = idBits[2] as number
    words[at + 3] = idBits[3] as number
    this.#heads[part] = at + WORDS
    return true
  }

  /** The ids of a part in the order in which they came. */
  *runs(part: number): Generator<IdRun> {
    const head = this.#heads[part] as number
    for (let chunk = this.#firsts[part] as number; chunk !== 0; chunk = this.#nexts[chunk] as number) {
      const from = chunk * CHUNK_WORDS
      const isLast = head > from && head <= from + CHUNK_WORDS
      yield { words: this.#words, from, to: isLast ? head : from + CHUNK_WORDS }
    }
  }

  clear(): void {
    this.#heads.fill(0)
    this.#firsts.fill(0)
    this.#nexts.fill(0)
    this.#used = 1
  }

  #open(part: number, head: number): number {
    if (this.#used === this.#nexts.length) return 0
    const chunk = this.#used
    this.#used += 1
    // A full chunk's head stands on the border behind it.
    if (head === 0) this.#firsts[part] = chunk
    else this.#nexts[head / CHUNK_WORDS - 1] = chunk
    return chunk * CHUNK_WORDS
  }
}
