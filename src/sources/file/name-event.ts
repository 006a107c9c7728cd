import { type AuditEvent, type JsonObject, NamedEvent, SpanEvent } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import type { EventShape } from '../../core/source.ts'
import { ROW } from './rows.ts'

const utf8 = new TextDecoder('utf-8')

/** The event in `bytes` whose row begins at `rows[at]`; rows are relative to `base`. */
export function eventOfRow(
  shape: EventShape,
  bytes: Uint8Array,
  rows: Int32Array,
  at: number,
  base: number,
): AuditEvent {
  const idStart = rows[at + 2] as number
  const start = base + (rows[at] as number)
  const end = base + (rows[at + 1] as number)
  if (idStart >= 0) {
    return new SpanEvent(shape.reader, bytes, {
      start,
      end,
      idStart: base + idStart,
      idEnd: base + (rows[at + 3] as number),
      timeStart: base + (rows[at + 4] as number),
      timeEnd: base + (rows[at + ROW - 1] as number),
    })
  }
  const own = bytes.slice(start, end)
  const record = JSON.parse(utf8.decode(own)) as JsonObject
  const named = nameOf(record, shape)
  if (typeof named === 'string') throw new RangeError(named)
  return new NamedEvent(shape.reader, own, { ...named, record })
}

/** What the record says its id and time are, or in words why it is no event of this shape. */
export function nameOf(
  record: unknown,
  shape: EventShape,
): { readonly id: string; readonly occurredAt: string; readonly occurredAtMs: number } | string {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return 'it is not a JSON object'
  const fields = record as JsonObject
  const named = shape.name?.(fields)
  if (named !== undefined) return named
  const [id, time] = [fields[shape.idKey], fields[shape.timeKey]]
  const isId = (typeof id === 'string' && id !== '') || Number.isSafeInteger(id)
  if (!isId) return `it has no ${shape.idKey}`
  if (typeof time !== 'string') return `it has no ${shape.timeKey}`
  try {
    return { id: String(id), occurredAt: time, occurredAtMs: instantOfText(time) }
  } catch {
    return `its ${shape.timeKey} is not a time`
  }
}
