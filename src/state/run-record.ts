import type { RunQuestion, RunReport, RunStatus } from '../core/report.ts'
import type { EpochMs, TimeRange } from '../core/time-range.ts'

/**
 * What is known of a stretch of a run's spool. `sending` is an intent: after a crash it reads as `unknown`. `retry` means that nothing of
 * it was stored.
 */
export type RangeState =
  | 'sending'
  | 'delivered'
  | 'unverified'
  | 'unknown'
  | 'retry'
  | 'rejected'
  | 'late'
  | 'archived'

export type SpoolRange = {
  /** Position of the first event in the spool, from 0. */
  readonly first: number
  readonly count: number
  readonly spoolFrom: number
  readonly spoolTo: number
  readonly state: RangeState
  readonly sentAt: EpochMs | undefined
  readonly attempts: number
  readonly code: string | undefined
  readonly reason: string | undefined
}

export type RunCounters = {
  readonly batches: number
  readonly requests: number
  readonly retries: number
  readonly bytesSent: number
  readonly duplicatesPossible: number
  /** Counted as delivered on the far side's word in an answer that was not a plain yes, since nobody could look them up. */
  readonly unverified: number
  /** Delivered without the provider's own time, to be dated by arrival. */
  readonly restamped: number
  /** Length of the dead-letter file that these counts describe. */
  readonly deadLetterBytes: number
  readonly durationMs: number
  readonly notRebuilt: Readonly<Record<string, number>>
}

export type RunPhase = 'scan' | 'deliver' | 'done'

export type RunRecord = {
  readonly id: string
  readonly key: string
  readonly question: RunQuestion
  readonly status: RunStatus
  readonly phase: RunPhase
  /** Every slice before this instant was scanned, and what it selected is in the spool. */
  readonly doneThrough: EpochMs
  readonly scanned: number
  readonly held: number
  readonly spooled: number
  readonly spoolBytes: number
  /** Missing again, although an earlier run had dead-lettered or archived them: by what they are there. Never sent by this run. */
  readonly carried: { readonly rejected: number; readonly late: number; readonly archived: number }
  readonly counters: RunCounters
  readonly report: RunReport | undefined
  readonly createdAt: EpochMs
  readonly updatedAt: EpochMs
}

export type ScanProgress = Pick<
  RunRecord,
  'doneThrough' | 'scanned' | 'held' | 'spooled' | 'spoolBytes' | 'carried'
>

/**
 * A maximal stretch of events, in time order, that a scan found missing. `spoolFirst`, `spooled`: which events of the spool they are; those
 * that an earlier run had given up on are missing, but not in it.
 */
export type RunGap = {
  /** From 0, in the order of time. */
  readonly n: number
  /** `to`: one millisecond after the last event. */
  readonly range: TimeRange
  readonly missing: number
  readonly spoolFirst: number
  readonly spooled: number
  readonly firstId: string
  readonly lastId: string
  /** The scan has not seen what comes after it yet. */
  readonly isOpen: boolean
}

/** A run whose spool was filled before it was recorded. */
export type FilledRun = { readonly id: string; readonly progress: ScanProgress }

/** A run that was left in the middle and can be resumed. */
export function isUnfinished(run: RunRecord): boolean {
  return run.phase !== 'done' && run.question.mode !== 'export'
}

export function windowOf(run: RunRecord): TimeRange {
  return { from: run.question.from, to: run.question.to }
}
