import { AuthError, RemoteError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { Log } from '../../core/runtime.ts'
import type { SourceSummary, SummaryBy } from '../../core/source.ts'
import { isoRange, type TimeRange } from '../../core/time-range.ts'
import { refusal } from './pages.ts'
import { SERVICE } from './problem.ts'
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
  const body = await answerOf(parts, isoRange(window), signal)
  if (body === undefined || body === null || typeof body !== 'object') return undefined
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

/** The summary's body; undefined where it cannot be had: the log itself tells the same. @throws AuthError */
async function answerOf(
  { session, log }: { readonly session: Session; readonly log: Log },
  query: ReturnType<typeof isoRange>,
  signal: AbortSignal,
): Promise<unknown> {
  const path = '/v1/audit/summary'
  try {
    const reply = await session.send({ method: 'GET', path, query, operation: OPERATION, signal })
    if (reply.status === 200) return reply.json()
    throw refusal(reply, OPERATION)
  } catch (error) {
    if (!(error instanceof RemoteError) || error instanceof AuthError) throw error
    log.debug(`${error.message}; it is counted from the log`)
    return undefined
  }
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
