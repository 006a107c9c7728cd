import { AuditctlError, EXIT, type ExitCode, InterruptedError, RemoteConfigError } from '../../core/errors.ts'
import { isFiltered } from '../../core/filter.ts'
import type { RunReport, RunStatus } from '../../core/report.ts'
import type { RunRecord } from '../../state/run-record.ts'
import { archiveFolder } from './archive.ts'
import { group } from './guards.ts'
import { firstExit, reportOf } from './report.ts'
import type { Work } from './types.ts'

/** `failure`: what ended the run early, for words and hint on stderr. */
export type Result = { readonly report: RunReport; readonly exitCode: ExitCode; readonly failure?: unknown }

export type End = {
  /** When this invocation began, by the clock that never jumps. */
  readonly since: number
  readonly failure?: unknown
  /** What `--verify` did not find; null where it was not asked or not reached. */
  readonly stillMissing?: number | null
}

/** The run's report, recorded; what was verified whole becomes proven. */
export function conclude(work: Work, { since, failure, stillMissing = null }: End): Result {
  const { parts, options, problems, exits } = work
  const { ledger } = parts
  const stored = ledger.readRun(work.run.id) ?? work.run
  const counters = {
    ...stored.counters,
    durationMs: stored.counters.durationMs + (parts.clock.monotonic() - since),
  }
  const run: RunRecord = { ...stored, counters }
  const verified = stillMissing === null ? null : stillMissing === 0
  const warnings = [...work.warnings, ...warningsOf({ ...work, run })]
  const ending = { durationMs: 0, problems, warnings, verified, stillMissing }
  const counted = reportOf(ledger, run, { ...ending, status: 'running' })
  addProblems(work, counted, failure, verified)
  const limitReached = counted.pending > 0 && options.limit !== undefined && failure === undefined
  const exitCode = firstExit(exits)
  const status = statusOf(exitCode, failure, counted, limitReached)
  const isDone = status === 'completed'
  if (isDone && verified === true && counted.scanned > 0 && !isFiltered(options.filter)) {
    for (const window of options.windows)
      ledger.proven.add(run.question.source, run.question.stream ?? '', window)
  }
  const report = reportOf(ledger, run, { ...ending, status })
  ledger.saveCounters(run.id, counters)
  ledger.finish(run.id, report, isDone ? 'done' : run.phase)
  return { report, exitCode, failure }
}

/** Every reason for an exit code that is not 0, in words. */
function addProblems(work: Work, counted: RunReport, failure: unknown, verified: boolean | null): void {
  const { run, exits, problems, parts } = work
  const resume = `auditctl runs resume ${run.id}`
  if (failure !== undefined) {
    exits.add(exitOf(failure, counted))
    const message = failure instanceof Error ? failure.message : String(failure)
    problems.push(failure instanceof InterruptedError ? `${message}: ${resume} goes on` : message)
  }
  if (counted.unresolved > 0) {
    exits.add(EXIT.unresolved)
    problems.push(
      `whether ${group(counted.unresolved)} events arrived could not be established: ${resume} settles it`,
    )
  }
  if (verified === false) {
    exits.add(EXIT.answerIsNo)
    const missing = counted.stillMissing ?? 0
    problems.push(
      `${group(missing)} delivered events are still missing from the inventory: accepted and dropped, or searchable later than the grace of ${parts.destination.name}?`,
    )
  }
  if (counted.rejected + counted.late - counted.archived > 0) {
    exits.add(EXIT.notDelivered)
    problems.push(notDelivered(work, counted))
  }
}

function notDelivered({ parts, run }: Work, report: RunReport): string {
  const late = report.late - report.archived
  const carried = run.carried.rejected + run.carried.late
  const said: string[] = []
  if (report.rejected > 0) said.push(`${group(report.rejected)} events were refused`)
  if (late > 0) {
    const oldest = parts.ledger.ranges(run.id).find(({ state }) => state === 'late')?.reason
    const age = oldest === undefined ? '' : ` (the oldest is ${oldest})`
    said.push(
      `${group(late)} events are too late for ${parts.destination.name}${age}: --late restamp or archive are the other choices`,
    )
  }
  if (carried > 0) said.push(`${group(carried)} of them in earlier runs, which runs resend tries again`)
  const where = report.deadLetter === null ? '' : `: see auditctl runs rejects ${report.run}`
  return `${said.join('; ')}${where}`
}

function warningsOf(work: Work): readonly string[] {
  const { run, parts } = work
  const warnings: string[] = []
  if (run.counters.restamped > 0) {
    const { name, traits } = parts.destination
    const fate = traits.restampLosesTime === true ? 'is lost' : 'stays in the event'
    warnings.push(
      `${group(run.counters.restamped)} events were sent without their own time: ${name} dates them by arrival, their true time ${fate}`,
    )
  }
  if (run.counters.unverified > 0) {
    warnings.push(
      `${group(run.counters.unverified)} events count as delivered on the word of ${parts.destination.name} alone, which took them in requests whose rest it refused: without a search nobody can look`,
    )
  }
  if (run.counters.duplicatesPossible > 0) {
    warnings.push(
      `${group(run.counters.duplicatesPossible)} events were sent again after a request of unknown outcome, and may be there twice: ${parts.destination.name} cannot be searched`,
    )
  }
  const archived = parts.ledger.totals(run.id).archived ?? 0
  if (archived > 0)
    warnings.push(
      `${group(archived)} events are too late for ${parts.destination.name} and were written to ${archiveFolder(work)}`,
    )
  return warnings
}

function statusOf(exitCode: ExitCode, failure: unknown, report: RunReport, limitReached: boolean): RunStatus {
  if (exitCode === EXIT.sigint || exitCode === EXIT.sigterm || exitCode === EXIT.deadline)
    return 'interrupted'
  if (exitCode === EXIT.unresolved || (limitReached && failure === undefined)) return 'partial'
  return failure === undefined && report.pending === 0 ? 'completed' : 'failed'
}

function exitOf(failure: unknown, { delivered, unresolved }: RunReport): ExitCode {
  if (failure instanceof RemoteConfigError) return delivered + unresolved === 0 ? EXIT.usage : EXIT.remote
  return failure instanceof AuditctlError ? failure.exitCode : EXIT.bug
}
