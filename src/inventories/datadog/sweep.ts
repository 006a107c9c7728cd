import type { HeldRows } from '../../core/inventory.ts'
import type { Clock } from '../../core/runtime.ts'
import { type EpochMs, HOUR_MS, type TimeRange } from '../../core/time-range.ts'
import type { FoundRow } from './rows.ts'

/** What reading one piece leaves for the next, when the pieces of a plan are read in their order. */
type Carry = {
  readonly piece: number
  readonly coveredTo: EpochMs
  readonly rows: FoundRow[]
  readonly restamped: FoundRow[]
}

/** One piece being read. */
export type Turn = {
  /** Where the search of this piece begins when earlier pieces have read up to there; undefined: at its own beginning. */
  readonly coveredTo: EpochMs | undefined
  readonly hasRestamped: boolean
  /** Rows of this window that an earlier piece had come across. */
  take(window: TimeRange): HeldRows
  /** The window's own rows of a page; the others are kept for later pieces. */
  sort(rows: readonly FoundRow[], window: TimeRange): HeldRows
  addRestamped(rows: readonly FoundRow[]): void
  /** Rows of this window that were refilled with a new date, at `from` or later. */
  restamped(window: TimeRange, from: EpochMs): HeldRows
  /** The piece was read whole. */
  finish(coveredTo: EpochMs): void
}

export type Sweep = {
  /** A plan was made: its pieces, read once and in order, hand rows on to each other. */
  expect(pieces: readonly TimeRange[]): void
  begin(window: TimeRange): Turn
}

const MAX_ROWS = 1_000_000
const MAX_AGE_MS = 2 * HOUR_MS

/**
 * Each piece must be searched a day past its end, for rows dated by arrival. Without this memory a plan of four pieces would read most rows
 * twice, from an API that allows 300 searches an hour. Any other question (a piece again, a part of one) is asked anew: whoever looks for
 * what was just sent must not be answered from memory.
 */
export function createSweep(clock: Clock): Sweep {
  let pieces: readonly TimeRange[] = []
  let next = 0
  let carry: Carry | undefined
  let startedAt = 0

  return {
    expect(planned) {
      pieces = planned
      next = 0
      carry = undefined
      startedAt = clock.now()
    },
    begin(window) {
      const expected = pieces[next]
      const isNext = expected !== undefined && expected.from === window.from && expected.to === window.to
      const piece = next
      const earlier =
        isNext && carry?.piece === piece && clock.now() - startedAt < MAX_AGE_MS ? carry : undefined
      if (isNext) {
        next += 1
        carry = undefined
      }
      const rows: FoundRow[] = []
      const restamped = earlier?.restamped ?? []
      const sort = (found: readonly FoundRow[], range: TimeRange): HeldRows => {
        for (const row of found) if (!(row.atMs < range.to)) rows.push(row)
        return held(found.filter((row) => !(row.atMs < range.from || row.atMs >= range.to)))
      }
      return {
        coveredTo: earlier?.coveredTo,
        hasRestamped: earlier !== undefined,
        take: (range) => sort(earlier?.rows ?? [], range),
        sort,
        addRestamped: (found) => {
          restamped.push(...found)
        },
        restamped: (range, from) =>
          held(
            restamped.filter(
              (row) => !(row.datedMs < from) && !(row.atMs < range.from || row.atMs >= range.to),
            ),
          ),
        finish(coveredTo) {
          if (!isNext || next !== piece + 1 || rows.length + restamped.length > MAX_ROWS) return
          carry = { piece: next, coveredTo, rows, restamped }
        },
      }
    },
  }
}

function held(rows: readonly FoundRow[]): HeldRows {
  return { ids: rows.map((row) => row.id), atMs: rows.map((row) => row.atMs) }
}
