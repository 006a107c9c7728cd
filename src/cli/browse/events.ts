import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BrowserOperations, BrowserQuery, EventRow, PageRequest, ShapeName } from '../../core/browser.ts'
import { UserError } from '../../core/errors.ts'
import { type AuditEvent, type JsonObject, NamedEvent } from '../../core/event.ts'
import { type EventPage, type HeldEvent, pageOf } from '../../core/event-page.ts'
import { compileFilter, type EventFilter, FILTER_NAMES, isFiltered } from '../../core/filter.ts'
import type { Clock, Log } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { FORMATS } from '../../formats/registry.ts'
import { followEvents } from '../../operations/follow.ts'
import { queryEvents } from '../../operations/query.ts'
import { replaceFile } from '../../storage/private-files.ts'
import { columnsFor, reshape } from '../reshape.ts'
import { collectReplies } from './collect.ts'
import { countEvents } from './counts.ts'

/** How far back following looks first, for events that were late when the list was read. */
const FOLLOW_BACK_MS = 10 * MINUTE_MS
const FOLLOW_EVERY_MS = 15_000
/** A page is small: more connections would only read ahead what is then thrown away. A filter may have to look through more. */
const PAGE_CONNECTIONS = 1
const FILTERED_PAGE_CONNECTIONS = 2

const utf8 = new TextDecoder('utf-8')

export type EventReads = {
  readonly source: AuditSource
  readonly clock: Clock
  readonly log: Log
  readonly concurrency: number
  readonly warn: (warnings: readonly string[]) => void
}

type EventOperations = Pick<
  BrowserOperations,
  | 'source'
  | 'filterNames'
  | 'knownEventTypes'
  | 'now'
  | 'row'
  | 'shaped'
  | 'resolveFilter'
  | 'page'
  | 'count'
  | 'follow'
  | 'exportEvents'
>

/** What the browser does with the events of a source. */
export function eventOperations(reads: EventReads): EventOperations {
  const { source, clock } = reads
  const { shape } = source
  return {
    source: source.name,
    filterNames: FILTER_NAMES.filter((name) => shape.filters[name] !== undefined),
    knownEventTypes: shape.knownEventTypes,
    now: () => clock.now(),
    row: ({ bytes }) => rowOf(source, bytes),
    shaped: (event, name) => shapedText(source, event, name),
    resolveFilter: (filter) => resolveFilter(source, filter),
    page: (request, signal) => readPage(reads, request, signal),
    count: (query, cells, signal) => countEvents(reads, query, cells, signal),
    follow: (query, signal) => follow(reads, query, signal),
    exportEvents: (events, path, name) => exportEvents(source, events, path, name),
  }
}

function rowOf(source: AuditSource, bytes: Uint8Array): EventRow {
  const record = JSON.parse(utf8.decode(bytes)) as JsonObject
  const { reader } = source.shape
  return {
    action: reader.action(record),
    actor: reader.actor(record) ?? '',
    target: reader.target(record) ?? '',
  }
}

function eventOf(source: AuditSource, { id, time, ms, bytes }: HeldEvent): AuditEvent {
  return new NamedEvent(source.shape.reader, bytes, { id, occurredAt: time, occurredAtMs: ms })
}

function shapedText(source: AuditSource, held: HeldEvent, name: ShapeName) {
  if (name === 'native') return { text: utf8.decode(held.bytes), notRebuilt: [] }
  const event = eventOf(source, held)
  if (name === 'common')
    return { text: JSON.stringify(source.shape.toCommon(event.record())), notRebuilt: [] }
  const { bytes, notRebuilt } = source.shape.asStreamed(event, source.streamedSettings)
  return { text: utf8.decode(bytes), notRebuilt }
}

/** @throws UserError for a filter that means nothing for the source */
function resolveFilter(source: AuditSource, filter: EventFilter): EventFilter {
  compileFilter(filter, source.shape.filters, source.name)
  const events = new Set(filter.events.flatMap((type) => [type, ...source.shape.aliases(type)]))
  return { ...filter, events: [...events] }
}

async function readPage(
  { source, concurrency, warn }: EventReads,
  request: PageRequest,
  signal: AbortSignal,
) {
  const { window, filter, after, toward, limit } = request
  const order = toward === 'older' ? 'desc' : 'asc'
  const most = isFiltered(filter) ? FILTERED_PAGE_CONNECTIONS : PAGE_CONNECTIONS
  const pages = queryEvents(
    { source, signal, concurrency: Math.min(concurrency, most), onWarnings: warn },
    { window, filter, order, limit, after },
  )
  const events: AuditEvent[] = []
  for (;;) {
    const step = await pages.next()
    if (step.done) {
      const page = pageOf(events, toward === 'older')
      collectReplies()
      return { page, hasMore: step.value.hasMore }
    }
    for (const event of step.value) events.push(event)
  }
}

async function* follow(
  { source, clock, log, concurrency }: EventReads,
  { window, filter }: BrowserQuery,
  signal: AbortSignal,
): AsyncGenerator<EventPage> {
  const from = Math.max(window.from, window.to - FOLLOW_BACK_MS)
  const options = { from, filter, intervalMs: FOLLOW_EVERY_MS, showOwnReads: false }
  for await (const events of followEvents({ source, clock, log, signal, concurrency }, options)) {
    yield pageOf(events, false)
  }
}

async function exportEvents(
  source: AuditSource,
  held: readonly HeldEvent[],
  name: string,
  shape: ShapeName,
): Promise<string> {
  const path = resolve(name)
  if (existsSync(path)) throw new UserError(`${path} is there already`, { hint: 'name another file' })
  const isCsv = path.endsWith('.csv')
  const columns = isCsv ? columnsFor(source, shape, undefined) : undefined
  const writer = await FORMATS[isCsv ? 'csv' : 'jsonl']({ columns })
  const events = held.map((event) => eventOf(source, event)).map(reshape(source, shape))
  await replaceFile(path, Buffer.concat([writer.header, writer.encode(events)]))
  return path
}
