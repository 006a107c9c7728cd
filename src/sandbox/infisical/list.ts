import { DAY_MS, isoTime } from '../../core/time-range.ts'
import type { Exchange } from '../listen.ts'
import type { Identity } from './credentials.ts'
import { EVENT_TYPES } from './event-types.ts'
import { filterOf } from './filter.ts'
import { interfere, spoil } from './mischief.ts'
import { type ListQuery, parseQuery } from './query.ts'
import { eventClassOf } from './recorded-set.ts'
import { judgeQuery } from './rules.ts'
import type { Selection } from './store.ts'
import { ORG_ID, PROJECTS } from './templates.ts'
import { pageTag, type World } from './world.ts'

/** GET /api/v1/organization/audit-logs, for a caller whose token holds. */
export async function listAuditLogs(
  world: World,
  exchange: Exchange,
  caller: Identity,
  headers: Record<string, string>,
): Promise<void> {
  const { reply, options, store } = world
  judgeQuery(world, exchange)
  const query = parseQuery(exchange.query, options.generation, EVENT_TYPES)
  if ('issues' in query) return reply.error(exchange, 422, 'ValidationFailure', query.issues, { headers })
  if (!permit(world, exchange, caller, query, headers)) return
  const filter = filterOf(query, {
    generation: options.generation,
    clickhouse: world.has('clickhouse'),
    classOf: eventClassOf,
  })
  if ('refusal' in filter) return reply.error(exchange, 400, 'BadRequest', filter.refusal, { headers })
  if (query.limit < 0 || query.offset < 0) {
    return reply.error(exchange, 500, 'DatabaseError', 'Something went wrong', { headers })
  }
  const bounds = boundsOf(query, options.generation, options.now())
  if (await interfere(world, exchange, bounds, headers)) return
  const nothing = filter.empty || world.mode('storage-disabled', 1) !== undefined
  const offset = world.mode('loop', 1) === undefined ? query.offset : 0
  const rows = nothing
    ? { refs: [], timesUs: [] }
    : store.rows({ ...bounds, test: filter.test, variable: filter.variable }, offset, query.limit)
  const page = spoil(world, exchange, store.bytesOf(rows), headers)
  // Small pages and recorded ones carry the hash of their bytes, as the real ones do.
  const tag = rows.refs.length > 200 && options.events !== undefined ? pageTag(rows.refs) : undefined
  if (page !== undefined) reply.bytes(exchange, page, headers, tag)
  if (options.generation === '2026' && query.offset === 0) leaveTrace(world, exchange, caller, query)
}

function boundsOf(
  { startUs, endUs }: ListQuery,
  generation: '2025' | '2026',
  now: number,
): Pick<Selection, 'fromUs' | 'toUs'> {
  const today = new Date(now)
  const yesterday = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - 1)
  const fromUs = startUs ?? yesterday * 1000
  if (generation === '2026') return { fromUs, toUs: endUs ?? now * 1000 }
  // Inclusive: the first microsecond outside is the next one.
  return { fromUs, toUs: endUs === undefined ? Number.POSITIVE_INFINITY : endUs + 1 }
}

/** Sends the refusal when the caller may not read what it asks for. */
function permit(
  world: World,
  exchange: Exchange,
  caller: Identity,
  { text }: ListQuery,
  headers: Record<string, string>,
): boolean {
  const projectId = text.get('projectId')
  const project = PROJECTS.findIndex(([id]) => id === projectId)
  if (projectId !== undefined && (project < 0 || (caller.role === 'project-only' && project > 0))) {
    const error = `Identity is not a member of the specified project with ID '${projectId}'`
    world.reply.error(exchange, 403, error, 'You are not allowed to access this resource', { headers })
    return false
  }
  const forbidden = world.options.faults.take('infisical', 'forbidden', world.request) !== undefined
  const allowed = caller.role === 'reader' || (caller.role === 'project-only' && projectId !== undefined)
  if (allowed && !forbidden) return true
  world.reply.error(exchange, 403, 'PermissionDenied', 'You are not allowed to read on audit-logs', {
    headers,
    details: [],
  })
  return false
}

/** Newer servers note that the log was read, where the reader will read next. */
function leaveTrace(world: World, exchange: Exchange, caller: Identity, { text }: ListQuery): void {
  const now = world.options.now()
  const createdAt = isoTime(now)
  const event = {
    id: world.nextId(),
    ipAddress: '127.0.0.1',
    userAgent: exchange.headers['user-agent']?.slice(0, 255) ?? '',
    userAgentType: 'other',
    expiresAt: world.has('clickhouse') ? null : isoTime(now + 30 * DAY_MS),
    createdAt,
    updatedAt: createdAt,
    orgId: ORG_ID,
    projectId: text.get('projectId') ?? null,
    projectName: null,
    event: { type: 'view-audit-logs', metadata: {} },
    actor: { type: 'identity', metadata: { name: caller.role, identityId: caller.identityId } },
  }
  world.addEvent(JSON.stringify(event), now * 1000 + 500, true)
}
