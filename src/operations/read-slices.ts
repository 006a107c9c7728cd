import { type AuditEvent, compareEvents } from '../core/event.ts'
import { compileFilter, type EventFilter, isFiltered } from '../core/filter.ts'
import type { AuditSource, Order, Slice } from '../core/source.ts'
import { isInside, type TimeRange } from '../core/time-range.ts'
import { mapInOrder } from '../streams/map-in-order.ts'

/** All matching events of a slice, each once, in the asked order. */
export type SliceEvents = {
  readonly range: TimeRange
  readonly events: readonly AuditEvent[]
  /** Gives the memory of the events back. For a reader that will not look at any of them again; others leave it to the collector. */
  release(): void
}

export type ReadOptions = {
  readonly order: Order
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly limit?: number
  /** Called once the window was read to its end. `brokenLines`: of an input file, left out. */
  readonly onWarnings?: (warnings: readonly string[], brokenLines: number) => void
}

/**
 * Every event of the window that passes the filter, exactly once, slice by slice in the asked order (time, then id). Slices are read ahead
 * on `concurrency` connections; the reader sets the pace.
 * @throws IncompleteError and the source's other errors: a slice that could not be shown complete is never a short one
 */
export async function* readSlices(
  source: AuditSource,
  window: TimeRange,
  filter: EventFilter,
  options: ReadOptions,
): AsyncGenerator<SliceEvents> {
  const matches = compileFilter(filter, source.shape.filters, source.name)
  const isAll = !isFiltered(filter)
  if (window.to <= window.from) return
  const { order, concurrency, signal } = options
  const opened = await source.open(window, filter, options)
  try {
    const read = async (slice: Slice): Promise<SliceEvents> => {
      const events: AuditEvent[] = []
      const test = isAll ? undefined : matches
      for await (const page of opened.read(slice, signal)) addWanted(events, page, slice.range, test)
      return { range: slice.range, events: inOrder(events, order), release: () => opened.release?.(slice) }
    }
    yield* mapInOrder(opened.slices(), concurrency, read, signal)
    options.onWarnings?.(opened.warnings(), opened.brokenLines?.() ?? 0)
  } finally {
    await opened.close()
  }
}

function isSorted(events: readonly AuditEvent[]): boolean {
  for (let i = 1; i < events.length; i += 1)
    if (compareEvents(events[i - 1] as AuditEvent, events[i] as AuditEvent) > 0) return false
  return true
}

// The loops stand in functions of their own, for the engine compiles those once; a loop with more behind it is compiled before that was
// ever run, and again and again.

function addWanted(
  events: AuditEvent[],
  page: readonly AuditEvent[],
  range: TimeRange,
  test: ((event: AuditEvent) => boolean) | undefined,
): void {
  for (let n = 0; n < page.length; n += 1) {
    const event = page[n] as AuditEvent
    if (isInside(event.occurredAtMs, range) && (test === undefined || test(event))) events.push(event)
  }
}

/** Sorted, and each event once: repeats share their time, so after sorting they are neighbours. */
function inOrder(events: AuditEvent[], order: Order): readonly AuditEvent[] {
  // Servers answer newest first; turned round, the sort finds one ascending run and has little to do.
  const [first, last] = [events[0], events.at(-1)]
  if (first !== undefined && last !== undefined && first.occurredAtMs > last.occurredAtMs) events.reverse()
  if (!isSorted(events)) events.sort(compareEvents)
  events.length = dropRepeats(events)
  return order === 'desc' ? events.reverse() : events
}

/** Moves the events to keep to the front and returns how many they are. */
function dropRepeats(events: AuditEvent[]): number {
  let kept = 0
  for (let i = 0; i < events.length; i += 1) {
    const event = events[i] as AuditEvent
    if (kept > 0 && isSame(events[kept - 1] as AuditEvent, event)) continue
    if (kept < i) events[kept] = event
    kept += 1
  }
  return kept
}

function isSame(a: AuditEvent, b: AuditEvent): boolean {
  return a.occurredAtMs === b.occurredAtMs && a.id === b.id
}
