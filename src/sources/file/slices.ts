import type { AuditEvent, SpanPage } from '../../core/event.ts'
import type { Outline } from '../../core/outlines.ts'
import type { EventShape, Page, Slice } from '../../core/source.ts'
import { isInside, type TimeRange } from '../../core/time-range.ts'
import type { Extent } from './extents.ts'
import { eventOfRow } from './name-event.ts'
import { ROW, unpackRows } from './rows.ts'
import type { Shelf } from './shelf.ts'
import { changed } from './stores.ts'

/** What is read at once from one place. */
const READ_BYTES = 1024 * 1024
const QUOTE = 0x22
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * Ranges that cover the window, ascending; events of one millisecond are never parted. One is as small as `leastBytes` where no extent
 * reaches over its end, so that few events are alive at once, and elsewhere as large as `bytes`, so that little is read twice.
 */
export function cutWindow(
  window: TimeRange,
  extents: readonly Extent[],
  bytes: number,
  leastBytes = bytes,
): TimeRange[] {
  const ranges: TimeRange[] = []
  let from = window.from
  let held = 0
  let reachMs = Number.NEGATIVE_INFINITY
  for (const extent of extents.toSorted((a, b) => a.minMs - b.minMs)) {
    const isEnough = held >= bytes || (held >= leastBytes && extent.minMs > reachMs)
    if (isEnough && extent.minMs > from) {
      ranges.push({ from, to: extent.minMs })
      from = extent.minMs
      held = 0
    }
    if (extent.maxMs > reachMs) reachMs = extent.maxMs
    held += extent.bytes
  }
  ranges.push({ from, to: window.to })
  return ranges
}

export type SliceParts = {
  readonly shelf: Shelf
  readonly shape: EventShape
  /** That the survey met. */
  readonly outlines: readonly Outline[]
}

/** The events of the slice, in the order in which they lie; their memory is put on the `held` list. @throws IncompleteError when a file changed since it was surveyed */
export async function* readSlice(
  { shelf, shape, outlines }: SliceParts,
  slice: Slice,
  held: Buffer[],
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { range } = slice
  const extents = shelf.extents.filter(({ minMs, maxMs }) => minMs < range.to && maxMs >= range.from)
  for (const run of runsOf(extents)) {
    signal.throwIfAborted()
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined) continue
    const bytes = await shelf.read(first.store, first.start, last.start + last.bytes - first.start, held)
    const table = await shelf.readRows(first.row, last.row + last.rowLength - first.row, held)
    const events: AuditEvent[] = []
    for (const extent of run) {
      const base: number = extent.start - first.start
      const packed = table.subarray(extent.row - first.row, extent.row - first.row + extent.rowLength)
      const { times, rows, values } = unpackRows(packed, extent.count, outlines)
      const page: SpanPage = { reader: shape.reader, buffer: bytes, rows, base, times, values }
      addInside(events, page, shape, range)
    }
    yield events
  }
}

/** Adds the events of the page that lie in the range. A function of its own, for the engine compiles such a loop once, and a generator's anew. */
function addInside(events: AuditEvent[], page: SpanPage, shape: EventShape, range: TimeRange): void {
  const { times } = page
  for (let n = 0; n < times.length; n += 1) {
    if (!isInPlace(page, n)) throw changed('the input')
    if (isInside(times[n] as number, range)) events.push(eventOfRow(shape, page, n))
  }
}

/** Whether an object begins and ends where the survey saw one, and its id and its time do. */
function isInPlace({ buffer, rows, base }: SpanPage, n: number): boolean {
  const row = n * ROW
  const start = base + (rows[row] as number)
  const end = base + (rows[row + 1] as number)
  if (buffer[start] !== OPEN_BRACE || buffer[end - 1] !== CLOSE_BRACE) return false
  if ((rows[row + 2] as number) < 0) return true
  return (
    buffer[base + (rows[row + 2] as number) - 1] === QUOTE &&
    buffer[base + (rows[row + 3] as number)] === QUOTE &&
    buffer[base + (rows[row + 4] as number) - 1] === QUOTE &&
    buffer[base + (rows[row + 5] as number)] === QUOTE
  )
}

/** Extents that follow each other in one store, with their rows, are read at once. */
function runsOf(extents: readonly Extent[]): Extent[][] {
  const runs: Extent[][] = []
  let run: Extent[] = []
  for (const extent of extents) {
    const first = run[0]
    const last = run.at(-1)
    const isNext =
      first !== undefined &&
      last !== undefined &&
      extent.store === last.store &&
      extent.row === last.row + last.rowLength &&
      extent.start >= last.start + last.bytes &&
      extent.start + extent.bytes - first.start <= READ_BYTES
    if (isNext) run.push(extent)
    else {
      run = [extent]
      runs.push(run)
    }
  }
  return runs
}
