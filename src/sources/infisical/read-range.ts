import { ContractError, IncompleteError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { type EpochMs, isInside, isoTime, type TimeRange } from '../../core/time-range.ts'
import type { PageReader } from './pages.ts'
import { LoopWatch, pageLoop, readTies } from './ties.ts'

/** Deeper offsets make the database sort and skip what lies before them. */
const MAX_OFFSET = 5000
const MAX_RESTARTS = 5

export type Budget = { readonly rows: number; readonly bytes: number }
export const NO_BUDGET: Budget = { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }

export type RangeEvents = {
  /** Newest first. */
  readonly pages: readonly (readonly AuditEvent[])[]
  readonly rows: number
  readonly bytes: number
  /** The whole of `[from, range.to)` was read; later than the start of the range where the budget ended the reading. */
  readonly from: EpochMs
}

/**
 * Reads a range from its newest end. Every page after the first begins with the last event of the one before it: if another stands there,
 * rows have changed places, and reading goes on from that event's millisecond instead of an offset; so it does where a page ends inside a
 * millisecond, whose rows have no order. A row that is pruned, merged away or stored late between two pages neither loses nor hides another.
 */
export async function readRange(
  reader: PageReader,
  range: TimeRange,
  options: { readonly limit: number; readonly budget: Budget; readonly signal: AbortSignal },
): Promise<RangeEvents> {
  const { budget, signal } = options
  // Pages overlap by one event.
  const limit = Math.max(2, options.limit)
  const read = new Collected()
  let bound = range.to
  let offset = 0
  let restarts = 0
  let last: AuditEvent | undefined
  const loop = new LoopWatch()

  while (bound > range.from) {
    const asked = { from: range.from, to: bound }
    const { events, isFull, bytes } = await reader.read({ range: asked, offset, limit }, signal)
    read.bytes += bytes
    checkPlace(events, bound)
    if (isFull || last !== undefined) checkOrder(events)
    if (last !== undefined && !goesOn(last, events, bound)) {
      restarts += 1
      if (restarts > MAX_RESTARTS && last.occurredAtMs >= bound) throw moving(asked)
      if (last.occurredAtMs < bound) bound = await readAgainFrom(last.occurredAtMs, bound)
      offset = 0
      last = undefined
      continue
    }
    read.add(last === undefined ? events : events.slice(1), asked)
    const tail = events.at(-1)
    if (!isFull || tail === undefined || tail.occurredAtMs < range.from) return read.from(range.from)
    const before = events.at(-2)?.occurredAtMs
    const nextOffset = offset + events.length - 1
    const isSpent = read.rows >= budget.rows || read.bytes >= budget.bytes
    if (tail.occurredAtMs >= bound) {
      // Nothing of ours yet: an older server includes the far end, where many events may share the instant.
      if (loop.isStuck(events)) throw pageLoop(bound)
      offset = nextOffset
      last = tail
    } else if (isSpent || before === tail.occurredAtMs || events.length === 1 || nextOffset > MAX_OFFSET) {
      bound = await readAgainFrom(tail.occurredAtMs, bound)
      if (isSpent && bound > range.from && read.rows > 0) return read.from(bound)
      offset = 0
      last = undefined
    } else {
      offset = nextOffset
      last = tail
    }
  }
  return read.from(range.from)

  /** The bound from which the instant comes first on a page; where it already does and fills the page, the instant is read by itself. */
  async function readAgainFrom(instant: EpochMs, before: EpochMs): Promise<EpochMs> {
    read.dropFrom(instant)
    if (instant + 1 < before) return instant + 1
    read.add(await readTies(reader, instant, signal), { from: instant, to: instant + 1 })
    return instant
  }
}

/** Whether the page continues where `last` ended the one before it. */
function goesOn(last: AuditEvent, [first]: readonly AuditEvent[], bound: EpochMs): boolean {
  if (first === undefined) return false
  // Before the first event of ours any row will do: those of the far end's own instant have no order.
  return last.occurredAtMs >= bound ? first.occurredAtMs >= bound : first.id === last.id
}

/** Later events prove that the server did not heed the dates; such an answer says nothing about the range. */
function checkPlace(events: readonly AuditEvent[], bound: EpochMs): void {
  for (let position = 0; position < events.length; position += 1) {
    const event = events[position] as AuditEvent
    if (event.occurredAtMs <= bound) continue
    throw new ContractError(
      `Infisical was asked for events up to ${isoTime(bound)} and sent auditLogs[${position}] of ${event.occurredAt}`,
      { service: 'Infisical', hint: 'a proxy or cache may be ignoring the query; check what stands between' },
    )
  }
}

function checkOrder(events: readonly AuditEvent[]): void {
  let previous = Number.POSITIVE_INFINITY
  for (let position = 0; position < events.length; position += 1) {
    const { occurredAtMs } = events[position] as AuditEvent
    if (occurredAtMs > previous) {
      throw new ContractError(
        `Infisical sent a page that is not newest first: auditLogs[${position}].createdAt`,
        {
          service: 'Infisical',
          hint: 'such pages cannot be shown complete; report it with the server’s version',
        },
      )
    }
    previous = occurredAtMs
  }
}

function moving(range: TimeRange): IncompleteError {
  return new IncompleteError(
    `the events from ${isoTime(range.from)} to ${isoTime(range.to)} changed places while they were read`,
    { service: 'Infisical', hint: 'try again' },
  )
}

/** A list of its own in any case; nearly always all of them. */
function insideOf(events: readonly AuditEvent[], range: TimeRange): AuditEvent[] {
  for (let n = 0; n < events.length; n += 1) {
    if (!isInside((events[n] as AuditEvent).occurredAtMs, range))
      return events.filter((event) => isInside(event.occurredAtMs, range))
  }
  return events.slice()
}

class Collected {
  readonly #pages: AuditEvent[][] = []
  rows = 0
  bytes = 0

  add(events: readonly AuditEvent[], range: TimeRange): void {
    const inside = insideOf(events, range)
    if (inside.length === 0) return
    this.#pages.push(inside)
    this.rows += inside.length
  }

  /** Forgets the events of an instant at the end: they will be read again, whole. */
  dropFrom(instant: EpochMs): void {
    for (let page = this.#pages.at(-1); page !== undefined; page = this.#pages.at(-1)) {
      while (page.length > 0 && (page.at(-1)?.occurredAtMs ?? instant + 1) <= instant) {
        page.pop()
        this.rows -= 1
      }
      if (page.length > 0) return
      this.#pages.pop()
    }
  }

  from(from: EpochMs): RangeEvents {
    return { pages: this.#pages, rows: this.rows, bytes: this.bytes, from }
  }
}
