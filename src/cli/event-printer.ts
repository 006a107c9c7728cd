import type { AuditEvent, JsonObject } from '../core/event.ts'
import { valueAt } from '../core/filter.ts'
import type { AuditSource } from '../core/source.ts'
import { FORMATS } from '../formats/registry.ts'
import { type TableColumn, tableLines } from '../formats/table.ts'
import { type OutputFormat, outputFlag } from './flags.ts'
import type { Invocation } from './invocation.ts'
import { columnsFor, fieldsFlag, reshape, type ShapeName, shapeFlag } from './reshape.ts'
import type { Runtime } from './runtime.ts'
import { timeText } from './time-text.ts'

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
  const paths = fields ?? tablePaths(source, shape)
  const toShape = reshape(source, shape)
  const columns: TableColumn[] = paths.map((path) => ({
    title: path,
    isAction: path === 'event.type' || path === 'action',
  }))
  const text = timeText(invocation, runtime)
  const time = (event: AuditEvent): string => text(event.occurredAtMs, event.occurredAt)
  let isFirst = true
  return {
    async page(events) {
      if (events.length === 0) return
      const rows = events.map((event) =>
        rowOf(shape === 'native' ? event : toShape(event), event, paths, time, source.shape.timeKey),
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

/** What a person wants at a glance; of the streamed shape, all there is. */
function tablePaths(source: AuditSource, shape: ShapeName): readonly string[] {
  if (shape === 'native') return source.shape.tableColumns
  if (shape === 'stream') return columnsFor(source, shape, undefined)
  return ['time', 'action', 'actor.name', 'target.name', 'outcome', 'ip']
}

function rowOf(
  shaped: AuditEvent,
  native: AuditEvent,
  paths: readonly string[],
  time: (event: AuditEvent) => string,
  timeKey: string,
): string[] {
  const record = shaped.record()
  return paths.map((path) => {
    const value = valueAt(record, path.split('.'))
    // `actor` and `target` are objects in most products: what a person wants to read is who and what.
    if (path === 'actor' && typeof value !== 'string') return native.actor ?? ''
    if (path === 'target' && typeof value !== 'string') return native.target ?? ''
    // A server may spell the time's name otherwise than documented.
    if (value === native.occurredAt || (value === undefined && path === timeKey)) return time(native)
    if (value === undefined || value === null) return ''
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}
