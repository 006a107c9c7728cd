import { EXIT, type ExitCode } from '../core/errors.ts'
import { compileFilter, type EventFilter } from '../core/filter.ts'
import type { AuditSource, Order } from '../core/source.ts'
import { isoRange, isoTime, type TimeRange } from '../core/time-range.ts'
import { outputFlag } from './flags.ts'
import type { Invocation } from './invocation.ts'
import type { OpenStream } from './job.ts'
import type { Runtime } from './runtime.ts'

/** `--explain`: what the source will be asked, what is checked here, and how much that is. Reads no event. */
export async function explainSource(
  runtime: Runtime,
  source: AuditSource,
  asked: { readonly window: TimeRange; readonly filter: EventFilter; readonly order: Order },
  invocation: Invocation,
): Promise<ExitCode> {
  const { window, filter, order } = asked
  // A filter that means nothing for the source is an error here as well.
  compileFilter(filter, source.shape.filters, source.name)
  if (outputFlag(invocation) === 'json') {
    const plan = source.plan(window, filter, { order })
    const text = JSON.stringify({
      source: source.name,
      type: source.shape.type,
      window: isoRange(window),
      order,
      ...plan,
      slices: plan.slices?.map(isoRange) ?? null,
      estimatedPages: plan.estimatedPages ?? null,
    })
    await runtime.output.write(`${text}\n`)
  } else await runtime.output.write(`${planLines(source, window, filter, order).join('\n')}\n`)
  return EXIT.done
}

/** The same for a comparison, with where judging would stop. */
export async function explainGaps(
  runtime: Runtime,
  asked: {
    readonly source: AuditSource
    readonly stream: OpenStream
    readonly window: TimeRange
    readonly filter: EventFilter
    readonly until: number
  },
): Promise<ExitCode> {
  const { source, stream, window, filter, until } = asked
  const lines = planLines(source, window, filter, 'asc')
  lines.push(`stream: ${stream.destination.name} (${stream.destination.provider})`)
  lines.push(`judged until: ${isoTime(Math.min(until, window.to))}`)
  const { inventory } = stream
  if (inventory === undefined) lines.push('inventory: none')
  else {
    const rate = inventory.traits.queriesPerHour
    lines.push(`inventory: ${inventory.name}${rate === undefined ? '' : `, ${rate} queries an hour allowed`}`)
  }
  await runtime.output.write(`${lines.join('\n')}\n`)
  return EXIT.done
}

function planLines(source: AuditSource, window: TimeRange, filter: EventFilter, order: Order): string[] {
  const plan = source.plan(window, filter, { order })
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '))
  return [
    `source: ${source.name} (${source.shape.type})`,
    `window: ${isoTime(window.from)} to ${isoTime(window.to)}`,
    `order: ${order}`,
    ...plan.requests.map((request) => `request: ${request}`),
    `filters sent to the source: ${list(plan.pushedDown)}`,
    `filters checked here: ${list(plan.local)}`,
    ...(plan.slices ?? []).map((slice) => `slice: ${isoTime(slice.from)} to ${isoTime(slice.to)}`),
    `estimated pages: ${plan.estimatedPages ?? 'not known before the first page'}`,
  ]
}
