import { EXIT, type ExitCode, UserError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { compileFilter, type EventFilter, FILTER_NAMES } from '../../core/filter.ts'
import { shellWord } from '../../core/shell-word.ts'
import type { AuditSource, Order } from '../../core/source.ts'
import { DAY_MS, type TimeRange } from '../../core/time-range.ts'
import { type QueryEnd, type QueryParts, type QueryPosition, queryEvents } from '../../operations/query.ts'
import { settingsFor } from '../entry-actions.ts'
import { type EventPrinter, eventPrinter } from '../event-printer.ts'
import { announceWindow, countOption, filterFlags, settleOf, windowFlags } from '../flags.ts'
import { keepMemoryFlat } from '../flat-memory.ts'
import { flagOption, type Invocation, textOption, typedOption } from '../invocation.ts'
import { concurrencyOf, openSource } from '../job.ts'
import { decodeCursor, encodeCursor, type QueryCursor } from '../query-cursor.ts'
import { reshape, shapeFlag } from '../reshape.ts'
import type { Runtime } from '../runtime.ts'

const TERMINAL_ROWS = 50
/** Rows that may be held to be ordered by another field. */
const MOST_SORTED = 100_000
/** What a cursor brings along and the command line cannot change. */
const CARRIED = [
  ...['from', 'to', 'since', 'until', 'in', 'order', 'event', 'action', 'where', 'settle'],
  ...FILTER_NAMES.map((name) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())),
]

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
  const source = await openSource(settings, invocation, runtime, sourceOf(cursor, invocation, runtime))
  if (flagOption(invocation, 'follow')) {
    if (cursor !== undefined)
      throw new UserError('--cursor and --follow do not go together', { hint: 'leave one of them out' })
    const { followCommand } = await import('../follow.ts')
    return followCommand(source, invocation, runtime)
  }
  const asked =
    cursor === undefined
      ? askedFor(invocation, runtime, source)
      : { ...cursor, limit: limitOf(invocation, runtime) ?? cursor.limit }
  // A filter that means nothing here is an error before anything is said.
  compileFilter(asked.filter, source.shape.filters, source.name)
  announceWindow(runtime, asked.window)
  if (flagOption(invocation, 'explain')) {
    const { explainSource } = await import('../explain.ts')
    return explainSource(runtime, source, asked, invocation)
  }
  const printer = await eventPrinter(source, invocation, runtime)
  // Only now: what a command loads lives on, and collecting around it at start-up would cost more than it frees.
  keepMemoryFlat()
  const sort = textOption(invocation, 'sort')
  return sort === undefined
    ? inTime(source, asked, printer, invocation, runtime)
    : bySort(source, asked, sort, printer, invocation, runtime)
}

/** The cursor's source, unless another was typed: on another machine it may go by another name. */
function sourceOf(
  cursor: QueryCursor | undefined,
  invocation: Invocation,
  runtime: Runtime,
): string | undefined {
  if (cursor === undefined) return undefined
  const isSorted = textOption(invocation, 'sort') !== undefined
  const ignored = CARRIED.filter(
    (name) => invocation.typed?.has(name) === true && !(isSorted && name === 'order'),
  )
  if (ignored.length > 0)
    runtime.log.warn(
      `the cursor carries window, filters and order: ${ignored.join(', ')} as typed are ignored`,
    )
  const typed = invocation.typed?.has('source') === true ? textOption(invocation, 'source') : undefined
  if (typed !== undefined && typed !== cursor.source)
    runtime.log.warn(`the cursor was made with the source ${cursor.source}, and goes on in ${typed}`)
  return typed ?? cursor.source
}

function askedFor(invocation: Invocation, runtime: Runtime, source: AuditSource): Asked {
  const { window } = windowFlags(invocation, runtime, {
    fallbackMs: DAY_MS,
    defaultTo: runtime.clock.now() - settleOf(invocation).ms,
    cuts: true,
  })
  return {
    window,
    filter: filterFlags(invocation, source.shape, runtime),
    // Another field's order says nothing of time: the newest rows are fetched.
    order:
      textOption(invocation, 'sort') === undefined
        ? ((textOption(invocation, 'order') as Order | undefined) ?? 'desc')
        : 'desc',
    after: undefined,
    limit: limitOf(invocation, runtime),
  }
}

/** `-n`; 50 where a person reads, all where a program does. */
function limitOf(invocation: Invocation, runtime: Runtime): number | undefined {
  return countOption(invocation, 'limit') ?? (runtime.io.stdoutIsTerminal ? TERMINAL_ROWS : undefined)
}

