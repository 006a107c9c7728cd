import type { AuditEvent, EventId } from './event.ts'
import type { EpochMs } from './time-range.ts'

/** A place in the order of time and id. */
export type EventPlace = { readonly ms: EpochMs; readonly time: string; readonly id: EventId }

/**
 * Events as columns, newest first: a list of a hundred thousand holds their bytes and little else. The JSON of event `i` is
 * `bytes[ends[i - 1], ends[i])`.
 */
export type EventPage = {
  readonly ids: readonly EventId[]
  readonly times: readonly string[]
  readonly atMs: Float64Array
  readonly bytes: Uint8Array
  readonly ends: Uint32Array
}

/** One event of a page, still its own JSON. */
export type HeldEvent = EventPlace & { readonly bytes: Uint8Array }

const EMPTY = new Uint8Array(0)
export const NO_EVENTS: EventPage = {
  ids: [],
  times: [],
  atMs: new Float64Array(0),
  bytes: EMPTY,
  ends: new Uint32Array(0),
}

/** The events' bytes copied together, so that the replies they came in can go. `newestFirst`: they are in that order already. */
export function pageOf(events: readonly AuditEvent[], newestFirst: boolean): EventPage {
  const ordered = newestFirst ? events : events.toReversed()
  const size = ordered.reduce((sum, event) => sum + event.end - event.start, 0)
  const bytes = new Uint8Array(size)
  const ends = new Uint32Array(ordered.length)
  const atMs = new Float64Array(ordered.length)
  let at = 0
  for (const [i, event] of ordered.entries()) {
    bytes.set(event.buffer.subarray(event.start, event.end), at)
    at += event.end - event.start
    ends[i] = at
    atMs[i] = event.occurredAtMs
  }
  return {
    ids: ordered.map((event) => event.id),
    times: ordered.map((event) => event.occurredAt),
    atMs,
    bytes,
    ends,
  }
}

/** @throws RangeError outside the page */
export function heldAt(page: EventPage, i: number): HeldEvent {
  const [id, time, ms] = [page.ids[i], page.times[i], page.atMs[i]]
  if (id === undefined || time === undefined || ms === undefined)
    throw new RangeError(`there is no event ${i} in a page of ${page.ids.length}`)
  return { id, time, ms, bytes: page.bytes.subarray(i === 0 ? 0 : page.ends[i - 1], page.ends[i]) }
}

/** The page of held events in the given order. */
export function pageOfHeld(events: readonly HeldEvent[]): EventPage {
  const bytes = new Uint8Array(events.reduce((sum, event) => sum + event.bytes.length, 0))
  const ends = new Uint32Array(events.length)
  let at = 0
  for (const [i, event] of events.entries()) {
    bytes.set(event.bytes, at)
    at += event.bytes.length
    ends[i] = at
  }
  return {
    ids: events.map(({ id }) => id),
    times: events.map(({ time }) => time),
    atMs: Float64Array.from(events, ({ ms }) => ms),
    bytes,
    ends,
  }
}
