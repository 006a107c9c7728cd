import type { IdSet } from '../../core/id-set.ts'
import type { HeldRows } from '../../core/inventory.ts'
import { isInside, type TimeRange } from '../../core/time-range.ts'
import type { IdSink } from './row-reader.ts'

/** Collects ids as strings, to be emptied batch by batch. */
export class TextSink implements IdSink {
  ids: string[] = []
  #atMs: number[] = []
  #hasTimes = false

  /** Every id so far came with its time. */
  get isTimed(): boolean {
    return this.#atMs.length > 0 && !this.#atMs.some((at) => Number.isNaN(at))
  }

  take(bytes: Uint8Array, start: number, end: number, atMs: number): void {
    this.takeText(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'), atMs)
  }

  takeText(id: string, atMs: number): void {
    this.ids.push(id)
    this.#atMs.push(atMs)
    if (!Number.isNaN(atMs)) this.#hasTimes = true
  }

  empty(): HeldRows {
    const rows: HeldRows = this.#hasTimes ? { ids: this.ids, atMs: this.#atMs } : { ids: this.ids }
    this.ids = []
    this.#atMs = []
    return rows
  }
}

/** Puts ids into a set; ids that are bytes never become strings. */
export class SetSink implements IdSink {
  rows = 0
  readonly #window: TimeRange
  readonly #set: IdSet
  readonly #onRepeat: ((id: string, atMs: number) => void) | undefined

  constructor(window: TimeRange, set: IdSet, onRepeat: ((id: string, atMs: number) => void) | undefined) {
    this.#window = window
    this.#set = set
    this.#onRepeat = onRepeat
  }

  take(bytes: Uint8Array, start: number, end: number, atMs: number): void {
    if (!Number.isNaN(atMs) && !isInside(atMs, this.#window)) {
      this.#set.addAt(bytes, start, end, atMs)
      return
    }
    this.rows += 1
    if (!this.#set.addAt(bytes, start, end, atMs) && this.#onRepeat !== undefined) {
      this.#onRepeat(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'), atMs)
    }
  }

  takeText(id: string, atMs: number): void {
    const isCounted = Number.isNaN(atMs) || isInside(atMs, this.#window)
    if (isCounted) this.rows += 1
    if (!this.#set.add(id, atMs) && isCounted) this.#onRepeat?.(id, atMs)
  }
}
