import { DAY_MS, type TimeRange } from '../../core/time-range.ts'
import type { RangeEvents } from './read-range.ts'

/** Pages of a slice, from many to few, a little less than whole: one event too many would cost another page. */
const PAGES = [3.8, 1.85, 0.9] as const
/** Pages after which a slice is cut short, whatever was planned. */
const MAX_PAGES = 6
const MAX_SLICE_BYTES = 4 * 1024 * 1024
const MAX_PAGE_BYTES = 4 * 1024 * 1024
const MIN_ROWS = 50
/** Nothing is ruled out by an empty stretch: the next may be that much wider. */
const MOST_GROWTH = 8
const WIDEST_MS = 400 * DAY_MS

/** How wide slices should be and how large pages, by what reading has shown so far. */
export class SlicePlan {
  readonly #pageSize: number
  readonly #concurrency: number
  /** Fewer events than a slice usually holds are wanted: starts small and grows. */
  #wanted: number | undefined
  #rowsPerMs: number | undefined
  #rowBytes: number | undefined
  #widestMs = WIDEST_MS
  rows = 0

  constructor(options: {
    readonly pageSize: number
    readonly concurrency: number
    readonly wanted: number | undefined
  }) {
    this.#pageSize = options.pageSize
    this.#concurrency = options.concurrency
    this.#wanted = options.wanted
  }

  /** Rows to ask for in one request. */
  limit(): number {
    const fitting = this.#rowBytes === undefined ? Number.POSITIVE_INFINITY : MAX_PAGE_BYTES / this.#rowBytes
    const wanted = this.#wanted === undefined ? Number.POSITIVE_INFINITY : this.#wanted + 1
    return Math.max(2, Math.floor(Math.min(this.#pageSize, Math.max(MIN_ROWS, fitting), wanted)))
  }

  budget(): { readonly rows: number; readonly bytes: number } {
    const rows = this.#wanted ?? MAX_PAGES * this.limit()
    return { rows, bytes: MAX_SLICE_BYTES }
  }

  /** Whether to read on before the next slice is asked for. */
  get isEager(): boolean {
    return this.#wanted === undefined
  }

  /** One connection is enough for a handful of events. */
  workers(concurrency: number): number {
    return this.#wanted === undefined ? concurrency : 1
  }

  /** Of the next slice, where `remainingMs` of the window are still to be read. */
  widthMs(remainingMs: number): number {
    const density = this.#rowsPerMs
    if (density === undefined) return Math.max(1, this.#widestMs)
    const slices = (pages: number) => (density * remainingMs) / (pages * this.limit())
    // Enough slices for all connections to be busy most of the time.
    const pages =
      PAGES.find((count) => this.#concurrency === 1 || slices(count) >= this.#concurrency) ?? PAGES[2]
    const most =
      this.#rowBytes === undefined ? Number.POSITIVE_INFINITY : (0.95 * MAX_SLICE_BYTES) / this.#rowBytes
    const rows = Math.min(this.#wanted ?? pages * this.limit(), most)
    return Math.max(1, Math.min(Math.floor(rows / density), Math.floor(this.#widestMs)))
  }

  learn(read: RangeEvents, range: TimeRange): void {
    this.rows += read.rows
    const width = Math.max(1, range.to - range.from)
    // At most one event in a stretch that showed none.
    const seen = Math.max(read.rows, 1) / width
    const density = this.#rowsPerMs
    this.#rowsPerMs =
      density === undefined
        ? seen
        : Math.max(density / MOST_GROWTH, Math.min(density * MOST_GROWTH, (density + 3 * seen) / 4))
    if (read.rows > 0) {
      const bytes = read.bytes / read.rows
      this.#rowBytes = this.#rowBytes === undefined ? bytes : (this.#rowBytes + bytes) / 2
      if (this.#wanted !== undefined) this.#wanted = Math.max(this.#wanted * 2, MIN_ROWS)
    }
    if (this.#wanted !== undefined && this.#wanted > PAGES[0] * this.#pageSize) this.#wanted = undefined
  }

  /** The server could not answer for twice as much. */
  narrow(widthMs: number): void {
    this.#widestMs = Math.max(1, Math.min(this.#widestMs, Math.ceil(widthMs)))
  }
}
