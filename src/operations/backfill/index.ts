import { rmSync } from 'node:fs'
import { AuditctlError, EXIT, type ExitCode, RemoteConfigError, UserError } from '../../core/errors.ts'
import { isFiltered } from '../../core/filter.ts'
import type { RunReport, RunStatus } from '../../core/report.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import type { RunRecord } from '../../state/ledger.ts'
import { Spool } from '../../state/spool.ts'
import { deliverSpool, Engine } from './deliver.ts'
import { checkGuards, group } from './guards.ts'
import { planDelivery } from './plan.ts'
import { dryReport, firstExit, reportOf } from './report.ts'
import { scan } from './scan.ts'
import { resendUnknown, settleUnknown, unsettled } from './settle.ts'
import { stretchesToSend } from './stretches.ts'
import type { BackfillOptions, BackfillParts, Work } from './types.ts'
import { awaitHeld, countOf, verifyDelivered } from './verify.ts'

export const SPOOL_FILE = 'spool.jsonl'
/** Rounds of "send again what settling found absent": each needs a far side that loses what it took. */
const MAX_ROUNDS = 5

export type Result = { readonly report: RunReport; readonly exitCode: ExitCode }

/**
 * Scans, judges, delivers, settles and verifies one run, from wherever the ledger says it stands. The pair must be locked.
 * Everything that happens after the first request ends in the report; only what is refused before anything was sent is thrown.
 * @throws UserError of the guards; the source's and inventory's errors while scanning
 */
export async function runBackfill(
  parts: BackfillParts,
  options: BackfillOptions,
  started: RunRecord,
): Promise<Result> {
  const since = parts.clock.monotonic()
  const spool = Spool.open(parts.ledger.folderOf(started.id), SPOOL_FILE, started.spoolBytes)
  const work: Work = { parts, options, run: started, spool, problems: [], warnings: [], exits: new Set() }
  try {
    if (started.phase === 'scan') {
      await prepareRun(work)
    }
    const run = parts.ledger.readRun(started.id) ?? started
    return await finishRun({ ...work, run }, since)
  } catch (error) {
    recordFailure(work, error, since)
    throw error
  } finally {
    spool.close()
  }
}

/** `--dry-run`: the same scan and plan; nothing is sent, and nothing stays in the ledger. */
export async function planBackfill(
  parts: BackfillParts,
  options: BackfillOptions,
  started: RunRecord,
): Promise<Result> {
  const since = parts.clock.monotonic()
  const spool = Spool.open(parts.ledger.folderOf(started.id), SPOOL_FILE, 0)
  try {
    const work: Work = { parts, options, run: started, spool, problems: [], warnings: [], exits: new Set() }
    const { progress } = await scan(work)
    const scanned: Work = { ...work, run: { ...started, ...progress } }
    const plan = planDelivery(scanned)
    try {
      checkGuards(scanned, plan, missingOf(scanned.run))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      work.problems.push(error.message)
      work.exits.add(EXIT.usage)
    }
    const ending = {
      durationMs: parts.clock.monotonic() - since,
      problems: work.problems,
      warnings: work.warnings,
    }
    return { report: dryReport(scanned.run, plan, ending), exitCode: firstExit(work.exits) }
  } finally {
    spool.close()
    parts.ledger.remove(started.id)
    rmSync(parts.ledger.folderOf(started.id), { recursive: true, force: true })
  }
}

