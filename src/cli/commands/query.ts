import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { EventFilter } from '../../core/filter.ts'
import type { AuditSource, Order } from '../../core/source.ts'
import { DAY_MS, type TimeRange } from '../../core/time-range.ts'
import { type QueryPosition, queryEvents } from '../../operations/query.ts'
import { settingsFor } from '../entry-actions.ts'
import { type EventPrinter, eventPrinter, sortEvents } from '../event-printer.ts'
import { announceWindow, countOption, filterFlags, outputFlag, settleOf, windowFlags } from '../flags.ts'
import { shellWord } from '../gap-printer.ts'
import { flagOption, type Invocation, textOption, typedOption } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import { decodeCursor, encodeCursor } from '../query-cursor.ts'
import type { Runtime } from '../runtime.ts'

const TERMINAL_ROWS = 50
/** Rows that may be held to be ordered by another field. */
const MOST_SORTED = 100_000

type Asked = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly order: Order
  readonly after: QueryPosition | undefined
  readonly limit: number | undefined
}

/** `auditctl query`: events of a window, newest first, a page or all of them. */
export async function queryCommand(invocation: Invocation, runtime: Runtime): Promise<ExitCode> {
  const settings = await settingsFor(invocation, runtime)
  const cursorText = textOption(invocation, 'cursor')
  const cursor = cursorText === undefined ? undefined : decodeCursor(cursorText)
  const source = await openSource(settings, invocation, runtime, cursor?.source)
  const asked =
    cursor === undefined
      ? askedFor(invocation, runtime, source)
      : { ...cursor, limit: limitOf(invocation, runtime) ?? cursor.limit }
  if (flagOption(invocation, 'follow')) {
    const { followCommand } = await import('../follow.ts')
    return followCommand(source, asked, invocation, runtime)
  }
  announceWindow(runtime, asked.window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, asked.window, asked.filter, asked.order)
  }
  const printer = await eventPrinter(source, invocation, runtime)
  const sort = textOption(invocation, 'sort')
  return sort === undefined
    ? inTime(source, asked, printer, invocation, runtime)
    : bySort(source, asked, sort, printer, invocation, runtime)
}

function askedFor(invocation: Invocation, runtime: Runtime, source: AuditSource): Asked {
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: DAY_MS,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
  })
  return {
    window,
    filter: filterFlags(invocation, source.shape, runtime),
    order: (textOption(invocation, 'order') as Order | undefined) ?? 'desc',
    after: undefined,
    limit: limitOf(invocation, runtime),
  }
}

/** `-n`; 50 where a person reads, all where a program does. */
function limitOf(invocation: Invocation, runtime: Runtime): number | undefined {
  const asked = countOption(invocation, 'limit')
  if (asked !== undefined) return asked
  const isForPeople = runtime.io.stdoutIsTerminal && (outputFlag(invocation) ?? 'table') === 'table'
  return isForPeople && textOption(invocation, 'sort') === undefined ? TERMINAL_ROWS : undefined
}

async function inTime(
  source: AuditSource,
  asked: Asked,
  printer: EventPrinter,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  let broken = 0
  const parts = {
    source,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    onWarnings: warnings(runtime, (count) => (broken = count)),
  }
  const pages = queryEvents(parts, asked)
  for (;;) {
    const step = await pages.next()
    if (!step.done) {
      await printer.page(step.value)
      continue
    }
    const { hasMore, last } = step.value
    const next =
      hasMore && last !== undefined
        ? encodeCursor({
            source: source.name,
            window: asked.window,
            order: asked.order,
            filter: asked.filter,
            after: last,
            limit: asked.limit,
          })
        : undefined
    await printer.finish(next)
    if (next !== undefined) {
      await runtime.output.flush()
      runtime.log.info(`there are more events than the ${asked.limit} shown`)
      runtime.log.info(`next: ${nextCommand(next, invocation)}`)
    }
    return broken > 0 ? EXIT.notDelivered : EXIT.done
  }
}

function warnings(runtime: Runtime, onBroken: (count: number) => void) {
  return (given: readonly string[], broken: number): void => {
    for (const warning of given) runtime.log.warn(warning)
    if (broken > 0) onBroken(broken)
  }
}

/** The command that shows the next page, with the flags that decide how it looks. */
function nextCommand(cursor: string, invocation: Invocation): string {
  const words = ['auditctl', 'query', '--cursor', cursor]
  for (const name of ['config', 'output', 'fields', 'shape', 'time', 'tz'] as const) {
    const value = typedOption(invocation, name)
    if (value !== undefined) words.push(`--${name}`, value)
  }
  return words.map(shellWord).join(' ')
}

async function bySort(
  source: AuditSource,
  asked: Asked,
  field: string,
  printer: EventPrinter,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const rows: AuditEvent[] = []
  const parts = {
    source,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    onWarnings: warnings(runtime, () => {}),
  }
  for await (const page of queryEvents(parts, { ...asked, limit: asked.limit ?? MOST_SORTED + 1 }))
    rows.push(...page)
  if (rows.length > MOST_SORTED) {
    throw new UserError(
      `--sort can order ${MOST_SORTED.toLocaleString('en-US')} events, and the window holds more`,
      { hint: 'narrow the window or add -n' },
    )
  }
  runtime.log.info(`ordered by ${field} over the ${rows.length.toLocaleString('en-US')} events fetched`)
  const order = (textOption(invocation, 'order') as Order | undefined) ?? 'asc'
  await printer.page(sortEvents(rows, field, order))
  await printer.finish(undefined)
  return EXIT.done
}
