import { formatDuration } from '../core/duration.ts'
import type { AuditEvent, JsonObject } from '../core/event.ts'
import { valueAt } from '../core/filter.ts'
import type { AuditSource } from '../core/source.ts'
import { civilTime } from '../core/zone.ts'
import { FORMATS } from '../formats/registry.ts'
import { type TableColumn, tableLines } from '../formats/table.ts'
import { type OutputFormat, outputFlag } from './flags.ts'
import { type Invocation, textOption } from './invocation.ts'
import { columnsFor, fieldsFlag, reshape, shapeFlag } from './reshape.ts'
import type { Runtime } from './runtime.ts'

/** Writes pages of events in the format that was asked for. */
export type EventPrinter = {
  page(events: readonly AuditEvent[]): Promise<void>
  /** `nextCursor` and `more` go into the envelope of JSON; the other formats have no place for them. */
  finish(nextCursor: string | undefined, more?: JsonObject): Promise<void>
}

/** A table on a terminal, JSON Lines in a pipe, or what `-o` asks for. */
export async function eventPrinter(
  source: AuditSource,
  invocation: Invocation,
  runtime: Runtime,
): Promise<EventPrinter> {
  const format: OutputFormat = outputFlag(invocation) ?? (runtime.io.stdoutIsTerminal ? 'table' : 'jsonl')
  const shape = shapeFlag(invocation)
  const toShape = reshape(source, shape)
  const fields = fieldsFlag(invocation)
  if (format === 'table') return tablePrinter(source, invocation, runtime, fields)
  if (format === 'csv') {
    const writer = await FORMATS.csv({
      columns: columnsFor(source, shape, fields),
      guard: invocation.options['csvGuard'] !== false,
    })
    let isFirst = true
    const page = async (events: readonly AuditEvent[]): Promise<void> => {
      if (isFirst) await runtime.output.write(writer.header)
      isFirst = false
      if (events.length > 0) await runtime.output.write(Buffer.from(writer.encode(events.map(toShape))))
    }
    return { page, finish: () => page([]) }
  }
  const writer = await FORMATS.jsonl({ columns: fields })
  if (format === 'jsonl') {
    return {
      page: async (events) => runtime.output.write(Buffer.from(writer.encode(events.map(toShape)))),
      finish: async () => {},
    }
  }
  return envelopePrinter(runtime, (events) => writer.encode(events.map(toShape)))
}

const LF = 0x0a
const COMMA = 0x2c

/** `{"events":[…],"nextCursor":…}`, written as it comes: a window of a million events is never held. */
function envelopePrinter(
  runtime: Runtime,
  encode: (events: readonly AuditEvent[]) => Uint8Array,
): EventPrinter {
  let isFirst = true
  return {
    async page(events) {
      if (events.length === 0) return
      const lines = encode(events)
      // A line each; JSON has no other line feeds once it is a line.
      const joined = Buffer.from(lines.subarray(0, lines.length - 1))
      for (let at = joined.indexOf(LF); at >= 0; at = joined.indexOf(LF, at + 1)) joined[at] = COMMA
      await runtime.output.write(isFirst ? '{"events":[' : ',')
      await runtime.output.write(joined)
      isFirst = false
    },
    async finish(nextCursor, more = {}) {
      const rest = JSON.stringify({ nextCursor: nextCursor ?? null, ...more })
      await runtime.output.write(`${isFirst ? '{"events":[' : ''}],${rest.slice(1)}\n`)
    },
  }
}

function tablePrinter(
  source: AuditSource,
  invocation: Invocation,
  runtime: Runtime,
  fields: readonly string[] | undefined,
): EventPrinter {
  const shape = shapeFlag(invocation)
  if (shape === 'stream' && fields === undefined) columnsFor(source, shape, fields)
  const paths =
    fields ??
    (shape === 'common'
      ? ['time', 'action', 'actor.name', 'target.name', 'outcome', 'ip']
      : source.shape.tableColumns)
  const toShape = reshape(source, shape)
  const columns: TableColumn[] = paths.map((path) => ({
    title: path,
    isAction: path === 'event.type' || path === 'action',
  }))
  const time = timeText(invocation, runtime)
  let isFirst = true
  return {
    async page(events) {
      if (events.length === 0) return
      const rows = events.map((event) =>
        rowOf(shape === 'native' ? event : toShape(event), event, paths, time),
      )
      const width = runtime.io.stdoutIsTerminal ? runtime.io.columns : undefined
      const lines = tableLines(columns, rows, { width, color: runtime.color, header: isFirst })
      isFirst = false
      await runtime.output.write(`${lines.join('\n')}\n`)
    },
    async finish() {
      if (isFirst) runtime.log.info('no events')
    },
  }
}

function rowOf(
  shaped: AuditEvent,
  native: AuditEvent,
  paths: readonly string[],
  time: (event: AuditEvent) => string,
): string[] {
  const record = shaped.record()
  return paths.map((path) => {
    const value = valueAt(record, path.split('.'))
    // `actor` and `target` are objects in most products: what a person wants to read is who and what.
    if (path === 'actor' && typeof value !== 'string') return native.actor ?? ''
    if (path === 'target' && typeof value !== 'string') return native.target ?? ''
    if (value === native.occurredAt) return time(native)
    if (value === undefined || value === null) return ''
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

/** `--time utc|local|relative`; times keep the source's own digits in UTC. */
function timeText(invocation: Invocation, runtime: Runtime): (event: AuditEvent) => string {
  const how = textOption(invocation, 'time') ?? 'utc'
  if (how === 'relative')
    return (event) => `${formatDuration(Math.max(0, runtime.clock.now() - event.occurredAtMs))} ago`
  if (how === 'utc') return (event) => event.occurredAt
  const zone = textOption(invocation, 'tz') ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (event) => {
    const { year, month, day, hour, minute, second } = civilTime(event.occurredAtMs, zone)
    const two = (value: number): string => String(value).padStart(2, '0')
    return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
  }
}

/** Rows fetched, ordered by another field; numbers as numbers, everything else as text. Absent values come last. */
export function sortEvents(events: AuditEvent[], field: string, order: 'asc' | 'desc'): AuditEvent[] {
  const path = field.split('.')
  const keyed = events.map((event) => ({ event, key: valueAt(event.record(), path) }))
  const sign = order === 'desc' ? -1 : 1
  keyed.sort((a, b) => {
    if (a.key === undefined || a.key === null) return b.key === undefined || b.key === null ? 0 : 1
    if (b.key === undefined || b.key === null) return -1
    if (typeof a.key === 'number' && typeof b.key === 'number') return sign * (a.key - b.key)
    const [left, right] = [String(a.key), String(b.key)]
    return left < right ? -sign : left > right ? sign : 0
  })
  return keyed.map(({ event }) => event)
}
