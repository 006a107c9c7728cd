import { ContractError, IncompleteError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { type EpochMs, isoTime, type TimeRange } from '../../core/time-range.ts'
import type { RawPage } from './backend.ts'
import { SERVICE } from './problem.ts'

/** Rows read before the place where a span should begin: a run of equal times may have begun earlier. */
export const OVERLAP = 32
/** Longer runs of one instant are not held. */
const MAX_RUN_ROWS = 131_072
/** Requests in a row that bring nothing new. */
const MAX_VAIN = 24

/** Rows `start` to `end - 1`, oldest first. */
export type ReadRows = (start: number, end: number) => Promise<RawPage>

export type SpanAsked = {
  readonly range: TimeRange
  /** Where its first row probably stands. */
  readonly offset: number
  /** Rows that are probably inside; a page is no longer than it has to be. */
  readonly expected: number
  readonly pageSize: number
}

/**
 * Every row of a range of time, some perhaps twice. Offsets are guesses: one answer is in the order of time from its first row to its last,
 * so what it proves depends on the times in it alone. A page counts when it begins before what is still to be read; each next page begins
 * before the run of equal times that ended the last one, since their order, and which of them stand at the end, change from answer to
 * answer. Rows that vanish or turn up meanwhile move the offsets and are met by stepping back.
 */
export async function* readSpan(
  readRows: ReadRows,
  { range, offset: guess, expected, pageSize }: SpanAsked,
): AsyncGenerator<readonly AuditEvent[]> {
  /** Everything before is read. */
  let need: EpochMs = range.from
  let offset = Math.max(0, guess - Math.min(OVERLAP, pageSize))
  let size = Math.min(pageSize, expected + 2 * OVERLAP)
  let left = expected
  let step = OVERLAP
  let vain = 0
  for (;;) {
    const { events, total } = await readRows(offset, offset + size)
    checkOrder(events)
    const first = events[0]
    const last = events.at(-1)
    if (offset > 0 && (first === undefined || first.occurredAtMs >= need)) {
      // Begins too late to prove that nothing lies between.
      offset = Math.max(0, offset - step)
      step *= 4
      vain = patience(vain, range)
      continue
    }
    step = OVERLAP
    const fresh = events.filter(({ occurredAtMs }) => occurredAtMs >= need && occurredAtMs < range.to)
    if (fresh.length > 0) yield fresh
    if (first === undefined || last === undefined || last.occurredAtMs >= range.to) return
    const end = offset + events.length
    if (
      events.length < size &&
      (total !== undefined ? end >= total : (await readRows(end, end + 1)).events.length === 0)
    )
      return
    if (last.occurredAtMs < need) {
      // Still before the range.
      offset = Math.max(offset + 1, end - 1)
      vain = patience(vain, range)
    } else if (last.occurredAtMs === first.occurredAtMs || last.occurredAtMs === need) {
      // One instant fills the page: it must be read in one answer.
      if (size >= MAX_RUN_ROWS) throw tooLong(last.occurredAtMs)
      size *= 2
      vain = patience(vain, range)
    } else {
      need = last.occurredAtMs
      const run = events.findIndex(({ occurredAtMs }) => occurredAtMs === need)
      offset += run - 1
      left = Math.max(0, left - run)
      size = Math.min(pageSize, left + 2 * OVERLAP)
      vain = 0
    }
  }
}

function patience(vain: number, range: TimeRange): number {
  if (vain < MAX_VAIN) return vain + 1
  throw new IncompleteError(
    `the entries from ${isoTime(range.from)} to ${isoTime(range.to)} changed places while they were read`,
    { service: SERVICE, hint: 'try again' },
  )
}

function tooLong(at: EpochMs): IncompleteError {
  return new IncompleteError(`more than ${MAX_RUN_ROWS} entries share the instant ${isoTime(at)}`, {
    service: SERVICE,
    hint: 'add filters, such as --model or --event, to read them in parts',
  })
}

function checkOrder(events: readonly AuditEvent[]): void {
  let previous = Number.NEGATIVE_INFINITY
  for (const [position, { occurredAtMs }] of events.entries()) {
    if (occurredAtMs < previous) {
      throw new ContractError(`${SERVICE} sent a page that is not oldest first, at position ${position}`, {
        service: SERVICE,
        hint: 'such pages cannot be shown complete; check the setting timezone, and report it with the server’s version',
      })
    }
    previous = occurredAtMs
  }
}
