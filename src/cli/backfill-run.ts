import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import type { EventFilter } from '../core/filter.ts'
import type { BackfillPlan } from '../core/report.ts'
import type { AuditSource } from '../core/source.ts'
import { isoTime, overlaps, type TimeRange } from '../core/time-range.ts'
import { runKey } from '../operations/backfill/key.ts'
import type { BackfillOptions, BackfillParts } from '../operations/backfill/types.ts'
import { isUnfinished, type Ledger, type RunRecord, windowOf } from '../state/ledger.ts'
import { countOption, maxMissingOf } from './flags.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import { concurrencyOf, maxRateOf, type OpenStream } from './job.ts'
import { progressReporter } from './progress.ts'
import { canAsk, openPrompter } from './prompt.ts'
import type { Runtime } from './runtime.ts'
import type { Settings } from './settings.ts'

/** Everything a backfill command has opened. */
export type Job = {
  readonly settings: Settings
  readonly source: AuditSource
  readonly stream: OpenStream
  readonly ledger: Ledger
  readonly invocation: Invocation
  readonly runtime: Runtime
}

export function optionsOf(
  invocation: Invocation,
  runtime: Runtime,
  stream: OpenStream,
  asked: Pick<BackfillOptions, 'mode' | 'windows' | 'typedWindow' | 'filter' | 'filterText'>,
): BackfillOptions {
  const late = textOption(invocation, 'late') ?? stream.options.late
  return {
    ...asked,
    late: (late as BackfillOptions['late'] | undefined) ?? stream.destination.traits.lateDefault,
    lateIsNamed: late !== undefined,
    mark: flagOption(invocation, 'mark') || stream.options.mark === true,
    probe: flagOption(invocation, 'probe'),
    maxMissing: maxMissingOf(invocation),
    limit: countOption(invocation, 'limit'),
    verify: flagOption(invocation, 'verify'),
    yes: agreed(invocation, runtime, asked.mode),
    fresh: flagOption(invocation, 'new'),
    maxRate: maxRateOf(invocation),
    maxAttempts:
      countOption(invocation, 'retries', 0) === undefined
        ? 6
        : (countOption(invocation, 'retries', 0) ?? 0) + 1,
    archiveDir: stream.options.archive?.dir,
  }
}

/** Without a terminal `--all` must be agreed to in the command. @throws UserError */
function agreed(invocation: Invocation, runtime: Runtime, mode: 'missing' | 'all'): boolean {
  if (flagOption(invocation, 'yes')) return true
  if (mode === 'all' && !canAsk(runtime.io) && !flagOption(invocation, 'dryRun')) {
    throw new UserError(
      '--all sends everything in the window, held or not, and there is no terminal to confirm it',
      {
        code: 'needs-yes',
        hint: 'look with --dry-run, then add --yes',
      },
    )
  }
  return false
}

export function backfillParts(job: Job): BackfillParts {
  const { source, stream, ledger, invocation, runtime } = job
  const parts = {
    source,
    destination: stream.destination,
    inventory: stream.inventory,
    ledger,
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    version: runtime.version,
  }
  if (!canAsk(runtime.io) || flagOption(invocation, 'yes')) return parts
  return { ...parts, confirm: (plan) => confirmPlan(plan, stream, runtime) }
}

export async function partsWithProgress(
  job: Job,
  window: TimeRange,
): Promise<{ readonly parts: BackfillParts; stop(): void }> {
  const progress = await progressReporter(job.invocation, job.runtime, window)
  const parts = backfillParts(job)
  return { parts: { ...parts, observe: progress.observe }, stop: progress.stop }
}

async function confirmPlan(plan: BackfillPlan, stream: OpenStream, runtime: Runtime): Promise<boolean> {
  const { planText } = await import('./report-printer.ts')
  const prompter = openPrompter(runtime.io, runtime.signal)
  try {
    runtime.io.stderr.write(planText(plan))
    return await prompter.confirm(
      `Send ${plan.events.toLocaleString('en-US')} events to ${stream.destination.name}?`,
    )
  } finally {
    prompter.close()
  }
}

