import { EXIT, type ExitCode } from '../../core/errors.ts'
import { escapeText } from '../../core/escape-text.ts'
import type { TrailKind } from '../../core/source.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { followTrail } from '../../operations/trail.ts'
import { settingsFor } from '../entry-actions.ts'
import { eventPrinter } from '../event-printer.ts'
import { announceWindow, filterFlags, outputFlag, settleOf, windowFlags } from '../flags.ts'
import { flagOption, type Invocation } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import type { Runtime } from '../runtime.ts'

/** `auditctl trail KIND ID`: what happened to it, oldest first. */
export async function trailCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const kind = invocation.path[1] as TrailKind
  const [id = ''] = invocation.args
  const settings = await settingsFor(invocation, runtime)
  const source = await openSource(settings, invocation, runtime)
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: 30 * DAY_MS,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
  })
  const filter = filterFlags(invocation, source.shape, runtime)
  announceWindow(runtime, window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, window, filter, 'asc')
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
  await printer.finish(undefined)
  if (
    trail.lines.length > 0 &&
    (outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'jsonl')) === 'table'
  ) {
    await runtime.output.write('\nexecution log\n')
    for (const { occurredAt, level, text } of trail.lines)
      await runtime.output.write(`${occurredAt}  ${escapeText(level)}  ${escapeText(text)}\n`)
  } else {
    for (const { record } of trail.lines)
      if (outputFlag(invocation) !== 'csv')
        await runtime.output.write(`${JSON.stringify({ executionLog: record })}\n`)
  }
  return EXIT.done
}
