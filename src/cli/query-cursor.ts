import { UserError } from '../core/errors.ts'
import type { EventFilter } from '../core/filter.ts'
import type { Order } from '../core/source.ts'
import type { TimeRange } from '../core/time-range.ts'
import type { QueryPosition } from '../operations/query.ts'

/** Everything a query needs to go on: it survives process and machine. */
export type QueryCursor = {
  readonly source: string
  readonly window: TimeRange
  readonly order: Order
  readonly filter: EventFilter
  readonly after: QueryPosition
  readonly limit: number | undefined
}

/** Opaque to users; base64url of versioned JSON. Holds no secret. */
export function encodeCursor(cursor: QueryCursor): string {
  return Buffer.from(JSON.stringify({ v: 1, ...cursor })).toString('base64url')
}

/** @throws UserError for what is not a cursor of ours */
export function decodeCursor(text: string): QueryCursor {
  try {
    const parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as QueryCursor & { v: number }
    const { v, window, order, after, filter, source } = parsed
    const isWhole =
      typeof source === 'string' &&
      Number.isFinite(window.from) &&
      Number.isFinite(window.to) &&
      (order === 'asc' || order === 'desc')
    if (
      v !== 1 ||
      !isWhole ||
      !Number.isFinite(after.ms) ||
      typeof after.id !== 'string' ||
      !Array.isArray(filter.where)
    )
      throw new RangeError('not a cursor')
    return parsed
  } catch (cause) {
    throw new UserError('--cursor is not a cursor of auditctl query', {
      cause,
      hint: 'paste the whole text that the earlier query printed',
    })
  }
}
