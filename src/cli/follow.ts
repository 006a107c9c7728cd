import { durationOf } from '../core/duration.ts'
import { EXIT, type ExitCode, UserError } from '../core/errors.ts'
import type { AuditSource } from '../core/source.ts'
import { MINUTE_MS } from '../core/time-range.ts'
import { followEvents } from '../operations/follow.ts'
import { eventPrinter } from './event-printer.ts'
import { countOption, filterFlags, outputFlag, windowFlags } from './flags.ts'
import { flagOption, type Invocation, textOption } from './invocation.ts'
import { concurrencyOf } from './job.ts'
import type { Runtime } from './runtime.ts'

const LEAST_INTERVAL_MS = 100

/**
 * `query --follow`: goes on until it is interrupted, or has shown `-n` events. An envelope would never be closed, so `-o json` gives an
 * event a line, like `-o jsonl`.
 */
export async function followCommand(
  source: AuditSource,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  for (const name of ['sort', 'to', 'until', 'in'] as const)
    if (invocation.typed?.has(name) === true)
      throw new UserError(`--follow has no end and no other order: leave --${name} out`, {
        hint: 'auditctl query --follow --from 10m begins ten minutes ago',
      })
  const filter = filterFlags(invocation, source.shape, runtime)
  const from = startOf(invocation, runtime)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('./explain.ts')
    const window = { from, to: runtime.clock.now() }
    return explainSource(runtime, source, { window, filter, order: 'asc' }, invocation)
  }
  const interval = textOption(invocation, 'interval')
  const intervalMs = interval === undefined ? 15_000 : durationOf(interval, '--interval')
  if (intervalMs < LEAST_INTERVAL_MS)
    throw new UserError(`--interval ${interval} is too short`, {
      hint: 'each look is a read of the log, and most logs record their reads',
    })
  const limit = countOption(invocation, 'limit') ?? Number.POSITIVE_INFINITY
  const asLines =
    outputFlag(invocation) === 'json'
      ? { ...invocation, options: { ...invocation.options, json: false, output: 'jsonl' } }
      : invocation
  const printer = await eventPrinter(source, asLines, runtime)
  runtime.log.info(`following from ${new Date(from).toISOString()}; Ctrl-C ends it`)
  const pages = followEvents(
    {
      source,
      clock: runtime.clock,
      log: runtime.log,
      signal: runtime.signal,
      concurrency: concurrencyOf(invocation),
    },
    {
      from,
      filter,
      intervalMs,
      // Whoever asks for reads of the log by name wants to see ours, too.
      showOwnReads: filter.events.length > 0,
    },
  )
  let shown = 0
  for await (const page of pages) {
    const some = page.slice(0, limit - shown)
    await printer.page(some)
    shown += some.length
    if (shown >= limit) return EXIT.done
  }
  throw runtime.signal.reason as Error
}

/** Without `--from`, now: what is there already is for a plain query. */
function startOf(invocation: Invocation, runtime: Runtime): number {
  const now = runtime.clock.now()
  const isGiven = ['from', 'since'].some((name) => textOption(invocation, name) !== undefined)
  if (!isGiven) return now
  const options = { ...invocation.options, to: undefined, until: undefined, in: undefined }
  // An instant that has just begun is as good a start as any.
  const defaultTo = now + MINUTE_MS
  return windowFlags({ ...invocation, options }, runtime, { fallbackMs: undefined, defaultTo }).window.from
}
