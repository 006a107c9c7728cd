import { type AuditEvent, SpanEvent } from '../../core/event.ts'
import { freeBytes } from '../../core/free-bytes.ts'

/** Events kept to become others: about as many as are read ahead. */
const MAX_SPARE = 32 * 1024

/**
 * The memory of replies, given back once all of their events are done with. The events of one reply may lie in several slices, and each is
 * handed over once at most: where some are not, the collector has to find their reply.
 */
export class Replies {
  /** How many events of a reply are still to be looked at. */
  readonly #left = new WeakMap<ArrayBufferLike, number>()

  /** Events that were given back, for `eventsOf`. */
  readonly spare: SpanEvent[] = []

  /** Events that will be handed over, all of one reply. */
  note(events: readonly AuditEvent[]): void {
    const [first] = events
    if (first !== undefined) this.#left.set(first.buffer.buffer, events.length)
  }

  /** Nobody will look at these again. */
  giveBack(events: readonly AuditEvent[]): void {
    for (let n = 0; n < events.length; ) {
      const count = alikeFrom(events, n)
      this.#done((events[n] as AuditEvent).buffer, count)
      n += count
    }
    keep(this.spare, events)
  }

  #done(bytes: Uint8Array, events: number): void {
    const left = this.#left.get(bytes.buffer)
    if (left === undefined) return
    this.#left.set(bytes.buffer, left - events)
    if (left === events) freeBytes(bytes)
  }
}

// The loops stand in functions of their own, which the engine compiles once.

/** How many events from there on lie in the same bytes. */
function alikeFrom(events: readonly AuditEvent[], from: number): number {
  const { buffer } = events[from] as AuditEvent
  let end = from + 1
  while (end < events.length && (events[end] as AuditEvent).buffer === buffer) end += 1
  return end - from
}

function keep(spare: SpanEvent[], events: readonly AuditEvent[]): void {
  for (let n = 0; n < events.length && spare.length < MAX_SPARE; n += 1) {
    const event = events[n]
    if (event instanceof SpanEvent) spare.push(event)
  }
}