async function inTime(
  source: AuditSource,
  asked: Asked,
  printer: EventPrinter,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  const pages = queryEvents(partsOf(source, invocation, runtime), asked)
  for (;;) {
    const step = await pages.next()
    if (!step.done) {
      await printer.page(step.value)
      continue
    }
    await finish(source, asked, step.value, printer, invocation, runtime)
    return EXIT.done
  }
}

/** Ends the page, and says how to go on where there is more. */
async function finish(
  source: AuditSource,
  asked: Asked,
  { hasMore, last }: QueryEnd,
  printer: EventPrinter,
  invocation: Invocation,
  runtime: Runtime,
): Promise<void> {
  const { window, order, filter, limit } = asked
  const next =
    hasMore && last !== undefined
      ? encodeCursor({ source: source.name, window, order, filter, after: last, limit })
      : undefined
  await printer.finish(next)
  if (next === undefined) return
  await runtime.output.flush()
  runtime.log.info(`there are more events than the ${limit} shown`)
  runtime.log.info(`next: ${nextCommand(next, invocation)}`, { cursor: next })
}

function partsOf(source: AuditSource, invocation: Invocation, runtime: Runtime): QueryParts {
  return {
    source,
    signal: runtime.signal,
    concurrency: concurrencyOf(invocation),
    onWarnings: (given) => {
      for (const warning of given) runtime.log.warn(warning)
    },
  }
}

/** The command that shows the next page, with the flags that decide how it looks. */
function nextCommand(cursor: string, invocation: Invocation): string {
  const words = ['auditctl', 'query', '--cursor', cursor]
  const isSorted = textOption(invocation, 'sort') !== undefined
  for (const name of ['config', 'output', 'fields', 'shape', 'time', 'tz', 'sort', 'order'] as const) {
    const value = name === 'order' && !isSorted ? undefined : typedOption(invocation, name)
    if (value !== undefined) words.push(`--${name}`, value)
  }
  if (flagOption(invocation, 'json') && invocation.typed?.has('json') === true) words.push('--json')
  return words.map(shellWord).join(' ')
}

/** At the source where it sorts by that field, otherwise over the rows fetched, the newest ones; it is said which. */
async function bySort(
  source: AuditSource,
  asked: Asked,
  field: string,
  printer: EventPrinter,
  invocation: Invocation,
  runtime: Runtime,
): Promise<ExitCode> {
  checkField(field)
  const order = (textOption(invocation, 'order') as Order | undefined) ?? 'asc'
  if (asked.after === undefined && source.sorted !== undefined) {
    const { window, filter, limit = MOST_SORTED } = asked
    const sorted = await source.sorted(window, filter, { field, order, limit, signal: runtime.signal })
    if (sorted !== undefined) {
      runtime.log.info(`ordered by ${field} at the source`)
      await printer.page(sorted.events)
      await printer.finish(undefined)
      if (sorted.hasMore)
        runtime.log.info(`there are more events than the ${sorted.events.length} shown: -n shows more`)
      return EXIT.done
    }
  }
  const rows: AuditEvent[] = []
  const pages = queryEvents(partsOf(source, invocation, runtime), {
    ...asked,
    limit: asked.limit ?? MOST_SORTED,
  })
  let end: QueryEnd | undefined
  while (end === undefined) {
    const step = await pages.next()
    if (step.done === true) end = step.value
    else rows.push(...step.value)
  }
  if (end.hasMore && asked.limit === undefined) {
    throw new UserError(
      `--sort can order ${MOST_SORTED.toLocaleString('en-US')} events, and the window holds more`,
      { hint: 'narrow the window or add -n' },
    )
  }
  const which = end.hasMore ? `the newest ${rows.length.toLocaleString('en-US')} of them` : 'all of them'
  const { sortEvents } = await import('../sort-events.ts')
  const sorted = sortEvents(rows, field, order, reshape(source, shapeFlag(invocation)))
  if (sorted.hasField) runtime.log.info(`ordered by ${field} here, over the rows fetched: ${which}`)
  else runtime.log.warn(`no event has the field ${field}: the rows are ${which}, in the order of time`)
  await printer.page(sorted.events)
  await finish(source, asked, end, printer, invocation, runtime)
  return EXIT.done
}

function checkField(field: string): void {
  if (field.split('.').some((part) => part === ''))
    throw new UserError(`--sort: ${JSON.stringify(field)} is not a field`, {
      hint: 'write a dotted path, for example event.type',
    })
}
