import { type AuditEvent, type EventReader, NamedEvent, SpanEvent } from '../../src/core/event.ts'
import type { EventScanner } from '../../src/core/event-scanner.ts'
import { sliceEvents } from '../../src/core/json-slice.ts'

const READER: EventReader = {
  type: 'test',
  actor: () => undefined,
  action: (record) => String(record['action']),
  target: () => undefined,
}

/** The same as a source makes them that knows the outlines of its events: its pages tell where the values are, once somebody has missed them. */
export function knownEvents(scanner: EventScanner, texts: readonly string[]): SpanEvent[] {
  const bytes = Buffer.from(`{"events":[${texts.join(',')}]}`)
  const sliced = sliceEvents(bytes, { arrayKey: 'events', idKey: 'id', timeKey: 'createdAt', scanner })
  if (sliced === undefined) throw new Error(`cannot be sliced: ${texts.join(',')}`)
  const { rows, values, wish } = sliced.spans
  const times = new Float64Array(texts.length)
  const page = { reader: READER, buffer: bytes, rows, base: 0, times, values, wish }
  return texts.map((_, n) => new SpanEvent(page, n))
}

/** Events as a source makes them of a reply: spans of one buffer, a comma between them. Without a plain id and time they are named. */
export function spanEvents(texts: readonly string[]): AuditEvent[] {
  const bytes = Buffer.from(`{"events":[${texts.join(',')}]}`)
  const sliced = sliceEvents(bytes, { arrayKey: 'events', idKey: 'id', timeKey: 'createdAt' })
  if (sliced === undefined) throw new Error(`cannot be sliced: ${texts.join(',')}`)
  const { spans } = sliced
  return texts.map((_, n) => {
    const at = (column: Int32Array) => column[n] as number
    const time = bytes.subarray(at(spans.timeStarts), at(spans.timeEnds)).toString()
    if (at(spans.idStarts) < 0 || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time)) {
      return namedEvent(bytes.subarray(at(spans.starts), at(spans.ends)), `event-${n}`)
    }
    return SpanEvent.of(READER, bytes, {
      start: at(spans.starts),
      end: at(spans.ends),
      idStart: at(spans.idStarts),
      idEnd: at(spans.idEnds),
      timeStart: at(spans.timeStarts),
      timeEnd: at(spans.timeEnds),
    })
  })
}

export function namedEvent(
  bytes: Uint8Array,
  id: string,
  occurredAt = '2026-11-20T12:45:41.528Z',
): AuditEvent {
  return new NamedEvent(READER, bytes, { id, occurredAt, occurredAtMs: Date.parse(occurredAt) })
}
