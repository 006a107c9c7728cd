import { IncompleteError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { type EpochMs, isInside, isoTime, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { Listing } from './envelope.ts'
import { CursorError, MAX_ROWS, type PageReader } from './pages.ts'
import { SERVICE } from './problem.ts'

/** Pages follow the order of writing; an entry is dated a little earlier, when its request began. */
export const SLACK_MS = 5 * SECOND_MS
const MAX_RESTARTS = 4

/** How the pages of a chain run through time; `mixed` is neither. */
export type Direction = 'asc' | 'desc' | 'mixed'

/**
 * The pages of one range, by cursor. A cursor that has expired, was lost or leads in a circle is replaced by asking anew from the last
 * instant that was reached, so that some events come twice and none is missed.
 */
export class Chain {
  readonly #reader: PageReader
  readonly #limit: number
  #range: TimeRange
  #cursor: string | undefined
  #used = new Set<string>()
  #restartedAt: EpochMs | undefined
  #restarts = 0
  /** Unknown before two events of different instants were seen. */
  direction: Direction | undefined
  /** The instant of the last event, in the chain's direction. */
  reached: EpochMs | undefined
  hasEnded = false

  constructor(
    reader: PageReader,
    range: TimeRange,
    options: { readonly limit?: number; readonly direction?: Direction | undefined } = {},
  ) {
    this.#reader = reader
    this.#range = range
    this.#limit = options.limit ?? MAX_ROWS
    this.direction = options.direction
  }

  /** The next page, of which only what lies inside the range; sets `hasEnded` with the last one. */
  async next(signal: AbortSignal): Promise<readonly AuditEvent[]> {
    for (;;) {
      let listing: Listing
      try {
        listing = await this.#reader.read(
          { range: this.#range, cursor: this.#cursor, limit: this.#limit },
          signal,
        )
      } catch (error) {
        if (!(error instanceof CursorError)) throw error
        this.#restart(error.message)
        continue
      }
      const { events, cursor, hasMore } = listing
      this.#look(events)
      const range = this.#range
      if (!hasMore) this.hasEnded = true
      else if (cursor === undefined) this.#restart('there is more, and no cursor')
      else if (this.#used.has(cursor)) this.#restart('its cursor leads in a circle')
      else {
        this.#used.add(cursor)
        this.#cursor = cursor
      }
      const inside = events.every((event) => isInside(event.occurredAtMs, range))
        ? events
        : events.filter((event) => isInside(event.occurredAtMs, range))
      this.#reader.replies.note(inside)
      return inside
    }
  }

  /** Up to which instant everything was read, when no more is: the range beyond it is complete. */
  settledAt(): EpochMs | undefined {
    if (this.reached === undefined || this.direction === undefined || this.direction === 'mixed')
      return undefined
    return this.direction === 'desc' ? this.reached + SLACK_MS + 1 : this.reached - SLACK_MS
  }

  #look(events: readonly AuditEvent[]): void {
    const [first, last] = [events[0], events.at(-1)]
    if (first === undefined || last === undefined) return
    if (this.direction === undefined && first.occurredAtMs !== last.occurredAtMs) {
      this.direction = first.occurredAtMs > last.occurredAtMs ? 'desc' : 'asc'
    }
    const sign = this.direction === 'desc' ? -1 : 1
    let furthest = this.reached ?? first.occurredAtMs
    for (const { occurredAtMs } of events) {
      const ahead = sign * (occurredAtMs - furthest)
      if (ahead > 0) furthest = occurredAtMs
      else if (ahead < -SLACK_MS) this.direction = 'mixed'
    }
    this.reached = furthest
  }

  #restart(reason: string): void {
    const { from, to } = this.#range
    const isStuck = this.reached === this.#restartedAt
    this.#restarts = isStuck ? this.#restarts + 1 : 1
    if (this.#restarts > MAX_RESTARTS) {
      throw new IncompleteError(
        `${SERVICE} does not give the pages from ${isoTime(from)} to ${isoTime(to)} to their end: ${reason}`,
        { service: SERVICE, hint: 'try again with a smaller window or more filters' },
      )
    }
    this.#reader.log.debug(`${SERVICE}: the pages are begun anew (${reason})`)
    this.#restartedAt = this.reached
    this.#cursor = undefined
    this.#used = new Set()
    const settled = this.settledAt()
    if (settled === undefined) return
    this.#range =
      this.direction === 'desc' ? { from, to: Math.min(to, settled) } : { from: Math.max(from, settled), to }
  }
}
