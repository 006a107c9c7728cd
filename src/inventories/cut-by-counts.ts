import type { EpochMs, TimeRange } from '../core/time-range.ts'

/** Rows that a SIEM counted from `at` on, for `bucketMs`; stretches it did not name held none. */
export type CountedBucket = { readonly at: EpochMs; readonly rows: number }

/** Pieces of the window, ascending and without gaps, of about `maxRows` at most; a fuller bucket is divided evenly by time. */
export function cutByCounts(
  window: TimeRange,
  buckets: readonly CountedBucket[],
  { bucketMs, maxRows }: { readonly bucketMs: number; readonly maxRows: number },
): TimeRange[] {
  const pieces: TimeRange[] = []
  let from = window.from
  let rows = 0
  const closeAt = (at: EpochMs) => {
    if (at > from && at < window.to) {
      pieces.push({ from, to: at })
      from = at
    }
    rows = 0
  }
  for (const bucket of buckets.toSorted((a, b) => a.at - b.at)) {
    const start = Math.max(bucket.at, window.from)
    const end = Math.min(bucket.at + bucketMs, window.to)
    if (start >= end) continue
    if (rows + bucket.rows > maxRows) closeAt(start)
    rows += bucket.rows
    const parts = Math.ceil(bucket.rows / maxRows)
    for (let part = 1; part < parts; part += 1) {
      closeAt(start + Math.floor(((end - start) * part) / parts))
      rows = bucket.rows / parts
    }
  }
  pieces.push({ from, to: window.to })
  return pieces
}
