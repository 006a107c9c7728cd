import { EXIT, type ExitCode } from '../../core/errors.ts'
import type { BackfillPlan, RunReport, RunStatus, WindowText } from '../../core/report.ts'
import { isoRange } from '../../core/time-range.ts'
import type { Ledger } from '../../state/ledger.ts'
import type { RangeState, RunRecord } from '../../state/run-record.ts'
import { provenUntil } from '../find-gaps.ts'
import { deadLettersOf } from './dead-letters.ts'

export type Ending = {
  readonly status: RunStatus
  readonly verified: boolean | null
  readonly stillMissing: number | null
  readonly durationMs: number
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** A run's report, from what the ledger recorded. `selected` counts events whose fate is recorded, `pending` those not reached. */
export function reportOf(ledger: Ledger, run: RunRecord, ending: Ending): RunReport {
  const totals = ledger.totals(run.id)
  const of = (...states: readonly RangeState[]): number =>
    states.reduce((sum, state) => sum + (totals[state] ?? 0), 0)
  const delivered = of('delivered')
  const archived = of('archived') + run.carried.archived
  const rejected = of('rejected') + run.carried.rejected
  const late = of('late') + archived + run.carried.late
  const unresolved = of('sending', 'unknown', 'unverified')
  const selected = delivered + rejected + late + unresolved
  const deadLetter = deadLettersOf(ledger, run)?.path ?? null
  const { counters } = run
  return {
    run: run.id,
    status: ending.status,
    source: run.question.source,
    stream: run.question.stream,
    window: isoRange({ from: run.question.from, to: run.question.to }) as WindowText,
    mode: run.question.mode,
    scanned: run.scanned,
    alreadyHeld: run.held,
    selected,
    delivered,
    rejected,
    late,
    archived,
    unresolved,
    pending: run.scanned - run.held - selected,
    duplicatesPossible: counters.duplicatesPossible,
    batches: counters.batches,
    requests: counters.requests,
    retries: counters.retries,
    bytesSent: counters.bytesSent,
    verified: ending.verified,
    stillMissing: ending.stillMissing,
    deadLetter,
    durationMs: Math.round(counters.durationMs + ending.durationMs),
    problems: ending.problems,
    warnings: [...new Set(ending.warnings)],
    notRebuilt: counters.notRebuilt,
    createdAt: new Date(run.createdAt).toISOString(),
    provenUntil:
      run.question.stream === null ? null : provenUntil(ledger, run.question.source, run.question.stream),
  }
}

/** The report of `--dry-run`: nothing was selected, nothing is recorded. */
export function dryReport(
  run: RunRecord,
  plan: BackfillPlan,
  ending: Omit<Ending, 'status' | 'verified' | 'stillMissing'>,
): RunReport {
  return {
    run: null,
    status: 'planned',
    source: run.question.source,
    stream: run.question.stream,
    window: isoRange({ from: run.question.from, to: run.question.to }) as WindowText,
    mode: run.question.mode,
    dryRun: true,
    plan,
    scanned: run.scanned,
    alreadyHeld: run.held,
    selected: 0,
    delivered: 0,
    rejected: 0,
    late: 0,
    archived: 0,
    unresolved: 0,
    pending: run.scanned - run.held,
    duplicatesPossible: 0,
    batches: 0,
    requests: 0,
    retries: 0,
    bytesSent: 0,
    verified: null,
    stillMissing: null,
    deadLetter: null,
    durationMs: Math.round(ending.durationMs),
    problems: ending.problems,
    warnings: [...new Set(ending.warnings)],
  }
}

const ORDER: readonly ExitCode[] = [
  EXIT.sigint,
  EXIT.sigterm,
  EXIT.deadline,
  EXIT.auth,
  EXIT.unresolved,
  EXIT.remote,
  EXIT.answerIsNo,
  EXIT.notDelivered,
  EXIT.done,
]

/** The first that applies, in the contract's order; 1, 2 and 75 stop a run before it has a result and win over all. */
export function firstExit(codes: Iterable<number>): ExitCode {
  const met = new Set(codes)
  for (const code of [EXIT.bug, EXIT.usage, EXIT.locked] as const) if (met.has(code)) return code
  return ORDER.find((code) => met.has(code)) ?? EXIT.done
}
