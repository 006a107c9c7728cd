import { EXIT, type ExitCode } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import type { TrailKind } from '../../core/source.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { followTrail } from '../../operations/trail.ts'
import { settingsFor } from '../entry-actions.ts'
import { eventPrinter } from '../event-printer.ts'
import { announceWindow, filterFlags, outputFlag, settleOf, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { flagOption, type Invocation } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl trail KIND ID`: what happened to it, oldest first. */
export async function trailCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  keepMemoryFlat()
  const kind = invocation.path[1] as TrailKind
  const [id = ''] = invocation.args
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: 30 * DAY_MS,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
    cuts: true,
  })
  const filter = filterFlags(invocation, source.shape, runtime)
  announceWindow(runtime, window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, { window, filter, order: 'asc' }, invocation)
  }
  const trail = await followTrail(
    { source, signal: runtime.signal, concurrency: concurrencyOf(invocation) },
    { kind, id, window, filter },
  )
  for (const warning of trail.warnings) runtime.log.warn(warning)
  runtime.log.debug(
    trail.from === 'server' ? 'the trail is the server’s own' : 'the trail was computed from events',
  )
  const printer = await eventPrinter(source, invocation, runtime)
  if (trail.events.length > 0) await printer.page(trail.events)
  const format = outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'jsonl')
  const { lines, summary } = trail
  await printer.finish(undefined, {
    ...(lines.length > 0 ? { executionLog: lines.map(({ record }) => record) } : {}),
    ...(summary === undefined ? {} : { summary }),
  })
  // What the server says of the whole has no place among events.
  if (summary !== undefined && format !== 'json') {
    const words = Object.entries(summary).map(([key, value]) => `${key} ${JSON.stringify(value)}`)
    runtime.log.info(`the server says: ${escapeText(words.join(', '))}`)
  }
  if (lines.length === 0) return EXIT.done
  if (format === 'table') {
    await runtime.output.write('\nexecution log\n')
    for (const { occurredAt, level, text } of lines)
      await runtime.output.write(`${occurredAt}  ${escapeText(level)}  ${escapeText(text)}\n`)
  } else if (format === 'jsonl') {
    for (const { record } of lines)
      await runtime.output.write(`${JSON.stringify({ executionLog: record })}\n`)
  } else if (format === 'csv') {
    runtime.log.info(`${lines.length} lines of the execution log have no place in CSV: -o json has them`)
  }
  return EXIT.done
}
