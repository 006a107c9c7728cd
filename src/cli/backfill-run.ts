import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import type { EventFilter } from '../core/filter.ts'
import type { Inventory } from '../core/inventory.ts'
import type { BackfillPlan, RunQuestion } from '../core/report.ts'
import type { AuditSource } from '../core/source.ts'
import { isoTime, overlaps, type TimeRange } from '../core/time-range.ts'
import type { Result } from '../operations/backfill/conclude.ts'
import { runKey } from '../operations/backfill/key.ts'
import type { BackfillOptions, BackfillParts } from '../operations/backfill/types.ts'
import type { Ledger } from '../state/ledger.ts'
import { isUnfinished, type RunRecord, windowOf } from '../state/run-record.ts'
import { counted } from './counted.ts'
import { countOption, maxMissingOf } from './flags.ts'
import { foundBy } from './inventory-advice.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import { concurrencyOf, maxRateOf, type OpenStream } from './job.ts'
import { withinKept } from './kept-window.ts'
import { progressReporter } from './progress.ts'
import { canAsk, openPrompter } from './prompt.ts'
import type { Runtime } from './runtime.ts'
import type { Settings } from './settings.ts'

const DEFAULT_ATTEMPTS = 6

/** Everything a backfill command has opened. */
export type Job = {
  readonly settings: Settings
  readonly source: AuditSource
  readonly stream: OpenStream
  /** The SIEM's own search, whatever `--inventory` says: a file cannot tell what was delivered after it was made. */
  readonly live: Inventory | undefined
  readonly ledger: Ledger
  readonly invocation: Invocation
  readonly runtime: Runtime
}

export async function openJob(parts: Omit<Job, 'live'>): Promise<Job> {
  const { settings, source, stream, invocation, runtime } = parts
  if (textOption(invocation, 'inventory') === undefined) return withLive(parts, stream.inventory)
  const { clock, log } = runtime
  const http = await runtime.http()
  const live = await settings.openInventory(stream.destination.name, source.shape.type, {
    http,
    clock,
    log,
    sourceName: source.name,
    restamps: textOption(invocation, 'late') === 'restamp',
  })
  if (live !== undefined) runtime.onExit(() => live.close())
  return withLive(parts, live)
}

async function withLive(parts: Omit<Job, 'live'>, live: Inventory | undefined): Promise<Job> {
  const { stream, runtime } = parts
  const destination = await withinKept(stream.destination, stream.options, live, runtime.signal)
  return { ...parts, stream: { ...stream, destination }, live }
}

type Asked = Pick<BackfillOptions, 'mode' | 'windows' | 'typedWindow' | 'filter' | 'filterText'>

export function optionsOf(
  { invocation, runtime, stream }: Pick<Job, 'invocation' | 'runtime' | 'stream'>,
  asked: Asked,
): BackfillOptions {
  return {
    ...asked,
    ...lateOf(invocation, stream),
    ...limitsOf(invocation, stream),
    mark: flagOption(invocation, 'mark') || stream.options.mark === true,
    probe: flagOption(invocation, 'probe'),
    maxMissing: maxMissingOf(invocation),
    limit: countOption(invocation, 'limit'),
    verify: flagOption(invocation, 'verify'),
    yes: agreed(invocation, runtime, asked.mode),
    fresh: flagOption(invocation, 'new'),
  }
}

/** What a stored run was asked; the command at hand adds only how. */
function storedOptions({ invocation, stream }: Job, { question }: RunRecord): BackfillOptions {
  const { mode, from, to, windows = [{ from, to }] } = question
  return {
    mode: mode === 'missing' ? 'missing' : 'all',
    windows,
    typedWindow: question.typedWindow,
    filter: JSON.parse(question.filter) as EventFilter,
    filterText: question.filter,
    late: question.late ?? stream.destination.traits.lateDefault,
    lateIsNamed: question.lateIsNamed === true,
    ...limitsOf(invocation, stream),
    mark: question.mark === true,
    probe: question.probe === true,
    maxMissing: question.maxMissing,
    limit: undefined,
    verify: flagOption(invocation, 'verify') || question.verify === true,
    yes: flagOption(invocation, 'yes'),
    fresh: false,
  }
}

