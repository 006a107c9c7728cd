import type { AuditEvent } from '../core/event.ts'
import { valueAt } from '../core/filter.ts'

export type Sorted = {
  readonly events: readonly AuditEvent[]
  /** Whether any event has the field: otherwise they are in the order they came in. */
  readonly hasField: boolean
}

/**
 * Rows ordered by a field of the shape in which they are shown, or of the native event: numbers as numbers, everything else as text, absent
 * values last. `actor` and `target` are who and what, as the table's columns of those names are.
 */
export function sortEvents(
  events: readonly AuditEvent[],
  field: string,
  order: 'asc' | 'desc',
  toShape: (event: AuditEvent) => AuditEvent,
): Sorted {
  const path = field.split('.')
  const keyed = events.map((event) => ({ event, key: keyOf(event, path, toShape) }))
  const sign = order === 'desc' ? -1 : 1
  keyed.sort((a, b) => {
    if (a.key === undefined) return b.key === undefined ? 0 : 1
    if (b.key === undefined) return -1
    if (typeof a.key === 'number' && typeof b.key === 'number') return sign * (a.key - b.key)
    const [left, right] = [String(a.key), String(b.key)]
    return left < right ? -sign : left > right ? sign : 0
  })
  return {
    events: keyed.map(({ event }) => event),
    hasField: events.length === 0 || keyed.some(({ key }) => key !== undefined),
  }
}

function keyOf(
  event: AuditEvent,
  path: readonly string[],
  toShape: (event: AuditEvent) => AuditEvent,
): string | number | undefined {
  const value = valueAt(toShape(event).record(), path) ?? valueAt(event.record(), path)
  if (path[0] === 'actor' && path.length === 1 && typeof value !== 'string') return event.actor
  if (path[0] === 'target' && path.length === 1 && typeof value !== 'string') return event.target
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)
}
