import type { AuditEvent, SpanPage } from '../../core/event.ts'
import type { EventShape, Page, Slice } from '../../core/source.ts'
import { isInside, type TimeRange } from '../../core/time-range.ts'
import type { Extent } from './extents.ts'
import { eventOfRow } from './name-event.ts'
import { ROW } from './rows.ts'
import type { Shelf } from './shelf.ts'
import { changed } from './stores.ts'

/** What is read at once from one place. */
const READ_BYTES = 1024 * 1024
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Ranges that cover the window, ascending, of about `bytes` each; events of one millisecond are never parted. */
export function cutWindow(window: TimeRange, extents: readonly Extent[], bytes: number): TimeRange[] {
  const ranges: TimeRange[] = []
  let from = window.from
  let held = 0
  for (const extent of extents.toSorted((a, b) => a.minMs - b.minMs)) {
    if (held >= bytes && extent.minMs > from) {
      ranges.push({ from, to: extent.minMs })
      from = extent.minMs
      held = 0
    }
    held += extent.bytes
  }
  ranges.push({ from, to: window.to })
  return ranges
}

/** The events of the slice, in the order in which they lie. @throws IncompleteError when a file changed since it was surveyed */
export async function* readSlice(
  shelf: Shelf,
  shape: EventShape,
  slice: Slice,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { range } = slice
  const extents = shelf.extents.filter(({ minMs, maxMs }) => minMs < range.to && maxMs >= range.from)
  for (const run of runsOf(extents)) {
    signal.throwIfAborted()
    const [first, last] = [run[0], run.at(-1)]
    if (first === undefined || last === undefined) continue
    const bytes = await first.store.read(first.start, last.start + last.bytes - first.start)
    const rows = await shelf.readRows(first.row, last.row + last.count - first.row)
    const events: AuditEvent[] = []
    let row = 0
    for (const extent of run) {
      const base: number = extent.start - first.start
      const page: SpanPage = { reader: shape.reader, buffer: bytes, rows, base }
      for (let n = 0; n < extent.count; n += 1, row += ROW) {
        const start = base + (rows[row] as number)
        const end = base + (rows[row + 1] as number)
        if (bytes[start] !== OPEN_BRACE || bytes[end - 1] !== CLOSE_BRACE) throw changed('the input')
        const event = eventOfRow(shape, page, row)
        if (isInside(event.occurredAtMs, range)) events.push(event)
      }
    }
    yield events
  }
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
      extent.row === last.row + last.count &&
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
