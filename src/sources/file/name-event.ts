import {
  type AuditEvent,
  type JsonObject,
  NamedEvent,
  SPAN_FIELDS,
  SpanEvent,
  type SpanPage,
} from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import type { EventShape } from '../../core/source.ts'

const utf8 = new TextDecoder('utf-8')

/** Event `n` of the page. */
export function eventOfRow(shape: EventShape, page: SpanPage, n: number): AuditEvent {
  const { buffer, rows, base } = page
  const row = n * SPAN_FIELDS
  if ((rows[row + 2] as number) >= 0) return new SpanEvent(page, n)
  const own = buffer.slice(base + (rows[row] as number), base + (rows[row + 1] as number))
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
