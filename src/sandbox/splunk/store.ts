import type { JsonObject } from '../../core/event.ts'

/** One indexed event. `raw` is the event's own text as it was sent: a span of the request's body. */
export type StoredRow = {
  /** Epoch seconds. */
  readonly time: number
  readonly index: string
  readonly host: string | undefined
  readonly source: string | undefined
  readonly sourcetype: string | undefined
  readonly fields: JsonObject | undefined
  readonly body: Buffer
  readonly start: number
  readonly end: number
  /** `id` and `createdAt` of the event, read once: a search over all rows parses nothing. */
  readonly id: string | undefined
  readonly createdAt: string | undefined
  readonly receivedAt: number
  /** Which request brought it; 0 for rows put in beforehand. */
  readonly request: number
  readonly position: number
  visibleAt: number
}

export type RowStore = {
  readonly all: readonly StoredRow[]
  add(row: StoredRow): void
  /** Rows with `from <= time < to` in seconds, newest first, as searches return them. */
  between(from: number, to: number): Generator<StoredRow>
  clear(): void
}

export function rowStore(): RowStore {
  const all: StoredRow[] = []
  let byTime: StoredRow[] = []
  let isSorted = true

  return {
    all,
    add(row) {
      const last = byTime.at(-1)
      if (last !== undefined && last.time > row.time) isSorted = false
      all.push(row)
      byTime.push(row)
    },
    *between(from, to) {
      if (!isSorted) byTime.sort((a, b) => a.time - b.time)
      isSorted = true
      const rows = byTime
      for (let i = firstNotBefore(rows, to) - 1; i >= 0; i -= 1) {
        const row = rows[i]
        if (row === undefined || row.time < from) return
        yield row
      }
    },
    clear() {
      all.length = 0
      byTime = []
      isSorted = true
    },
  }
}

export function rawOf(row: StoredRow): string {
  return row.body.toString('utf8', row.start, row.end).trim()
}

/** The row as the product would show it, its event parsed. */
export function shown(row: StoredRow): JsonObject {
  return {
    time: row.time,
    ...(row.host === undefined ? {} : { host: row.host }),
    source: row.source,
    sourcetype: row.sourcetype,
    index: row.index,
    raw: rawOf(row),
    event: JSON.parse(rawOf(row)) as unknown,
    request: row.request,
    position: row.position,
  }
}

function firstNotBefore(rows: readonly StoredRow[], time: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rows[middle]?.time ?? 0) < time) low = middle + 1
    else high = middle
  }
  return low
}
