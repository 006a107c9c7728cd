import { durationOf, formatDuration } from '../../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import { HOUR_MS } from '../../core/time-range.ts'
import { type StreamStatus, sourceAge, streamStatuses } from '../../operations/status.ts'
import { settingsFor } from '../entry-actions.ts'
import { outputFlag, settleOf } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { type Invocation, listOption, textOption } from '../invocation.ts'
import { concurrencyOf, type OpenStream, openLedger, openSource, openStream } from '../job.ts'
import { printFitting, printRows, rowFormat } from '../print-rows.ts'
import type { Runtime } from '../runtime.ts'
import type { Settings } from '../settings.ts'
import { withTimes } from '../time-text.ts'

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

/** What a person looks for first. */
const FEWER_COLUMNS = ['stream', 'source', 'state', 'lag', 'openGaps', 'newestHeld', 'provenUntil']

/** `auditctl status`: is each stream keeping up, is the source still talking. */
export async function statusCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const settings = await settingsFor(invocation, runtime)
  const named = listOption(invocation, 'stream')
  const names = named.length > 0 ? named : settings.streamNames
  if (names.length === 0)
    throw new UserError('no stream is configured', { hint: 'auditctl stream add configures one' })
  const duration = (name: string, flag: string): number | undefined => {
    const text = textOption(invocation, name)
    return text === undefined ? undefined : durationOf(text, flag)
  }
  const maxLagMs = duration('maxLag', '--max-lag')
  const maxAgeMs = duration('maxSourceAge', '--max-source-age')
  const ledger = await openLedger(runtime)
  const options = {
    windowMs: duration('window', '--window') ?? 2 * HOUR_MS,
    settleMs: settleOf(invocation).ms,
    maxLagMs,
  }
  const statuses: StreamStatus[] = []
  const silent: string[] = []
  for (const [name, own] of pairsOf(settings, names, invocation)) {
    const source = await openSource(settings, invocation, runtime, name)
    const streams: OpenStream[] = []
    for (const stream of own) streams.push(await openStream(settings, stream, source, invocation, runtime))
    const { clock, log, signal } = runtime
    const parts = { source, streams, ledger, clock, log, signal, concurrency: concurrencyOf(invocation) }
    const found = await streamStatuses(parts, options)
    statuses.push(...found)
    if (maxAgeMs === undefined) continue
    const age = newestAge(found, clock.now(), maxAgeMs) ?? (await sourceAge(parts, maxAgeMs))
    if (age === undefined || age > maxAgeMs) silent.push(name)
  }
  runtime.metrics.streams.push(
    ...statuses.map(({ source, stream, provenUntil }) => ({ source, stream, provenUntil })),
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
  for (const name of silent)
    problems.push(
      `${name} has had no event for more than ${formatDuration(maxAgeMs ?? 0)}: stopped, storage disabled, or a missing permission?`,
    )
  const isDone = problems.length === 0
  if (!runtime.quiet || !isDone || outputFlag(invocation) !== undefined)
    await print(statuses, invocation, runtime)
  if (isDone) return EXIT.done
  const { problemsText } = await import('../report-error.ts')
  runtime.io.stderr.write(problemsText(problems, EXIT.answerIsNo, invocation, undefined, 'behind'))
  return EXIT.answerIsNo
}

/**
 * Which streams are looked at with which source, so that each source is read once: the usual one, or for a stream that may not be paired
 * with it the first that it may be.
 */
function pairsOf(
  settings: Settings,
  names: readonly string[],
  invocation: Invocation,
): ReadonlyMap<string, readonly string[]> {
  const isNamed = textOption(invocation, 'source') !== undefined
  const pairs = new Map<string, string[]>()
  for (const name of names) {
    const allowed = settings.streamEntry(name)['sources']
    const list = Array.isArray(allowed) ? allowed.map(String) : []
    const [first] = list
    const usual = isNamed || list.length === 0 || first === undefined ? settings.sourceName() : undefined
    const source = usual ?? defaultAmong(settings, list) ?? first ?? ''
    pairs.set(source, [...(pairs.get(source) ?? []), name])
  }
  return pairs
}

/** The usual source, where it is among them. */
function defaultAmong(settings: Settings, allowed: readonly string[]): string | undefined {
  const usual = settings.file.config.defaultSource
  return usual !== undefined && allowed.includes(usual) ? usual : undefined
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
    lag:
      status.lagSeconds === null
        ? '-'
        : status.lagSeconds === 0
          ? 'none'
          : formatDuration(status.lagSeconds * 1000),
  }))
  const times = ['newestAtSource', 'newestHeld', 'provenUntil']
  const shown = format === 'table' ? withTimes(rows, times, invocation, runtime) : rows
  return printFitting(shown, [COLUMNS, FEWER_COLUMNS], format, runtime)
}