function lateOf(invocation: Invocation, stream: OpenStream): Pick<BackfillOptions, 'late' | 'lateIsNamed'> {
  const flag = textOption(invocation, 'late') as BackfillOptions['late'] | undefined
  const late = flag ?? stream.options.late
  return { late: late ?? stream.destination.traits.lateDefault, lateIsNamed: late !== undefined }
}

function limitsOf(
  invocation: Invocation,
  stream: OpenStream,
): Pick<BackfillOptions, 'maxRate' | 'maxAttempts' | 'archiveDir'> {
  const retries = countOption(invocation, 'retries', 0)
  return {
    maxRate: maxRateOf(invocation),
    maxAttempts: retries === undefined ? DEFAULT_ATTEMPTS : retries + 1,
    archiveDir: stream.options.archive?.dir,
  }
}

/** Without a terminal `--all` must be agreed to in the command. @throws UserError */
function agreed(invocation: Invocation, runtime: Runtime, mode: 'missing' | 'all'): boolean {
  if (flagOption(invocation, 'yes')) return true
  if (mode === 'all' && !canAsk(runtime.io) && !flagOption(invocation, 'dryRun')) {
    throw new UserError(
      '--all sends everything in the window, held or not, and there is no terminal to confirm it',
      { code: 'needs-yes', hint: 'look with --dry-run, then add --yes' },
    )
  }
  return false
}

export function backfillParts(job: Job): BackfillParts {
  const { source, stream, live, ledger, invocation, runtime } = job
  const parts = {
    source,
    destination: stream.destination,
    inventory: stream.inventory,
    live,
    ledger,
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    version: runtime.version,
  }
  if (!canAsk(runtime.io) || flagOption(invocation, 'yes') || flagOption(invocation, 'dryRun')) return parts
  return { ...parts, confirm: (plan, doubts) => confirmPlan(plan, doubts, stream, runtime) }
}

async function confirmPlan(
  plan: BackfillPlan,
  doubts: readonly string[],
  stream: OpenStream,
  runtime: Runtime,
): Promise<boolean> {
  const [{ planText }, { clearProgress }] = await Promise.all([
    import('./report-printer.ts'),
    import('./progress-line.ts'),
  ])
  clearProgress(runtime.io)
  const prompter = openPrompter(runtime.io, runtime.signal)
  try {
    runtime.io.stderr.write(planText(plan))
    for (const doubt of doubts) runtime.log.warn(doubt)
    return await prompter.confirm(`Send ${counted(plan.events, 'event')} to ${stream.destination.name}?`)
  } finally {
    prompter.close()
  }
}

/** The question of a new run. */
export function questionOf(job: Job, options: BackfillOptions, window: TimeRange): RunQuestion {
  const { mode, typedWindow, filterText, windows, late, lateIsNamed, mark, verify, probe, maxMissing } =
    options
  return {
    mode,
    source: job.source.name,
    stream: job.stream.destination.name,
    ...window,
    typedWindow,
    filter: filterText,
    windows,
    late,
    lateIsNamed,
    mark,
    verify,
    probe,
    ...(maxMissing === undefined ? {} : { maxMissing }),
    ...(mode === 'missing' ? { foundBy: foundBy(job.stream, job.invocation, window) } : {}),
  }
}

function keyOf({ source, stream }: Job, options: BackfillOptions): string {
  return runKey({ source: source.name, stream: stream.destination.name, ...options })
}

/** The unfinished run that the same command began, and what to ask of it: its window is the one that was resolved then. */
export function ownRun(
  job: Job,
  options: BackfillOptions,
): { readonly run: RunRecord; readonly options: BackfillOptions } | undefined {
  const run = options.fresh ? undefined : job.ledger.findByKey(keyOf(job, options))
  if (run === undefined || !isUnfinished(run)) return undefined
  const { windows, mark } = storedOptions(job, run)
  return { run, options: { ...options, windows, mark } }
}

