import { durationOf, formatDuration } from '../../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { HOUR_MS } from '../../core/time-range.ts'
import { type StreamStatus, sourceAge, streamStatuses } from '../../operations/status.ts'
import { settingsFor } from '../entry-actions.ts'
import { outputFlag, settleOf } from '../flags.ts'
import { type Invocation, listOption, textOption } from '../invocation.ts'
import { concurrencyOf, type OpenStream, openLedger, openSource, openStream } from '../job.ts'
import { printRows, rowFormat } from '../print-rows.ts'
import type { Runtime } from '../runtime.ts'

const COLUMNS = [
  'stream',
  'source',
  'state',
  'lag',
  'newestAtSource',
  'newestHeld',
  'provenUntil',
  'openGaps',
  'lastRun',
]

/** `auditctl status`: is each stream keeping up, is the source still talking. */
export async function statusCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime)
  const named = listOption(invocation, 'stream')
  const names = named.length > 0 ? named : settings.streamNames
  if (names.length === 0)
    throw new UserError('no stream is configured', { hint: 'auditctl stream add configures one' })
  const source = await openSource(settings, invocation, runtime)
  const streams: OpenStream[] = []
  for (const name of names) streams.push(await openStream(settings, name, source, invocation, runtime))
  const duration = (name: string, flag: string): number | undefined => {
    const text = textOption(invocation, name)
    return text === undefined ? undefined : durationOf(text, flag)
  }
  const maxLagMs = duration('maxLag', '--max-lag')
  const maxAgeMs = duration('maxSourceAge', '--max-source-age')
  const parts = {
    source,
    streams,
    ledger: await openLedger(runtime),
    clock: runtime.clock,
    log: runtime.log,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
  }
  const statuses = await streamStatuses(parts, {
    windowMs: duration('window', '--window') ?? 2 * HOUR_MS,
    settleMs: settleOf(invocation).ms,
    maxLagMs,
  })
  runtime.metrics.streams.push(
    ...statuses.map(({ stream, provenUntil }) => ({ source: source.name, stream, provenUntil })),
  )
  const problems: string[] = []
  if (maxLagMs !== undefined) {
    for (const { stream, state, lagSeconds } of statuses) {
      if (state === 'behind')
        problems.push(
          `${stream} lags by ${formatDuration((lagSeconds ?? 0) * 1000)}, more than ${formatDuration(maxLagMs)}`,
        )
    }
  }
  if (maxAgeMs !== undefined) {
    const age = newestAge(statuses, runtime.clock.now(), maxAgeMs) ?? (await sourceAge(parts, maxAgeMs))
    if (age === undefined || age > maxAgeMs) {
      problems.push(
        `${source.name} has had no event for more than ${formatDuration(maxAgeMs)}: stopped, storage disabled, or a missing permission?`,
      )
    }
  }
  const isDone = problems.length === 0
  if (!runtime.quiet || !isDone || outputFlag(invocation) !== undefined)
    await print(statuses, invocation, runtime)
  if (isDone) return EXIT.done
  const { problemsText } = await import('../report-error.ts')
  runtime.io.stderr.write(problemsText(problems, EXIT.answerIsNo, invocation, undefined, 'behind'))
  return EXIT.answerIsNo
}

/** How old the newest event seen is, when that is young enough: the source need not be asked again. */
function newestAge(statuses: readonly StreamStatus[], now: number, withinMs: number): number | undefined {
  const newest = statuses[0]?.newestAtSource
  const age = newest == null ? undefined : now - Date.parse(newest)
  return age !== undefined && age <= withinMs ? age : undefined
}

async function print(
  statuses: readonly StreamStatus[],
  invocation: Invocation,
  runtime: Runtime,
): Promise<void> {
  const format = rowFormat(invocation, runtime)
  if (format === 'json' || format === 'jsonl') return printRows(statuses, [], format, runtime)
  const rows = statuses.map((status) => ({
    ...status,
    lag: status.lagSeconds === null ? '-' : formatDuration(status.lagSeconds * 1000),
  }))
  return printRows(rows, COLUMNS, format, runtime)
}
