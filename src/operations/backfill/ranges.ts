import type { RangeState, SpoolRange } from '../../state/run-record.ts'
import type { Prepared } from './encode.ts'

/** Where neighbours lie in the spool. */
export function spanOf(
  items: readonly Prepared[],
): Pick<SpoolRange, 'first' | 'count' | 'spoolFrom' | 'spoolTo'> {
  const [first, last] = [items[0], items.at(-1)]
  if (first === undefined || last === undefined) throw new TypeError('a stretch has at least one event')
  return { first: first.position, count: items.length, spoolFrom: first.spoolFrom, spoolTo: last.spoolTo }
}

export function rangeOf(
  items: readonly Prepared[],
  state: RangeState,
  outcome: { readonly code?: string; readonly reason?: string },
  attempts: number,
  sentAt: number | undefined,
): SpoolRange {
  return { ...spanOf(items), state, sentAt, attempts, code: outcome.code, reason: outcome.reason }
}
