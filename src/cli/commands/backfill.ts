import { type ExitCode, UserError } from '../../core/errors.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import type { Result } from '../../operations/backfill/index.ts'
import { firstExit } from '../../operations/backfill/report.ts'
import type { BackfillOptions } from '../../operations/backfill/types.ts'
import type { RunRecord } from '../../state/ledger.ts'
import {
  backfillParts,
  findOrCreateRun,
  finishOverlapping,
  type Job,
  optionsOf,
  partsWithProgress,
} from '../backfill-run.ts'
import { settingsFor } from '../entry-actions.ts'
import { announceWindow, filterFlags, filterText, windowFlags } from '../flags.ts'
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
import { canAsk } from '../prompt.ts'
import { printReport } from '../report-printer.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl backfill`: scan, plan, deliver, settle, verify, report. */
export async function backfillCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const stream = await openStream(settings, streamName(settings, invocation), source, invocation, runtime)
  const mode = modeOf(invocation, stream.inventory !== undefined)
  if (mode === 'missing') requireInventory(stream, 'backfill')
  const ledger = await openLedger(runtime)
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
  const filter = filterFlags(invocation, source.shape, runtime)
  const whole = { from: windows[0]?.from ?? until, to: windows.at(-1)?.to ?? until }
  announceWindow(runtime, whole)
  if (flagOption(invocation, 'explain')) {
    const { explainGaps } = await import('../explain.ts')
    return explainGaps(runtime, { source, stream, window: whole, filter, until })
  }
  const options = optionsOf(invocation, runtime, stream, {
    mode,
    windows,
    typedWindow: asked.typed,
    filter,
    filterText: filterText(filter),
  })
  checkFileInventory(stream, runtime, options.yes || flagOption(invocation, 'dryRun'))
  await lockPair(invocation, runtime, pair.source, pair.stream)
  const job = { settings, source, stream, ledger, invocation, runtime }
  if (flagOption(invocation, 'dryRun')) {
    const { planBackfill } = await import('../../operations/backfill/index.ts')
    const parts = backfillParts(job)
    const result = await planBackfill(
      parts,
      options,
      findOrCreateRun(job, { ...options, fresh: true }, whole).run,
    )
    await printReport(result.report, result.exitCode, invocation, runtime)
    return result.exitCode
  }
  const { run, earlier } = findOrCreateRun(job, options, whole)
  const before = await finishOverlapping(job, earlier)
  const result = await continueRun(job, options, run, whole)
  const exitCode = firstExit([...before, result.exitCode])
  await printReport(result.report, exitCode, invocation, runtime)
  return exitCode
}

async function continueRun(
  job: Job,
  options: BackfillOptions,
  run: RunRecord,
  window: TimeRange,
): Promise<Result> {
  const { runBackfill } = await import('../../operations/backfill/index.ts')
  if (run.updatedAt !== run.createdAt) job.runtime.log.info(`resuming run ${run.id}`, { run: run.id })
  const { parts, stop } = await partsWithProgress(job, window)
  try {
    return await runBackfill(parts, options, run)
  } finally {
    stop()
  }
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
