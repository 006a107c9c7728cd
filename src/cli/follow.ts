import { durationOf } from '../core/duration.ts'
import type { ExitCode } from '../core/errors.ts'
import type { EventFilter } from '../core/filter.ts'
import type { AuditSource } from '../core/source.ts'
import { followEvents } from '../operations/follow.ts'
import { eventPrinter } from './event-printer.ts'
import { type Invocation, textOption } from './invocation.ts'
import { concurrencyOf } from './job.ts'
import type { Runtime } from './runtime.ts'

/** `query --follow`: goes on until it is interrupted. */
export async function followCommand(
  source: AuditSource,
  asked: { readonly filter: EventFilter; readonly window: { readonly from: number } },
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const isFromGiven = ['from', 'since', 'in'].some((name) => textOption(invocation, name) !== undefined)
  const interval = textOption(invocation, 'interval')
  const printer = await eventPrinter(source, invocation, runtime)
  const asksForReads = asked.filter.events.some((type) => type.startsWith('view-audit-log'))
  runtime.log.info('following; Ctrl-C ends it')
  const pages = followEvents(
    {
      source,
      clock: runtime.clock,
      log: runtime.log,
      signal: runtime.signal,
      concurrency: concurrencyOf(invocation),
    },
    {
      from: isFromGiven ? asked.window.from : runtime.clock.now(),
      filter: asked.filter,
      intervalMs: interval === undefined ? 15_000 : durationOf(interval, '--interval'),
      showOwnReads: asksForReads,
    },
  )
  for await (const page of pages) await printer.page(page)
  throw runtime.signal.reason as Error
}
