import { ContractError } from '../../core/errors.ts'
import { type AuditEvent, NamedEvent, SpanEvent } from '../../core/event.ts'
import { eventsAt } from '../../core/events-of.ts'
import type { EventSpans } from '../../core/json-slice.ts'
import type { EventShape } from '../../core/source.ts'
import { isZoned, type Times } from './times.ts'

const UTC_MARK = 0x5a

export type PageShape = { readonly shape: EventShape; readonly times: Times }

/**
 * The events that lie in `spans`. Most are taken by their bytes alone; a time without a zone is read here, and other spellings by the record.
 * @throws ContractError for an entry without an id or time
 */
export function readEvents(spans: EventSpans, { shape, times }: PageShape): AuditEvent[] {
  const events: AuditEvent[] = new Array(spans.count)
  const at = eventsAt(spans, shape)
  for (let i = 0; i < spans.count; i += 1) {
    const [start, end] = [spans.starts[i] ?? 0, spans.ends[i] ?? 0]
    const [idStart, idEnd] = [spans.idStarts[i] ?? -1, spans.idEnds[i] ?? -1]
    const [timeStart, timeEnd] = [spans.timeStarts[i] ?? -1, spans.timeEnds[i] ?? -1]
    // The usual spelling, and what has to be parsed for its id or time.
    if (idStart < 0 || timeStart < 0 || spans.bytes[timeEnd - 1] === UTC_MARK) {
      events[i] = at(i)
      continue
    }
    try {
      events[i] = isZoned(spans.bytes, timeStart, timeEnd)
        ? SpanEvent.of(shape.reader, spans.bytes, { start, end, idStart, idEnd, timeStart, timeEnd })
        : new NamedEvent(shape.reader, spans.bytes.subarray(start, end), {
            id: ascii(spans.bytes, idStart, idEnd),
            ...times.read(ascii(spans.bytes, timeStart, timeEnd)),
          })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new ContractError(`event ${i} of the reply cannot be read: ${reason}`, { cause })
    }
  }
  return events
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}
