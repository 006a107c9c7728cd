import { ContractError } from './errors.ts'
import { type AuditEvent, type JsonObject, NamedEvent, SpanEvent } from './event.ts'
import { instantOfText } from './instant.ts'
import type { EventSpans } from './json-slice.ts'
import type { EventShape } from './source.ts'

const utf8 = new TextDecoder('utf-8')

/**
 * The events that lie in `spans`, in their order.
 * @throws ContractError naming the position of one without an id, or whose time is no time
 */
export function eventsOf(spans: EventSpans, shape: EventShape): AuditEvent[] {
  const events: AuditEvent[] = new Array(spans.count)
  for (let i = 0; i < spans.count; i += 1) events[i] = eventAt(spans, i, shape)
  return events
}

export function eventAt(spans: EventSpans, i: number, shape: EventShape): AuditEvent {
  const [start, end] = [spans.starts[i] ?? 0, spans.ends[i] ?? 0]
  const [idStart, timeStart] = [spans.idStarts[i] ?? -1, spans.timeStarts[i] ?? -1]
  try {
    if (idStart >= 0 && timeStart >= 0 && shape.name === undefined) {
      return new SpanEvent(shape.reader, spans.bytes, {
        start,
        end,
        idStart,
        idEnd: spans.idEnds[i] ?? 0,
        timeStart,
        timeEnd: spans.timeEnds[i] ?? 0,
      })
    }
    return namedEvent(spans.bytes.subarray(start, end), shape)
  } catch (cause) {
    if (cause instanceof ContractError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ContractError(`event ${i} of the reply cannot be read: ${reason}`, { cause })
  }
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
