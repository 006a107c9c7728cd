import { EXIT, type ExitCode } from '../../core/errors.ts'
import type { GapReport } from '../../core/report.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { isoTime } from '../../core/time-range.ts'
import { findGaps, mergeGapReports } from '../../operations/find-gaps.ts'
import { settingsFor } from '../entry-actions.ts'
import { announceWindow, filterFlags, outputFlag, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { requireInventory } from '../inventory-advice.ts'
import { flagOption, type Invocation, textOption } from '../invocation.ts'
import { concurrencyOf, judgeableUntil, openLedger, openSource, openStream, streamName } from '../job.ts'
import { withinProducts } from '../product-guard.ts'
import { progressReporter } from '../progress.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl gaps`: what the SIEM lacks, exactly; exit 3 when there is any. */
export async function gapsCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const stream = await openStream(settings, streamName(settings, invocation), source, invocation, runtime)
  const ledger = await openLedger(runtime)
  const until = judgeableUntil(invocation, runtime, source, stream)
  const windows = await askedWindows(
    invocation,
    runtime,
    until,
    () => ledger.proven.stretches(source.name, stream.destination.name)[0]?.to,
  )
  const window = { from: windows[0]?.from ?? until, to: windows.at(-1)?.to ?? until }
  const filter = withinProducts(stream, filterFlags(invocation, source.shape, runtime))
  announceWindow(runtime, window)
  if (flagOption(invocation, 'printQuery')) {
    const { printQuery } = await import('../print-query.ts')
    return printQuery(runtime, stream, window, source.name)
  }
  if (flagOption(invocation, 'explain')) {
    const { explainGaps } = await import('../explain.ts')
    return explainGaps(runtime, { source, stream, window, filter, until })
  }
  const inventory = requireInventory(stream, 'gaps')
  if (window.to > until) {
    runtime.log.warn(
      `events after ${isoTime(until)} are too young to judge (settle time, live retries, indexing grace): they are counted apart`,
    )
  }
  const method = textOption(invocation, 'method') === 'counts' ? 'counts' : 'ids'
  const progress = await progressReporter(invocation, runtime, window)
  const { gapPrinter } = await import('../gap-printer.ts')
  const printer = gapPrinter(invocation, runtime, window, filter)
  try {
    const parts = {
      source,
      inventory,
      stream: stream.destination.name,
      ledger,
      clock: runtime.clock,
      log: runtime.log,
      signal: runtime.signal,
      concurrency: concurrencyOf(invocation),
      observe: progress.observe,
      onEvent: printer.onEvent,
      onCell: printer.onCell,
    }
    const reports: GapReport[] = []
    for (const one of windows)
      reports.push(await findGaps(parts, { window: one, judgedTo: until, filter, method }))
    const report = mergeGapReports(reports)
    progress.stop()
    runtime.metrics.streams.push({
      source: report.source,
      stream: report.stream,
      scanned: report.sourceEvents,
      missing: report.missing,
      provenUntil: report.provenUntil,
    })
    for (const warning of report.warnings) runtime.log.warn(warning)
    await printer.finish(report, outputFlag(invocation))
    return report.missing > 0 ? EXIT.answerIsNo : EXIT.done
  } finally {
    progress.stop()
  }
}

/** One window as a rule; with `--from-log` those that the sender's own log tells of. */
async function askedWindows(
  invocation: Invocation,
  runtime: Runtime,
  until: number,
  proven: () => number | undefined,
): Promise<readonly TimeRange[]> {
  const log = textOption(invocation, 'fromLog')
  if (log === undefined)
    return [windowFlags(invocation, runtime, { fallbackMs: undefined, defaultTo: until, proven }).window]
  const { windowsFromLog } = await import('../gaps-from-log.ts')
  return (await windowsFromLog(log, runtime)).windows
}
