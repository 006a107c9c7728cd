import { createReadStream, rmSync } from 'node:fs'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { RunReport } from '../../core/report.ts'
import { deadLettersOf } from '../../operations/backfill/dead-letters.ts'
import { reportOf } from '../../operations/backfill/report.ts'
import type { Ledger } from '../../state/ledger.ts'
import { isUnfinished, type RunRecord } from '../../state/run-record.ts'
import { type Job, openJob, resumeRun } from '../backfill-run.ts'
import { counted } from '../counted.ts'
import { settingsFor } from '../entry-actions.ts'
import { outputFlag } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { lockPair, olderThan, openLedger, openSource, openStream } from '../job.ts'
import { printFitting, printRows, rowFormat } from '../print-rows.ts'
import { canAsk } from '../prompt.ts'
import { incidentText, printReport, reportText } from '../report-printer.ts'
import type { Runtime } from '../runtime.ts'
import { withTimes } from '../time-text.ts'

/** `auditctl runs …`: the ledger of backfills and exports. */
export async function runsCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const ledger = await openLedger(runtime)
  switch (invocation.path[1]) {
    case 'list':
      return listRuns(ledger, invocation, runtime)
    case 'show':
      return showRun(ledger, invocation, runtime)
    case 'resume':
      return resume(ledger, invocation, runtime)
    case 'rejects':
      return rejects(ledger, invocation, runtime)
    case 'resend':
      return resend(ledger, invocation, runtime)
    case 'prune':
      return prune(ledger, invocation, runtime)
    default:
      throw new UserError('runs has list, show, resume, rejects, resend and prune')
  }
}

/** The report as it stands: of a run in work, or one that was killed, made from the ledger. */
export function currentReport(ledger: Ledger, run: RunRecord): RunReport {
  if (run.report !== undefined) return run.report
  return reportOf(ledger, run, {
    status: run.status,
    verified: null,
    stillMissing: null,
    durationMs: 0,
    problems: [],
    warnings: [],
  })
}

const RUN_COLUMNS = [
  ...['run', 'status', 'mode', 'source', 'stream', 'from', 'to'],
  ...['scanned', 'delivered', 'rejected', 'late', 'unresolved', 'pending'],
]

async function listRuns(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const reports = ledger.listRuns().map((run) => currentReport(ledger, run))
  const format = rowFormat(invocation, runtime)
  if (format === 'json' || format === 'jsonl') {
    await printRows(reports, [], format, runtime)
    return EXIT.done
  }
  const rows = reports.map((report) => ({ ...report, from: report.window.from, to: report.window.to }))
  const shown = format === 'table' ? withTimes(rows, ['from', 'to'], invocation, runtime) : rows
  await printFitting(shown, [RUN_COLUMNS, ['run', 'status', 'stream', 'from', 'delivered']], format, runtime)
  return EXIT.done
}

function runOf(ledger: Ledger, invocation: Invocation): RunRecord {
  const [id = ''] = invocation.args
  const run = ledger.readRun(id)
  if (run !== undefined) return run
  const fitting = ledger.listRuns().filter((candidate) => id !== '' && candidate.id.includes(id))
  const [only] = fitting
  if (fitting.length === 1 && only !== undefined) return only
  throw new UserError(`there is no run ${JSON.stringify(id)}`, {
    code: 'unknown-run',
    hint: 'auditctl runs list names them',
  })
}

async function showRun(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const run = runOf(ledger, invocation)
  const report = currentReport(ledger, run)
  if (flagOption(invocation, 'md')) {
    await runtime.output.write(await incidentText(ledger, report, runtime))
    return EXIT.done
  }
  const format = outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'json')
  await runtime.output.write(format === 'table' ? reportText(report) : `${JSON.stringify(report)}\n`)
  if (run.question.mark === true && run.question.stream !== null)
    await sayReplayQuery(run, invocation, runtime)
  return EXIT.done
}

