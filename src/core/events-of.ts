import { ContractError } from './errors.ts'
import {
  type AuditEvent,
  type JsonObject,
  NamedEvent,
  SPAN_FIELDS,
  SpanEvent,
  type SpanPage,
} from './event.ts'
import { instantOf, instantOfText } from './instant.ts'
import type { EventSpans } from './json-slice.ts'
import type { EventShape } from './source.ts'

const utf8 = new TextDecoder('utf-8')

/**
 * The events that lie in `spans`, in their order. `spare`: events that nobody looks at again, made these first; a million new ones, each alive
 * until its slice is done with, would be most of the collector's work.
 * @throws ContractError naming the position of one without an id, or whose time is no time
 */
export function eventsOf(spans: EventSpans, shape: EventShape, spare?: SpanEvent[]): AuditEvent[] {
  const page = pageOf(spans, shape)
  const events: AuditEvent[] = new Array(spans.count)
  for (let i = 0; i < spans.count; i += 1) events[i] = eventOf(page, i, shape, spare?.pop())
  return events
}

/** The same one by one, by position: for those who look at each once. */
export function eventsAt(
  spans: EventSpans,
  shape: EventShape,
  spare?: SpanEvent[],
): (i: number) => AuditEvent {
  const page = pageOf(spans, shape)
  if (spans.times === undefined) return (i) => eventOf(page, i, shape, spare?.pop())
  const { rows } = page
  return (i) => {
    const row = i * SPAN_FIELDS
    if ((rows[row + 2] as number) < 0) return eventOf(page, i, shape)
    return spare?.pop()?.become(page, i) ?? new SpanEvent(page, i)
  }
}

export function eventAt(spans: EventSpans, i: number, shape: EventShape): AuditEvent {
  return eventOf(pageOf(spans, shape), i, shape)
}

function pageOf(spans: EventSpans, { reader }: EventShape): SpanPage {
  const { bytes, count, rows, values, wish, times, isCompact } = spans
  return {
    reader,
    buffer: bytes,
    rows,
    base: 0,
    times: times ?? new Float64Array(count),
    values,
    wish,
    isCompact,
  }
}

function eventOf(page: SpanPage, i: number, shape: EventShape, spare?: SpanEvent): AuditEvent {
  const { buffer, rows } = page
  const row = i * SPAN_FIELDS
  try {
    const idStart = rows[row + 2] as number
    const idEnd = rows[row + 3] as number
    const timeStart = rows[row + 4] as number
    const timeEnd = rows[row + 5] as number
    if (isPlainlyNamed(shape, buffer, idStart, idEnd, timeStart, timeEnd)) {
      page.times[i] = instantOf(buffer, timeStart, timeEnd)
      return spare === undefined ? new SpanEvent(page, i) : spare.become(page, i)
    }
    return namedEvent(buffer.subarray(rows[row], rows[row + 1]), shape)
  } catch (cause) {
    if (cause instanceof ContractError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ContractError(`event ${i} of the reply cannot be read: ${reason}`, { cause })
  }
}

const UTC_MARK = 0x5a

/** Whether the texts of id and time that were found in the event say all that `shape.name` would: then nothing need be parsed. -1: not found. */
export function isPlainlyNamed(
  { name, isPlainlyNamed: isPlain }: Pick<EventShape, 'name' | 'isPlainlyNamed'>,
  bytes: Uint8Array,
  idStart: number,
  idEnd: number,
  timeStart: number,
  timeEnd: number,
): boolean {
  if (idStart < 0 || timeStart < 0) return false
  return name === undefined || (isPlain === true && idEnd > idStart && bytes[timeEnd - 1] === UTC_MARK)
}

function namedEvent(bytes: Uint8Array, shape: EventShape): AuditEvent {
  const record = JSON.parse(utf8.decode(bytes)) as JsonObject
  const named = shape.name?.(record)
  if (named !== undefined) return new NamedEvent(shape.reader, bytes, { ...named, record })
  const [id, time] = [record[shape.idKey], record[shape.timeKey]]
  if (typeof id !== 'string' || id === '') throw new ContractError(`an event has no ${shape.idKey}`)
  if (typeof time !== 'string') throw new ContractError(`the event ${id} has no ${shape.timeKey}`)
  return new NamedEvent(shape.reader, bytes, {
    id,
    occurredAt: time,
    occurredAtMs: instantOfText(time),
    record,
  })
}
