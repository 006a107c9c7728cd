import type { JsonObject } from '../../core/event.ts'
import { valueAt } from '../../core/filter.ts'
import { instantOfText } from '../../core/instant.ts'
import type { EpochMs } from '../../core/time-range.ts'

/** A row of the search API, read as far as it is needed. */
export type FoundRow = {
  readonly id: string
  /** The event's own time; NaN where the row does not tell it. */
  readonly atMs: EpochMs
  /** Datadog's official time: the event's own, or that of its arrival. */
  readonly datedMs: EpochMs
}

const ID_PATHS: readonly (readonly string[])[] = [['id'], ['audit', 'id']]
const TIME_PATHS: readonly (readonly string[])[] = [
  ['audit', 'occurred_at_ms'],
  ['createdAt'],
  ['occurred_at'],
  ['created_at'],
  ['audit', 'createdAt'],
]

/** Reads `data[]` of a search; rows without an id (Infisical's pings, other logs of the same source) give undefined. */
export function rowReader(idField: string | undefined): (row: JsonObject) => FoundRow | undefined {
  const idPaths = idField === undefined ? ID_PATHS : [idField.replace(/^@/, '').split('.')]
  return (row) => {
    const outer = row['attributes'] as JsonObject | undefined
    const own = outer?.['attributes']
    for (const path of idPaths) {
      const id = valueAt(own, path)
      if (typeof id !== 'string' && typeof id !== 'number') continue
      return { id: String(id), atMs: ownTime(own), datedMs: timeOf(outer?.['timestamp']) }
    }
    return undefined
  }
}

function ownTime(attributes: unknown): EpochMs {
  for (const path of TIME_PATHS) {
    const at = timeOf(valueAt(attributes, path))
    if (!Number.isNaN(at)) return at
  }
  return Number.NaN
}

function timeOf(value: unknown): EpochMs {
  if (typeof value === 'number') return value
  // A time without a zone may be meant in any: better none than a wrong one.
  if (typeof value !== 'string' || !/(?:Z|[+-]\d\d:?\d\d)$/.test(value)) return Number.NaN
  try {
    return instantOfText(value)
  } catch {
    return Number.NaN
  }
}
