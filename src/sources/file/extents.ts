import type { Buffers } from '../../core/buffers.ts'
import type { Chunk } from './chunk.ts'
import { ROW, type Rows } from './rows.ts'

/** Bytes that can be read again: a part of the input itself, of the spool, or of what is in memory. */
export interface Store {
  /** The bytes, in memory of `buffers` unless they are in memory already. @throws IncompleteError when it no longer holds what was there */
  read(position: number, bytes: number, buffers: Buffers): Promise<Buffer>
}

/** Some events that lie together, the times they span, and where their rows are. */
export type Extent = {
  readonly store: Store
  readonly start: number
  readonly bytes: number
  /** Where its packed rows begin in the table of rows, and how many numbers they are; bounds in them count from `start`. */
  readonly row: number
  readonly rowLength: number
  readonly count: number
  readonly minMs: number
  readonly maxMs: number
}

/** Where `extentsOf` puts the packed rows of an extent; returns where they begin. */
export type KeepRows = (rows: Int32Array) => number

/**
 * Cuts events that lie in `rows` order into extents of about `bytes` each. `place` says in which store, and where there, a position of the
 * chunk lies; an extent never spans two stores.
 */
export function extentsOf(
  rows: Rows,
  bytes: number,
  place: (at: number) => { readonly store: Store; readonly position: number; readonly until: number },
  keepRows: KeepRows,
): Extent[] {
  const extents: Extent[] = []
  for (let first = 0; first < rows.count; ) {
    const from = rows.spans[first * ROW] as number
    const { store, position, until } = place(from)
    const limit = Math.min(until, from + bytes)
    const last = Math.max(first + 1, rows.endBefore(limit, first))
    const { minMs, maxMs } = rows.spanOfTime(first, last)
    const own = rows.pack(first, last, from)
    const end = rows.spans[(last - 1) * ROW + 1] as number
    extents.push({
      store,
      start: position,
      bytes: end - from,
      row: keepRows(own),
      rowLength: own.length,
      count: last - first,
      minMs,
      maxMs,
    })
    first = last
  }
  return extents
}

/**
 * Whether the chunk's events, as they lie, are near enough to the order of time, up or down: then a slice of the window finds its events in
 * few places. A megabyte at a time is looked at.
 */
export function isNearlySorted(chunk: Chunk): boolean {
  const { rows } = chunk
  let spans = 0
  let [allMin, allMax] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let n = 0; n < rows.count; ) {
    const last = rows.endBefore((rows.spans[n * ROW] as number) + 1024 * 1024, n)
    const { minMs: min, maxMs: max } = rows.spanOfTime(n, last)
    n = last
    spans += max - min
    if (min < allMin) allMin = min
    if (max > allMax) allMax = max
  }
  return spans <= 2 * (allMax - allMin)
}

/** The same events in ascending order of time, copied together; the chunk itself is left as it is. */
export function sortedCopy(chunk: Chunk, into: Chunk): void {
  const { rows, bytes } = chunk
  const order = Array.from({ length: rows.count }, (_, n) => n)
  order.sort((a, b) => (rows.times[a] as number) - (rows.times[b] as number))
  into.clear()
  into.segments = undefined
  into.room(chunk.filled)
  const found = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }
  for (const n of order) {
    const at = n * ROW
    const [start, end] = [rows.spans[at] as number, rows.spans[at + 1] as number]
    const to = into.put(bytes, start, end)
    const moved = (field: number) => {
      const value = rows.spans[at + field] as number
      return value < 0 ? -1 : value - start + to
    }
    found.idStart = moved(2)
    found.idEnd = moved(3)
    found.timeStart = moved(4)
    found.timeEnd = moved(5)
    into.rows.addOf(rows, n, to, to + end - start, found)
  }
}
