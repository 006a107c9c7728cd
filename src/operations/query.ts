import { type AuditEvent, compareEvents } from '../core/event.ts'
import type { EventFilter } from '../core/filter.ts'
import type { AuditSource, Order } from '../core/source.ts'
import type { TimeRange } from '../core/time-range.ts'
import { readSlices } from './read-slices.ts'

/** Where a page of results ended; the next one begins after it. */
export type QueryPosition = { readonly ms: number; readonly time: string; readonly id: string }

export type QueryOptions = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly order: Order
  /** At most so many events; undefined: all of the window. */
  readonly limit: number | undefined
  readonly after: QueryPosition | undefined
}

export type QueryParts = {
  readonly source: AuditSource
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly onWarnings?: (warnings: readonly string[], brokenLines: number) => void
}

/** `hasMore`: at least one event follows those that were given. */
export type QueryEnd = { readonly hasMore: boolean; readonly last: QueryPosition | undefined }

/**
 * Events of the window in the asked order, a slice at a time, each once. Following `last` as the next page's `after` yields every event
 * that was visible when its page was fetched exactly once: the position is a place in time and id, not an offset.
 */
export async function* queryEvents(
  parts: QueryParts,
  options: QueryOptions,
): AsyncGenerator<readonly AuditEvent[], QueryEnd> {
  const { order, limit, after } = options
  let last = after
  let given = 0
  const slices = readSlices(parts.source, restOf(options), options.filter, {
    order,
    concurrency: parts.concurrency,
    signal: parts.signal,
    ...(limit === undefined ? {} : { limit: limit + 1 }),
    ...(parts.onWarnings === undefined ? {} : { onWarnings: parts.onWarnings }),
  })
  for await (const { events } of slices) {
    let fresh = after === undefined ? events : events.filter((event) => isAfter(event, after, order))
    const room = (limit ?? Number.POSITIVE_INFINITY) - given
    const hasMore = fresh.length > room
    if (hasMore) fresh = fresh.slice(0, room)
    const newest = fresh.at(-1)
    if (newest !== undefined) last = { ms: newest.occurredAtMs, time: newest.occurredAt, id: newest.id }
    given += fresh.length
    if (fresh.length > 0) yield fresh
    if (hasMore) return { hasMore: true, last }
  }
  return { hasMore: false, last }
}

/** The window without what lies before the position; its own millisecond is read again, for events may share it. */
function restOf({ window, order, after }: QueryOptions): TimeRange {
  if (after === undefined) return window
  return order === 'desc'
    ? { from: window.from, to: Math.min(window.to, after.ms + 1) }
    : { from: Math.max(window.from, after.ms), to: window.to }
}

function isAfter(event: AuditEvent, after: QueryPosition, order: Order): boolean {
  if (event.occurredAtMs !== after.ms)
    return order === 'desc' ? event.occurredAtMs < after.ms : event.occurredAtMs > after.ms
  const compared = compareEvents(event, {
    ...event,
    occurredAtMs: after.ms,
    occurredAt: after.time,
    id: after.id,
  })
  return order === 'desc' ? compared < 0 : compared > 0
}