/** Scan, plan, guards, confirmation. @throws UserError when one of them refuses */
async function prepareRun(work: Work): Promise<void> {
  const { parts, options } = work
  const { progress } = await scan(work)
  const run = { ...work.run, ...progress }
  const scanned: Work = { ...work, run }
  const { accepts } = parts.destination.traits
  const needsPlan =
    parts.confirm !== undefined || accepts.pastMs !== undefined || accepts.futureMs !== undefined
  try {
    const plan = needsPlan && run.spooled > 0 ? planDelivery(scanned) : undefined
    checkGuards(scanned, plan, missingOf(run))
    if (
      plan !== undefined &&
      parts.confirm !== undefined &&
      !options.yes &&
      !(await parts.confirm(plan, work.warnings))
    ) {
      throw new UserError('not confirmed; nothing was sent', { code: 'not-confirmed' })
    }
  } catch (error) {
    // Refused before anything was sent: the run must not be found again and finished by the next command.
    if (error instanceof UserError) forget(work)
    throw error
  }
  parts.ledger.setPhase(run.id, 'deliver', 'running')
}

function forget(work: Work): void {
  work.parts.ledger.remove(work.run.id)
  rmSync(work.parts.ledger.folderOf(work.run.id), { recursive: true, force: true })
}

function missingOf(run: RunRecord): number {
  return run.spooled + run.carried.rejected + run.carried.late
}

/** Delivers, settles and verifies; whatever happens on the way becomes part of the report. */
async function finishRun(work: Work, since: number): Promise<Result> {
  const { parts, options, run } = work
  const engine = new Engine(work)
  let verified: boolean | null = null
  let stillMissing: number | null = null
  let failure: unknown
  try {
    await deliverAndSettle(engine)
    if (options.verify) {
      stillMissing = await verifyDelivered(engine)
      verified = stillMissing === 0
      if (!verified) {
        work.exits.add(EXIT.answerIsNo)
        work.problems.push(`${group(stillMissing)} delivered events are still missing from the inventory`)
      }
    }
  } catch (error) {
    failure = parts.signal.aborted ? parts.signal.reason : error
    work.problems.push(failure instanceof Error ? failure.message : String(failure))
  } finally {
    parts.ledger.saveCounters(run.id, {
      ...engine.counters,
      durationMs: engine.counters.durationMs + (parts.clock.monotonic() - since),
    })
    engine.close()
  }
  return conclude({ ...work, run: parts.ledger.readRun(run.id) ?? run }, { verified, stillMissing, failure })
}

async function deliverAndSettle(engine: Engine): Promise<void> {
  const { work } = engine
  const { options, parts } = work
  const hasInventory = parts.inventory !== undefined
  if (unsettled(engine).length > 0) await (hasInventory ? settleUnknown(engine) : resendUnknown(engine))
  if (options.probe) await probe(engine)
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const left = (options.limit ?? Number.POSITIVE_INFINITY) - engine.recorded
    if (left <= 0) break
    await deliverSpool(engine, left)
    if (!hasInventory || unsettled(engine).length === 0) break
    await settleUnknown(engine)
    if (toSend(engine).length === 0) break
  }
}

function toSend(engine: Engine) {
  const { run, parts } = engine.work
  return stretchesToSend(parts.ledger.ranges(run.id), { events: run.spooled, bytes: run.spoolBytes })
}

/** One batch first; the rest only when the inventory has shown it. @throws ProbeError */
async function probe(engine: Engine): Promise<void> {
  const { parts, options } = engine.work
  if (parts.inventory === undefined)
    throw new UserError('--probe needs an inventory', {
      hint: 'give the stream search credentials, or an --inventory file',
    })
  const before = engine.recorded
  const { limits } = parts.destination.traits
  if (toSend(engine).length === 0) return
  await deliverSpool(
    engine,
    Math.min(limits.maxEvents ?? 100, options.limit ?? Number.POSITIVE_INFINITY, 100),
  )
  if (engine.recorded === before) return
  const sent = parts.ledger
    .ranges(engine.work.run.id)
    .filter(
      ({ state }) => state !== 'retry' && state !== 'late' && state !== 'rejected' && state !== 'archived',
    )
  const missing = countOf(await awaitHeld(engine, sent, parts.clock.now()))
  if (missing > 0)
    throw new ProbeError(
      `the probe was accepted but ${group(missing)} of its events cannot be found: wrong index, or a destination that drops them?`,
    )
}