/** A new run over the window as it is now. @throws UserError for an `--all` over a window that an earlier `--all` finished */
export function newRun(job: Job, options: BackfillOptions, window: TimeRange): RunRecord {
  if (options.mode === 'all' && !options.fresh) refuseRepeat(job, options, window)
  return job.ledger.createRun(keyOf(job, options), questionOf(job, options, window))
}

function refuseRepeat({ ledger, source, stream }: Job, options: BackfillOptions, window: TimeRange): void {
  const repeat = ledger.runsOfPair(source.name, stream.destination.name).find((run) => {
    const { mode, filter, from, to } = run.question
    const covers = from <= window.from && to >= window.to
    return mode === 'all' && run.phase === 'done' && covers && filter === options.filterText
  })
  if (repeat === undefined) return
  throw new UserError(`run ${repeat.id} of ${isoTime(repeat.createdAt)} already sent this window`, {
    code: 'already-sent',
    hint: `look at it with auditctl runs show ${repeat.id}; send it all again with --new`,
  })
}

export type Finished = { readonly exits: readonly ExitCode[]; readonly problems: readonly string[] }

/** Runs of the pair that overlap the window and were left in the middle are finished first; how they ended counts too. */
export async function finishOverlapping(
  job: Job,
  window: TimeRange,
  except: RunRecord | undefined,
): Promise<Finished> {
  const { ledger, source, stream, runtime } = job
  const exits: ExitCode[] = []
  const problems: string[] = []
  const earlier = ledger
    .runsOfPair(source.name, stream.destination.name)
    .filter((run) => run.id !== except?.id && isUnfinished(run) && overlaps(windowOf(run), window))
  for (const run of earlier) {
    runtime.log.info(`finishing run ${run.id} first: it overlaps and was left in the middle`, { run: run.id })
    const { report, exitCode } = await resumeRun(job, run)
    exits.push(exitCode)
    if (exitCode !== EXIT.done)
      problems.push(...report.problems.map((problem) => `run ${run.id}: ${problem}`))
    if (!runtime.signal.aborted) continue
    runtime.log.info(`auditctl runs resume ${run.id} goes on`)
    runtime.signal.throwIfAborted()
  }
  return { exits, problems }
}

/** Finishes a stored run over its own window, with what it was asked then. */
export function resumeRun(job: Job, run: RunRecord): Promise<Result> {
  return workOn(job, storedOptions(job, run), run)
}

/** The bucket for late events, opened before anything is sent: a missing SDK is told then. */
export async function archiveOf({ invocation, runtime }: Job, { late, archiveDir }: BackfillOptions) {
  if (late !== 'archive') return undefined
  const { openArchive } = await import('./archive-bucket.ts')
  return openArchive(archiveDir, invocation, runtime)
}

/** Works on a run with progress shown. */
export async function workOn(job: Job, options: BackfillOptions, run: RunRecord): Promise<Result> {
  const { runBackfill } = await import('../operations/backfill/index.ts')
  const progress = await progressReporter(job.invocation, job.runtime, windowOf(run))
  try {
    const archive = await archiveOf(job, options)
    const { confirm, ...parts } = backfillParts(job)
    const observed = { ...parts, archive, observe: progress.observe }
    if (confirm === undefined) return await runBackfill(observed, options, run)
    const ask: typeof confirm = async (plan, doubts) => {
      const goOn = progress.hold()
      const isAgreed = await confirm(plan, doubts).finally(goOn)
      // A sign of life before the first answer, which may take its time.
      const { events } = plan
      if (isAgreed) progress.observe({ phase: 'deliver', done: 0, events, total: events, delivered: 0 })
      return isAgreed
    }
    return await runBackfill({ ...observed, confirm: ask }, options, run)
  } finally {
    progress.stop()
  }
}
