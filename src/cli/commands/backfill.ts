import { createHash } from 'node:crypto'
import { type ExitCode, UserError } from '../../core/errors.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import type { Result } from '../../operations/backfill/conclude.ts'
import type { BackfillOptions } from '../../operations/backfill/types.ts'
import { windowOf } from '../../state/run-record.ts'
import {
  backfillParts,
  finishOverlapping,
  type Job,
  newRun,
  openJob,
  optionsOf,
  ownRun,
  questionOf,
  workOn,
} from '../backfill-run.ts'
import { settingsFor } from '../entry-actions.ts'
import { announceWindow, filterFlags, filterText, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { requireInventory } from '../inventory-advice.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import {
  judgeableUntil,
  lockPair,
  type OpenStream,
  openLedger,
  openSource,
  openStream,
  streamName,
} from '../job.ts'
import { withinProducts } from '../product-guard.ts'
import { canAsk } from '../prompt.ts'
import { checkReportFiles, printReport } from '../report-printer.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl backfill`: scan, plan, deliver, settle, verify, report. */
export async function backfillCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  checkReportFiles(invocation)
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const stream = await openStream(settings, streamName(settings, invocation), source, invocation, runtime)
  const mode = modeOf(invocation, stream.inventory !== undefined)
  if (mode === 'missing') requireInventory(stream, 'backfill')
  const ledger = await openLedger(runtime)
  const job = await openJob({ settings, source, stream, ledger, invocation, runtime })
  const pair = { source: source.name, stream: stream.destination.name }
  const until = judgeableUntil(invocation, runtime, source, stream)
  const gapsFile = textOption(invocation, 'gaps')
  const asked =
    gapsFile === undefined
      ? windowFlags(invocation, runtime, {
          fallbackMs: undefined,
          defaultTo: until,
          proven: () => ledger.proven.stretches(pair.source, pair.stream)[0]?.to,
        })
      : await import('../gaps-file.ts').then(({ windowsOfGaps }) => windowsOfGaps(gapsFile))
  const windows = cutWindows('windows' in asked ? asked.windows : [asked.window], until, runtime)
  const filter = withinProducts(stream, filterFlags(invocation, source.shape, runtime))
  const whole = { from: windows[0]?.from ?? until, to: windows.at(-1)?.to ?? until }
  announceWindow(runtime, whole)
  if (flagOption(invocation, 'explain')) {
    const { explainGaps } = await import('../explain.ts')
    return explainGaps(runtime, { source, stream, window: whole, filter, until })
  }
  const options = optionsOf(job, {
    mode,
    windows,
    typedWindow: asked.typed,
    filter,
    filterText: filterText(filter),
  })
  checkFileInventory(stream, runtime, options.yes || flagOption(invocation, 'dryRun'))
  const { checkAsked } = await import('../../operations/backfill/index.ts')
  checkAsked(job, options)
  await lockPair(invocation, runtime, pair.source, pair.stream)
  if (flagOption(invocation, 'dryRun')) {
    const result = await dryRun(job, options, whole)
    await printReport(result, [], ledger, invocation, runtime)
    return result.exitCode
  }
  const own = ownRun(job, options)
  const before = await finishOverlapping(job, own === undefined ? whole : windowOf(own.run), own?.run)
  if (own !== undefined) runtime.log.info(`going on with run ${own.run.id}`, { run: own.run.id })
  const result = await workOn(job, own?.options ?? options, own?.run ?? newRun(job, options, whole))
  const { firstExit } = await import('../../operations/backfill/report.ts')
  const exitCode = firstExit([...before.exits, result.exitCode])
  await printReport({ ...result, exitCode }, before.problems, ledger, invocation, runtime)
  return exitCode
}

async function dryRun(job: Job, options: BackfillOptions, window: TimeRange): Promise<Result> {
  const { planBackfill } = await import('../../operations/backfill/dry-run.ts')
  const pair = JSON.stringify([job.source.name, job.stream.destination.name])
  const pairKey = createHash('sha256').update(pair).digest('hex').slice(0, 16)
  return planBackfill(backfillParts(job), options, questionOf(job, options, window), pairKey)
}

/** `--missing` is the default where there is an inventory. @throws UserError where neither it nor `--all` is possible */
function modeOf(invocation: Invocation, hasInventory: boolean): 'missing' | 'all' {
  const [missing, all, gaps] = [
    flagOption(invocation, 'missing'),
    flagOption(invocation, 'all'),
    textOption(invocation, 'gaps') !== undefined,
  ]
  if (all && (missing || gaps))
    throw new UserError(`--all cannot be combined with ${missing ? '--missing' : '--gaps'}`, {
      hint: 'choose one',
    })
  if (all) return 'all'
  if (missing || gaps || hasInventory) return 'missing'
  throw new UserError('there is no inventory, so what is missing cannot be told', {
    code: 'no-inventory',
    hint: 'give the stream search credentials or an --inventory file, or add --all to send the whole window',
  })
}

/** No window may reach beyond what can be judged: a later event may still be on its way by itself. */
function cutWindows(windows: readonly TimeRange[], until: number, runtime: Runtime): readonly TimeRange[] {
  if (windows.some((window) => window.to > until)) {
    runtime.log.warn(
      `the window is cut at ${isoTime(until)}: later events may still be on their way (--settle overrides)`,
    )
  }
  const cut = windows
    .map(({ from, to }) => ({ from, to: Math.min(to, until) }))
    .filter(({ from, to }) => from < to)
  return cut.length > 0
    ? cut
    : [{ from: windows[0]?.from ?? until, to: Math.max(windows[0]?.from ?? until, until) }]
}

/** @throws UserError: a file that says nothing of its window is taken as complete only when someone agreed to that */
function checkFileInventory(stream: OpenStream, runtime: Runtime, isAgreed: boolean): void {
  if (!stream.isUndatedFile || isAgreed || canAsk(runtime.io)) return
  throw new UserError('the inventory file does not say which window it covers', {
    code: 'inventory-window',
    hint: 'say it with --inventory-window FROM/TO, or take the file as complete with --yes',
  })
}