class ProbeError extends AuditctlError {
  override readonly name = 'ProbeError'
  readonly exitCode = EXIT.answerIsNo
  constructor(message: string) {
    super(message, { hint: 'look into the SIEM before sending more' }, 'probe')
  }
}

function conclude(
  work: Work,
  end: { readonly verified: boolean | null; readonly stillMissing: number | null; readonly failure: unknown },
): Result {
  const { parts, run, options } = work
  const ending = {
    durationMs: 0,
    problems: work.problems,
    warnings: work.warnings,
    verified: end.verified,
    stillMissing: end.stillMissing,
  }
  const counted = reportOf(parts.ledger, run, { ...ending, status: 'running' })
  if (counted.unresolved > 0) {
    work.exits.add(EXIT.unresolved)
    work.problems.push(
      `whether ${group(counted.unresolved)} events arrived could not be established: auditctl runs resume ${run.id}`,
    )
  }
  if (counted.rejected + counted.late - counted.archived > 0) {
    work.exits.add(EXIT.notDelivered)
    work.problems.push(notDeliveredText(counted))
  }
  if (end.failure !== undefined) work.exits.add(exitOf(end.failure, counted.delivered))
  const limitReached = counted.pending > 0 && options.limit !== undefined && end.failure === undefined
  const status = statusOf(end.failure, counted, limitReached, work.exits)
  const isDone = status === 'completed'
  if (isDone && end.verified === true && !isFiltered(options.filter)) {
    for (const window of options.windows)
      parts.ledger.proven.add(run.question.source, run.question.stream ?? '', window)
  }
  const report = reportOf(parts.ledger, run, { ...ending, status })
  parts.ledger.finish(run.id, report, isDone ? 'done' : 'deliver')
  return { report, exitCode: firstExit(work.exits) }
}

function notDeliveredText(report: RunReport): string {
  const late = report.late - report.archived
  const parts = [
    report.rejected > 0 ? `${group(report.rejected)} events were refused` : '',
    late > 0 ? `${group(late)} are too late for the destination (choose with --late restamp or archive)` : '',
  ]
  return `${parts.filter((part) => part !== '').join(', ')}: see auditctl runs rejects ${report.run}`
}

function statusOf(
  failure: unknown,
  report: RunReport,
  limitReached: boolean,
  exits: ReadonlySet<number>,
): RunStatus {
  if (exits.has(EXIT.sigint) || exits.has(EXIT.sigterm) || exits.has(EXIT.deadline)) return 'interrupted'
  if (failure !== undefined) return 'failed'
  if (report.unresolved > 0 || limitReached) return 'partial'
  return report.pending === 0 ? 'completed' : 'failed'
}

function exitOf(failure: unknown, delivered: number): ExitCode {
  if (failure instanceof RemoteConfigError) return delivered === 0 ? EXIT.usage : EXIT.remote
  return failure instanceof AuditctlError ? failure.exitCode : EXIT.bug
}

/** A scan that failed stays unfinished and can be resumed; its state is recorded so that `runs list` tells. */
function recordFailure(work: Work, error: unknown, since: number): void {
  const run = work.parts.ledger.readRun(work.run.id)
  if (run === undefined) return
  const isInterrupted = work.parts.signal.aborted
  const problem = error instanceof Error ? error.message : String(error)
  const report = reportOf(work.parts.ledger, run, {
    status: isInterrupted ? 'interrupted' : 'failed',
    verified: null,
    stillMissing: null,
    durationMs: work.parts.clock.monotonic() - since,
    problems: [problem],
    warnings: work.warnings,
  })
  work.parts.ledger.finish(run.id, report, run.phase)
}

/** For messages: `2026-11-20T02:00:00.000Z to 2026-11-20T03:00:00.000Z`. */
export function windowText(window: TimeRange): string {
  return `${isoTime(window.from)} to ${isoTime(window.to)}`
}