/** How detections leave a marked replay out. A stream that was removed since has no query any more. */
async function sayReplayQuery(run: RunRecord, invocation: Invocation, runtime: Runtime): Promise<void> {
  const settings = await settingsFor(invocation, runtime)
  const stream = run.question.stream ?? ''
  if (!settings.streamNames.includes(stream)) return
  const destination = await settings.openStream(stream, {
    http: await runtime.http(),
    clock: runtime.clock,
    log: runtime.log,
  })
  const query = destination.replayQuery?.(run.id)
  await destination.close()
  if (query !== undefined) runtime.log.info(`leave this replay out of detections with: ${query}`)
}

async function jobOf(ledger: Ledger, run: RunRecord, invocation: Invocation, runtime: Runtime): Promise<Job> {
  const { source: sourceName, stream: streamName } = run.question
  if (streamName === null)
    throw new UserError(`run ${run.id} is an export`, {
      hint: 'run the same export again: it goes on where it was',
    })
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime, sourceName)
  const { late } = run.question
  const stream = await openStream(settings, streamName, source, invocation, runtime, late)
  await lockPair(invocation, runtime, sourceName, streamName)
  return openJob({ settings, source, stream, ledger, invocation, runtime })
}

/** The same export again, by the options it was begun with. */
async function resumeExport(
  ledger: Ledger,
  { id, question, phase }: RunRecord,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  if (phase === 'done') runtime.log.info(`run ${id} is finished; there is nothing to resume`)
  else {
    const { exportCommand } = await import('./export.ts')
    const options = { ...invocation.options, ...question.command }
    exitCode = await exportCommand({ path: ['export'], args: [], options }, runtime)
  }
  const run = ledger.readRun(id)
  // The export has said itself what was left out.
  if (run !== undefined)
    await printReport(
      { report: currentReport(ledger, run), exitCode: EXIT.done },
      [],
      ledger,
      invocation,
      runtime,
    )
  return exitCode
}

async function resume(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const asked = runOf(ledger, invocation)
  if (asked.question.command !== undefined) return resumeExport(ledger, asked, invocation, runtime)
  const job = await jobOf(ledger, asked, invocation, runtime)
  // Another process may have finished it while this one waited for the lock.
  const run = ledger.readRun(asked.id) ?? asked
  if (!isUnfinished(run)) {
    runtime.log.info(`run ${run.id} is finished; there is nothing to resume`)
    await printReport(
      { report: currentReport(ledger, run), exitCode: EXIT.done },
      [],
      ledger,
      invocation,
      runtime,
    )
    return EXIT.done
  }
  const result = await resumeRun(job, run)
  await printReport(result, [], ledger, invocation, runtime)
  return result.exitCode
}

async function rejects(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const file = deadLettersOf(ledger, runOf(ledger, invocation))
  if (file === undefined) return EXIT.done
  for await (const chunk of createReadStream(file.path, { end: file.bytes - 1 }))
    await runtime.output.write(chunk as Buffer)
  return EXIT.done
}

async function resend(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const of = runOf(ledger, invocation)
  if (!flagOption(invocation, 'yes') && !canAsk(runtime.io)) {
    throw new UserError('runs resend sends again what was refused, and there is no terminal to confirm it', {
      code: 'needs-yes',
      hint: 'look with auditctl runs rejects, then add --yes',
    })
  }
  const job = await jobOf(ledger, of, invocation, runtime)
  const { createResend } = await import('../../operations/backfill/resend.ts')
  const { log, signal } = runtime
  const run = await createResend({ ledger, shape: job.source.shape, live: job.live, log, signal }, of, {
    file: textOption(invocation, 'file'),
    late: textOption(invocation, 'late') as RunRecord['question']['late'],
    mark: flagOption(invocation, 'mark') || of.question.mark === true,
    verify: flagOption(invocation, 'verify'),
  })
  const result = await resumeRun(job, run)
  await printReport(result, [], ledger, invocation, runtime)
  return result.exitCode
}

async function prune(ledger: Ledger, invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const ids = ledger.prune(runtime.clock.now() - olderThan(invocation))
  for (const id of ids) rmSync(ledger.folderOf(id), { recursive: true, force: true })
  runtime.log.info(`${counted(ids.length, 'run')} forgotten`)
  return EXIT.done
}
