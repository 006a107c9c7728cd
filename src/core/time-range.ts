/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number

/** Half-open: `from` is inside, `to` is not, so neighbours never share an event. */
export type TimeRange = { readonly from: EpochMs; readonly to: EpochMs }

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** `2026-11-20T02:10:00.000Z`; the only spelling of an instant that auditctl makes itself. */
export function isoTime(ms: EpochMs): string {
  return new Date(ms).toISOString()
}

export function isoRange(range: TimeRange): { readonly from: string; readonly to: string } {
  return { from: isoTime(range.from), to: isoTime(range.to) }
}

export function isInside(ms: EpochMs, range: TimeRange): boolean {
  return ms >= range.from && ms < range.to
}

export function overlaps(a: TimeRange, b: TimeRange): boolean {
  return a.from < b.to && b.from < a.to
}
