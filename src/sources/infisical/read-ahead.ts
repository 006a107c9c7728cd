import { RemoteError } from '../../core/errors.ts'
import type { Order } from '../../core/source.ts'
import { DAY_MS, type EpochMs, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { PageReader } from './pages.ts'
import { type RangeEvents, readRange } from './read-range.ts'
import type { SlicePlan } from './slice-plan.ts'

/** The server refuses three calendar months; this stays clear of the shortest three. */
export const MAX_WINDOW_MS = 89 * DAY_MS
/** Below this a slow answer is not a matter of width. */
const MIN_SPLIT_MS = SECOND_MS
/** What lies read but not yet asked for, at most; what is beyond is read again in its turn. */
const MAX_HELD_BYTES = 32 * 1024 * 1024

/** A stretch of the window: still to be read (and cut to measure first), being read, read, or failed. */
type Stretch = {
  from: EpochMs
  to: EpochMs
  state: 'todo' | 'busy' | 'read' | 'failed'
  events?: RangeEvents | undefined
  error?: unknown
}

export type ReadStretch = {
  readonly range: TimeRange
  readonly events: RangeEvents | undefined
  readonly error: unknown
}

export type ReadAheadOptions = {
  readonly order: Order
  readonly concurrency: number
  readonly plan: SlicePlan
  readonly signal: AbortSignal
}

/**
 * Reads a window in stretches on several connections and hands them over in the asked order, each whole and small enough to be held in
 * memory. How wide one may be is not known before it is read: one that turns out too full is handed over as far as it was read, and the
 * rest becomes a stretch of its own; one that the server cannot answer in time is read in halves.
 */
export class ReadAhead {
  readonly #reader: PageReader
  readonly #options: ReadAheadOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running = new Set<Promise<void>>()
  #stretches: Stretch[]
  #changed: (() => void) | undefined

  constructor(reader: PageReader, window: TimeRange, options: ReadAheadOptions) {
    this.#reader = reader
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal])
    this.#stretches = [{ ...window, state: 'todo' }]
  }

  /** Reads the newest page, which tells how full the window is and is the whole of it when it is short. @throws what reading it throws */
  async probe(limit: number): Promise<void> {
    const whole = this.#stretches[0]
    if (whole === undefined) return
    const range = { from: Math.max(whole.from, whole.to - MAX_WINDOW_MS), to: whole.to }
    const newest: Stretch = { ...range, state: 'busy' }
    whole.to = range.from
    const before = whole.from < whole.to ? [whole] : []
    this.#stretches = this.#options.order === 'asc' ? [...before, newest] : [newest, ...before]
    await this.#read(newest, limit, { rows: 1, bytes: 0 })
    // A window that is merely too wide for one answer is read in parts; anything else ends it here.
    if (newest.state === 'failed') throw newest.error
  }

  async *stretches(): AsyncGenerator<ReadStretch> {
    try {
      for (;;) {
        const head = this.#stretches[0]
        if (head === undefined) return
        const isReady = head.state === 'read' || head.state === 'failed'
        // Who wants a handful of events may be content with the first stretch.
        if (!isReady || this.#options.plan.isEager) this.#fill()
        if (isReady) {
          this.#stretches.shift()
          yield { range: { from: head.from, to: head.to }, events: head.events, error: head.error }
        } else {
          await new Promise<void>((resolve) => {
            this.#changed = resolve
          })
        }
      }
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the reader stopped'))
    await Promise.allSettled(this.#running)
  }

  #fill(): void {
    const { plan } = this.#options
    const most = plan.workers(this.#options.concurrency)
    while (this.#running.size < most && !this.#signal.aborted) {
      const index = this.#stretches.findIndex((stretch) => stretch.state === 'todo')
      // Not too far ahead of the reader, who sets the pace.
      if (index < 0 || index > most * 1.5) return
      const stretch = this.#cut(index)
      const work = this.#read(stretch, plan.limit(), plan.budget()).finally(() => {
        this.#running.delete(work)
        this.#release()
        this.#fill()
        this.#changed?.()
      })
      this.#running.add(work)
    }
  }

  /** Takes a piece of the planned width off the end of the stretch that comes first in the asked order. */
  #cut(index: number): Stretch {
    const todo = this.#stretches[index] as Stretch
    const width = Math.min(this.#options.plan.widthMs(this.#remainingMs()), MAX_WINDOW_MS)
    const isAscending = this.#options.order === 'asc'
    if (todo.to - todo.from > Math.min(width * 1.3, MAX_WINDOW_MS)) {
      const piece: Stretch = isAscending
        ? { from: todo.from, to: todo.from + width, state: 'todo' }
        : { from: todo.to - width, to: todo.to, state: 'todo' }
      if (isAscending) todo.from = piece.to
      else todo.to = piece.from
      this.#stretches.splice(index, 0, piece)
    }
    const stretch = this.#stretches[index] as Stretch
    stretch.state = 'busy'
    return stretch
  }

  async #read(stretch: Stretch, limit: number, budget: { rows: number; bytes: number }): Promise<void> {
    const { plan, order } = this.#options
    const range = { from: stretch.from, to: stretch.to }
    try {
      const events = await readRange(this.#reader, range, { limit, budget, signal: this.#signal })
      plan.learn(events, { from: events.from, to: range.to })
      stretch.state = 'read'
      stretch.events = events
      if (events.from === range.from) return
      stretch.from = events.from
      const rest: Stretch = { from: range.from, to: events.from, state: 'todo' }
      const index = this.#stretches.indexOf(stretch)
      this.#stretches.splice(order === 'asc' ? index : index + 1, 0, rest)
    } catch (error) {
      const width = range.to - range.from
      if (error instanceof RemoteError && error.reaction === 'split-window' && width > MIN_SPLIT_MS) {
        plan.narrow(width / 2)
        stretch.state = 'todo'
        return
      }
      stretch.state = 'failed'
      stretch.error = error
    }
  }

  /** Lets go of what was read far ahead of its turn when it is too much to hold. */
  #release(): void {
    const held = this.#stretches.filter(({ state }) => state === 'read')
    let bytes = held.reduce((sum, { events }) => sum + (events?.bytes ?? 0), 0)
    for (let i = held.length - 1; i > 0 && bytes > MAX_HELD_BYTES; i -= 1) {
      const stretch = held[i] as Stretch
      if (this.#stretches.indexOf(stretch) <= this.#options.concurrency + 1) return
      bytes -= stretch.events?.bytes ?? 0
      stretch.events = undefined
      stretch.state = 'todo'
    }
  }

  #remainingMs(): number {
    return this.#stretches.reduce((sum, { state, from, to }) => (state === 'todo' ? sum + to - from : sum), 0)
  }
}
