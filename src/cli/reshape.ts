import { UserError } from '../core/errors.ts'
import { type AuditEvent, NamedEvent } from '../core/event.ts'
import type { AuditSource } from '../core/source.ts'
import { type Invocation, textOption } from './invocation.ts'

export type ShapeName = 'native' | 'stream' | 'common'

export function shapeFlag(invocation: Invocation): ShapeName {
  return (textOption(invocation, 'shape') as ShapeName | undefined) ?? 'native'
}

/** Columns of the common shape, in their fixed order. */
export const COMMON_COLUMNS = [
  'time',
  'id',
  'source',
  'actor.type',
  'actor.id',
  'actor.name',
  'actor.email',
  'action',
  'target.type',
  'target.id',
  'target.name',
  'outcome',
  'ip',
  'userAgent',
  'requestId',
  'organization',
  'project',
] as const

/** The event in the asked shape: native as it came, as the product would have streamed it, or the common one. */
export function reshape(source: AuditSource, shape: ShapeName): (event: AuditEvent) => AuditEvent {
  if (shape === 'native') return (event) => event
  return (event) => {
    const bytes =
      shape === 'stream'
        ? source.shape.asStreamed(event, source.streamedSettings).bytes
        : Buffer.from(JSON.stringify(source.shape.toCommon(event.record())))
    return new NamedEvent(source.shape.reader, bytes, {
      id: event.id,
      occurredAt: event.occurredAt,
      occurredAtMs: event.occurredAtMs,
    })
  }
}

/** What CSV and tables show for a shape. @throws UserError where the shape has no fixed columns and none were asked for */
export function columnsFor(
  source: AuditSource,
  shape: ShapeName,
  fields: readonly string[] | undefined,
): readonly string[] {
  if (fields !== undefined) return fields
  if (shape === 'common') return COMMON_COLUMNS
  if (shape === 'native') return source.shape.columns
  if (source.shape.streamColumns !== undefined) return source.shape.streamColumns
  throw new UserError(`--shape stream has no fixed columns for ${source.shape.type}`, {
    hint: 'name them with --fields, for example --fields createdAt,eventType,actor',
  })
}

/** `--fields a,b.c`. @throws UserError for an empty list */
export function fieldsFlag(invocation: Invocation): readonly string[] | undefined {
  const text = textOption(invocation, 'fields')
  if (text === undefined) return undefined
  const fields = text
    .split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '')
  if (fields.length === 0)
    throw new UserError('--fields names no field', { hint: 'write it like --fields createdAt,event.type' })
  return fields
}
