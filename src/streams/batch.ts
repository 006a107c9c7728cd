import type { BatchLimits, Frame } from '../core/destination.ts'
import type { EpochMs } from '../core/time-range.ts'

/** An event as a destination's `encode` gave it, with whatever else its sender wants to keep beside it. */
export type Encoded = { readonly encoded: Uint8Array; readonly atMs: EpochMs }

export type BatchRules = {
  readonly limits: BatchLimits
  readonly frame: Frame
  /** The most that the times of one batch may lie apart, where a request may not mix old and new. */
  readonly maxSpanMs?: number | undefined
}

/** `bytes`: of the whole body, frame included. */
export type Batch<T> = { readonly kind: 'batch'; readonly items: readonly T[]; readonly bytes: number }

/** An event that no request could carry: to be dead-lettered, never truncated. `bytes`: its own, or with its frame where that is too long. */
export type Refused<T> = {
  readonly kind: 'refused'
  readonly item: T
  readonly bytes: number
  readonly maxBytes: number
  readonly limit: 'maxEventBytes' | 'maxBytes'
}

/** Why no request could carry an encoded event of that length; undefined when one can. */
export function refusalOf(
  length: number,
  { limits, frame }: Pick<BatchRules, 'limits' | 'frame'>,
): Pick<Refused<never>, 'bytes' | 'maxBytes' | 'limit'> | undefined {
  const { maxBytes, maxEventBytes, maxAloneBytes = 0 } = limits
  if (length > maxEventBytes) return { bytes: length, maxBytes: maxEventBytes, limit: 'maxEventBytes' }
  const alone = frame.open.length + length + frame.close.length
  const most = Math.max(maxBytes, maxAloneBytes)
  return alone > most ? { bytes: alone, maxBytes: most, limit: 'maxBytes' } : undefined
}

/** @throws RangeError when a limit leaves room for nothing */
export function checkRules({ limits, frame, maxSpanMs = Number.POSITIVE_INFINITY }: BatchRules): void {
  for (const [name, least, value] of [
    ['maxEvents', 1, limits.maxEvents ?? Number.POSITIVE_INFINITY],
    ['maxBytes', frame.open.length + frame.close.length + 1, limits.maxBytes],
    ['maxEventBytes', 1, limits.maxEventBytes],
    ['maxSpanMs', 0, maxSpanMs],
  ] as const) {
    if (!(value >= least)) throw new RangeError(`${name} must be at least ${least}, not ${value}`)
  }
}

/**
 * Greedy batches in the order of the items: an item begins a new batch only when the one before has no room for it. Sizes are those of the
 * exact bytes of the body, separators and frame included. An item longer than `maxBytes` goes alone where `maxAloneBytes` allows it. A refused item is yielded as soon as it is met, before the batch around it.
 * @throws RangeError when a limit leaves room for nothing
 */
export async function* batch<T extends Encoded>(
  items: AsyncIterable<T>,
  rules: BatchRules,
): AsyncGenerator<Batch<T> | Refused<T>> {
  const batcher = new Batcher<T>(rules)
  for await (const item of items) {
    const done = batcher.add(item)
    if (done !== undefined) yield done
  }
  const rest = batcher.finish()
  if (rest !== undefined) yield rest
}

/** The same for items that come by pages, which costs no turn of the event loop an item. */
export async function* batchPages<T extends Encoded>(
  pages: AsyncIterable<readonly T[]>,
  rules: BatchRules,
): AsyncGenerator<Batch<T> | Refused<T>> {
  const batcher = new Batcher<T>(rules)
  for await (const page of pages) {
    for (const item of page) {
      const done = batcher.add(item)
      if (done !== undefined) yield done
    }
  }
  const rest = batcher.finish()
  if (rest !== undefined) yield rest
}

/** The same, item by item: `add` gives the batch that the item closed, or the item itself, refused. */
export class Batcher<T extends Encoded> {
  readonly #rules: BatchRules
  readonly #maxEvents: number
  readonly #maxSpanMs: number
  readonly #frameBytes: number
  readonly #separatorBytes: number
  #items: T[] = []
  #bytes = 0
  #oldest = Number.POSITIVE_INFINITY
  #newest = Number.NEGATIVE_INFINITY

  constructor(rules: BatchRules) {
    checkRules(rules)
    const { limits, frame, maxSpanMs = Number.POSITIVE_INFINITY } = rules
    this.#rules = rules
    this.#maxEvents = limits.maxEvents ?? Number.POSITIVE_INFINITY
    this.#maxSpanMs = maxSpanMs
    this.#frameBytes = frame.open.length + frame.close.length
    this.#separatorBytes = frame.separator.length
  }

  add(item: T): Batch<T> | Refused<T> | undefined {
    const { maxBytes, maxEventBytes } = this.#rules.limits
    const length = item.encoded.length
    const alone = this.#frameBytes + length
    if (alone > maxBytes || length > maxEventBytes) {
      const refusal = refusalOf(length, this.#rules)
      if (refusal !== undefined) return { kind: 'refused', item, ...refusal }
    }
    const together = this.#bytes + this.#separatorBytes + length
    const oldest = Math.min(this.#oldest, item.atMs)
    const newest = Math.max(this.#newest, item.atMs)
    if (this.#items.length === 0) {
      this.#begin(item, alone)
      return undefined
    }
    if (together > maxBytes || this.#items.length >= this.#maxEvents || newest - oldest > this.#maxSpanMs) {
      const full: Batch<T> = { kind: 'batch', items: this.#items, bytes: this.#bytes }
      this.#begin(item, alone)
      return full
    }
    this.#items.push(item)
    this.#bytes = together
    this.#oldest = oldest
    this.#newest = newest
    return undefined
  }

  /** What is left, if anything; a next item begins a new batch. */
  finish(): Batch<T> | undefined {
    if (this.#items.length === 0) return undefined
    const rest: Batch<T> = { kind: 'batch', items: this.#items, bytes: this.#bytes }
    this.#items = []
    return rest
  }

  #begin(item: T, bytes: number): void {
    this.#items = [item]
    this.#bytes = bytes
    this.#oldest = item.atMs
    this.#newest = item.atMs
  }
}
