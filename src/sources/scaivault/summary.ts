import { AuthError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { Log } from '../../core/runtime.ts'
import type { SourceSummary, SummaryBy } from '../../core/source.ts'
import { isoRange, type TimeRange } from '../../core/time-range.ts'
import { refusal } from './pages.ts'
import { problemOf, SERVICE, saying } from './problem.ts'
import { firstAt } from './read-record.ts'
import type { Session } from './session.ts'

const OPERATION = 'read the summary'

/** Where the counts of a grouping may stand, and what names the group in a list of them. */
const PLACES: Readonly<Partial<Record<SummaryBy, readonly string[]>>> = {
  action: ['by_action', 'actions', 'events_by_action'],
  'actor-type': ['by_identity_type', 'identity_types', 'by_actor_type'],
}

/**
 * The server's counts of a window; undefined where it has none for the grouping, or they do not add up (lists of the busiest only), so
 * that they are counted from the log instead.
 */
export async function readSummary(
  parts: { readonly session: Session; readonly log: Log },
  window: TimeRange,
  by: SummaryBy,
  signal: AbortSignal,
): Promise<SourceSummary | undefined> {
  if (PLACES[by] === undefined && by !== 'outcome') return undefined
  const query = isoRange(window)
  const reply = await parts.session.send({
    method: 'GET',
    path: '/v1/audit/summary',
    query,
    operation: OPERATION,
    signal,
  })
  if (reply.status !== 200) {
    const error = refusal(reply, OPERATION)
    if (error instanceof AuthError) throw error
    parts.log.debug(
      `${SERVICE} has no summary ${saying(reply, problemOf(reply))}; it is counted from the log`,
    )
    return undefined
  }
  const body = reply.json()
  if (body === null || typeof body !== 'object') return undefined
  const data = firstAt(body, 'data', 'summary')
  const record = (data !== undefined && typeof data === 'object' ? data : body) as JsonObject
  const total = countOf(record['total_events'] ?? record['total'])
  if (total === undefined) return undefined
  const groups =
    by === 'outcome' ? outcomes(record, total) : groupsIn(firstAt(record, ...(PLACES[by] ?? [])), by)
  const sum = groups?.reduce((all, { count }) => all + count, 0)
  if (groups === undefined || sum !== total) {
    parts.log.debug(`${SERVICE}'s summary does not add up by ${by}; it is counted from the log`)
    return undefined
  }
  return { total, groups, record }
}

function outcomes(record: JsonObject, total: number): SourceSummary['groups'] | undefined {
  const success = countOf(record['successful_events'])
  if (success === undefined) return undefined
  const failure = countOf(record['failed_events']) ?? total - success
  return [
    { key: 'success', count: success },
    { key: 'failure', count: failure },
  ].filter(({ count }) => count > 0)
}

/** A map from name to count, or a list of objects that hold both. */
function groupsIn(found: unknown, by: SummaryBy): SourceSummary['groups'] | undefined {
  if (found === null || typeof found !== 'object') return undefined
  const names = by === 'action' ? ['action', 'name', 'key'] : ['identity_type', 'type', 'name', 'key']
  const pairs = Array.isArray(found)
    ? found.map(
        (item: unknown) =>
          [String(firstAt(item, ...names) ?? ''), firstAt(item, 'count', 'events', 'total')] as const,
      )
    : Object.entries(found)
  const groups = pairs.flatMap(([key, value]) => {
    const count = countOf(value)
    return count === undefined || key === '' ? [] : [{ key, count }]
  })
  return groups.length === pairs.length ? groups : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
