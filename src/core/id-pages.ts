import type { IdSpill } from './id-diff.ts'

const WORDS = 4
const WORD_BYTES = 4
const NUMBER_BYTES = 8
/** 8 KiB of ids: little to read for one id, and neighbours in time come with it. */
const PAGE_IDS = 512
const PAGE_BITS = 9
const CACHED_PAGES = 2048

/** One page: ids, and behind them the numbers kept with them. */
type Page = { readonly bytes: Uint8Array; readonly words: Int32Array; readonly numbers: Float64Array }

/**
 * Entries of an `IdSet` that outgrew memory, in the order they came: 16 MiB of those looked at last, all others in a file. Source and SIEM both
 * tell ids in time order, so the entries looked up next usually lie in a page that is here.
 */
export class IdPages {
  #size = 0
  readonly #spill: IdSpill
  readonly #positions: number[] = []
  readonly #tail: Page
  /** The page that `read` read last; enumerating must not push out what look-ups need. */
  readonly #shown: Page
  #shownPage = -1
  readonly #cache = new Int32Array(CACHED_PAGES * PAGE_IDS * WORDS)
  readonly #cachedPages = new Int32Array(CACHED_PAGES).fill(-1)

  constructor(spill: IdSpill, { numbers }: { readonly numbers: boolean }) {
    this.#spill = spill
    this.#tail = emptyPage(numbers)
    this.#shown = emptyPage(numbers)
  }

  add(w0: number, w1: number, w2: number, w3: number, number: number): void {
    const place = this.#size & (PAGE_IDS - 1)
    const { words, numbers, bytes } = this.#tail
    const at = place * WORDS
    words[at] = w0
    words[at + 1] = w1
    words[at + 2] = w2
    words[at + 3] = w3
    if (numbers.length > 0) numbers[place] = number
    this.#size += 1
    if (place === PAGE_IDS - 1) this.#positions.push(this.#spill.append(bytes))
  }

  isAt(entry: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const page = entry >>> PAGE_BITS
    let words = this.#tail.words
    let at = (entry & (PAGE_IDS - 1)) * WORDS
    if (page < this.#positions.length) {
      words = this.#cache
      at += this.#load(page)
    }
    return words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3
  }

  /** Copies the entry's bits to `into`. Gives the number kept with it; undefined when none are. */
  read(entry: number, into: Int32Array): number | undefined {
    const page = entry >>> PAGE_BITS
    const place = entry & (PAGE_IDS - 1)
    const { words, numbers } = page < this.#positions.length ? this.#show(page) : this.#tail
    for (let i = 0; i < WORDS; i += 1) into[i] = words[place * WORDS + i] as number
    return numbers[place]
  }

  close(): void {
    this.#spill.close?.()
  }

  /** Where the page's ids begin in the cache. */
  #load(page: number): number {
    const slot = page & (CACHED_PAGES - 1)
    const at = slot * PAGE_IDS * WORDS
    if (this.#cachedPages[slot] === page) return at
    const bytes = new Uint8Array(this.#cache.buffer, at * WORD_BYTES, PAGE_IDS * WORDS * WORD_BYTES)
    this.#cachedPages[slot] = -1
    this.#spill.read(this.#positions[page] as number, bytes)
    this.#cachedPages[slot] = page
    return at
  }

  #show(page: number): Page {
    if (this.#shownPage === page) return this.#shown
    this.#shownPage = -1
    this.#spill.read(this.#positions[page] as number, this.#shown.bytes)
    this.#shownPage = page
    return this.#shown
  }
}

function emptyPage(hasNumbers: boolean): Page {
  const wordBytes = PAGE_IDS * WORDS * WORD_BYTES
  const buffer = new ArrayBuffer(wordBytes + (hasNumbers ? PAGE_IDS * NUMBER_BYTES : 0))
  return {
    bytes: new Uint8Array(buffer),
    words: new Int32Array(buffer, 0, PAGE_IDS * WORDS),
    numbers: new Float64Array(buffer, wordBytes),
  }
}