/**
 * The run of this question: the unfinished one that the same command began, or a new one over the window as it is now. Runs of the pair
 * that overlap it and were left in the middle come along, to be finished first.
 * @throws UserError for an `--all` over a window that an earlier `--all` finished
 */
export function findOrCreateRun(
  job: Job,
  options: BackfillOptions,
  window: TimeRange,
): { readonly run: RunRecord; readonly earlier: readonly RunRecord[] } {
  const { ledger, source, stream } = job
  const name = stream.destination.name
  const key = runKey({ source: source.name, stream: name, ...options })
  const runs = ledger.runsOfPair(source.name, name)
  const own = ledger.findByKey(key)
  if (own !== undefined && isUnfinished(own) && !options.fresh) {
    return {
      run: own,
      earlier: runs.filter(
        (run) => run.id !== own.id && isUnfinished(run) && overlaps(windowOf(run), windowOf(own)),
      ),
    }
  }
  if (options.mode === 'all' && !options.fresh) refuseRepeat(runs, options, window)
  const run = ledger.createRun(key, {
    mode: options.mode,
    source: source.name,
    stream: name,
    from: window.from,
    to: window.to,
    typedWindow: options.typedWindow,
    filter: options.filterText,
    windows: options.windows,
    late: options.late,
    lateIsNamed: options.lateIsNamed,
    mark: options.mark,
  })
  const earlier = options.fresh
    ? []
    : runs.filter((other) => isUnfinished(other) && overlaps(windowOf(other), window))
  return { run, earlier }
}

function refuseRepeat(runs: readonly RunRecord[], options: BackfillOptions, window: TimeRange): void {
  const repeat = runs.find((run) => {
    const covers = windowOf(run).from <= window.from && windowOf(run).to >= window.to
    return (
      run.question.mode === 'all' &&
      run.phase === 'done' &&
      covers &&
      run.question.filter === options.filterText
    )
  })
  if (repeat === undefined) return
  throw new UserError(`run ${repeat.id} of ${isoTime(repeat.createdAt)} already sent this window`, {
    code: 'already-sent',
    hint: `look at it with auditctl runs show ${repeat.id}; send it all again with --new`,
  })
}

/** Runs that were left in the middle are finished before the asked one; their exit codes count too. */
export async function finishOverlapping(
  job: Job,
  earlier: readonly RunRecord[],
): Promise<readonly ExitCode[]> {
  const codes: ExitCode[] = []
  for (const run of earlier) {
    job.runtime.log.info(`finishing run ${run.id} first: it overlaps and was left in the middle`, {
      run: run.id,
    })
    const { exitCode } = await resumeRun(job, run)
    codes.push(exitCode)
    if (exitCode === EXIT.sigint || exitCode === EXIT.sigterm || exitCode === EXIT.deadline) break
  }
  return codes
}

/** Finishes a stored run over its own window, with what it was asked then. */
export async function resumeRun(job: Job, run: RunRecord) {
  const { runBackfill } = await import('../operations/backfill/index.ts')
  const { question } = run
  const filter = JSON.parse(question.filter) as EventFilter
  const late = textOption(job.invocation, 'late')
  const options: BackfillOptions = {
    mode: question.mode === 'all' || question.mode === 'resend' ? 'all' : 'missing',
    windows: question.windows ?? [windowOf(run)],
    typedWindow: question.typedWindow,
    filter,
    filterText: question.filter,
    late:
      (late as BackfillOptions['late'] | undefined) ??
      question.late ??
      job.stream.destination.traits.lateDefault,
    lateIsNamed: late !== undefined || question.lateIsNamed === true,
    mark: question.mark ?? false,
    probe: false,
    maxMissing: maxMissingOf(job.invocation),
    limit: undefined,
    verify: flagOption(job.invocation, 'verify'),
    yes: flagOption(job.invocation, 'yes'),
    fresh: false,
    maxRate: maxRateOf(job.invocation),
    maxAttempts: 6,
    archiveDir: job.stream.options.archive?.dir,
  }
  const { parts, stop } = await partsWithProgress(job, windowOf(run))
  try {
    return await runBackfill(parts, options, run)
  } finally {
    stop()
  }
}
