import type { Chunk } from './chunk.ts'
import { ROW, type Rows } from './rows.ts'

/** Bytes that can be read again: a part of the input itself, of the spool, or of what is in memory. */
export interface Store {
  /** @throws IncompleteError when it no longer holds what was there */
  read(position: number, bytes: number): Promise<Buffer>
}

/** Some events that lie together, the times they span, and where their rows are. */
export type Extent = {
  readonly store: Store
  readonly start: number
  readonly bytes: number
  /** The first of its rows in the table of rows; bounds in them count from `start`. */
  readonly row: number
  readonly count: number
  readonly minMs: number
  readonly maxMs: number
}

/** Where `extentsOf` puts the rows of an extent; returns the number of the first. */
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
    let [minMs, maxMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    let last = first
    while (last < rows.count && (last === first || (rows.spans[last * ROW] as number) < limit)) {
      const time = rows.times[last] as number
      if (time < minMs) minMs = time
      if (time > maxMs) maxMs = time
      last += 1
    }
    const own = rows.spans.slice(first * ROW, last * ROW)
    for (let i = 0; i < own.length; i += 1) if ((own[i] as number) >= 0) own[i] = (own[i] as number) - from
    const end = rows.spans[(last - 1) * ROW + 1] as number
    extents.push({
      store,
      start: position,
      bytes: end - from,
      row: keepRows(own),
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
    const limit = (rows.spans[n * ROW] as number) + 1024 * 1024
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (; n < rows.count && (rows.spans[n * ROW] as number) < limit; n += 1) {
      const time = rows.times[n] as number
      if (time < min) min = time
      if (time > max) max = time
    }
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
    into.rows.add(to, to + end - start, found, rows.times[n] as number)
  }
}
