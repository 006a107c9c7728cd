import { UserError } from '../core/errors.ts'
import { type AuditEvent, compareEvents, type JsonObject } from '../core/event.ts'
import { compileFilter, type EventFilter, type FilterName } from '../core/filter.ts'
import type { AuditSource, EventShape, TrailKind, TrailLine } from '../core/source.ts'
import { isInside, type TimeRange } from '../core/time-range.ts'
import { readSlices } from './read-slices.ts'

export type TrailQuestion = {
  readonly kind: TrailKind
  readonly id: string
  readonly window: TimeRange
  readonly filter: EventFilter
}
export type TrailParts = {
  readonly source: AuditSource
  readonly signal: AbortSignal
  readonly concurrency: number
}

export type TrailResult = {
  /** Oldest first, each once. */
  readonly events: readonly AuditEvent[]
  readonly lines: readonly TrailLine[]
  readonly summary: JsonObject | undefined
  readonly warnings: readonly string[]
  /** Whether the server gave the trail, or it was computed from events. */
  readonly from: 'server' | 'events'
}

/**
 * Everything that happened to a secret, an identity, an entity, or in a request: from the server where it offers that, otherwise from the
 * window's events, with the same result.
 * @throws UserError when the source can tell neither
 */
export async function followTrail(parts: TrailParts, question: TrailQuestion): Promise<TrailResult> {
  const { source, signal } = parts
  const trail = await source.trail?.(question.kind, question.id, {
    window: question.window,
    filter: question.filter,
    signal,
  })
  if (trail === undefined) return trailFromEvents(parts, question)
  const matches = compileFilter(question.filter, source.shape.filters, source.name)
  const events = new Map<string, AuditEvent>()
  const outside: AuditEvent[] = []
  for await (const page of trail.events) {
    for (const event of page) {
      if (!isInside(event.occurredAtMs, question.window)) outside.push(event)
      else if (matches(event)) events.set(event.id, event)
    }
  }
  return {
    events: [...events.values()].sort(compareEvents),
    lines: trail.lines(),
    summary: trail.summary(),
    warnings: [...trail.warnings(), ...(question.kind === 'trace' ? beyond(outside) : [])],
    from: 'server',
  }
}

/** A trace is asked for by id, at whatever time it was: what the window hides of it must be said. */
function beyond(outside: readonly AuditEvent[]): string[] {
  const [first] = [...outside].sort(compareEvents)
  if (first === undefined) return []
  const what = outside.length === 1 ? 'an entry of it lies' : `${outside.length} entries of it lie`
  return [`${what} outside the window, the first at ${first.occurredAt}: --from and --to widen it`]
}

async function trailFromEvents(
  parts: TrailParts,
  { kind, id, window, filter }: TrailQuestion,
): Promise<TrailResult> {
  const isOf = testFor(parts.source, kind, id)
  const events: AuditEvent[] = []
  const warnings: string[] = []
  const slices = readSlices(parts.source, window, filter, {
    ...parts,
    order: 'asc',
    onWarnings: (given) => warnings.push(...given),
  })
  for await (const slice of slices)
    for (const event of slice.events) if (isOf(event.record())) events.push(event)
  return { events, lines: [], summary: undefined, warnings, from: 'events' }
}

const NEEDS: Readonly<Record<TrailKind, readonly FilterName[]>> = {
  secret: ['path', 'key', 'entity'],
  identity: ['actor', 'entity'],
  entity: ['entity'],
  request: ['request-id'],
  trace: [],
}

function testFor(source: AuditSource, kind: TrailKind, id: string): (record: JsonObject) => boolean {
  const { filters } = source.shape
  const usable = NEEDS[kind].filter((name) => filters[name] !== undefined)
  if (usable.length === 0) {
    const kinds = (Object.keys(NEEDS) as TrailKind[]).filter((other) =>
      NEEDS[other].some((name) => filters[name] !== undefined),
    )
    throw new UserError(`the source ${source.name} has no trail of a ${kind}`, {
      code: 'no-trail',
      hint: `it has trails of: ${kinds.join(', ') || 'nothing'}`,
    })
  }
  if (kind === 'secret') return secretTest(source.shape, id)
  return (record) => usable.some((name) => filters[name]?.(record, id) === true)
}

/** `/payments/DB_URL` is a folder, or the key DB_URL in /payments. */
function secretTest({ filters }: EventShape, path: string): (record: JsonObject) => boolean {
  const cut = path.lastIndexOf('/')
  const [folder, key] = [cut <= 0 ? '/' : path.slice(0, cut), path.slice(cut + 1)]
  return (record) => {
    if (filters.path?.(record, path) === true || filters.entity?.(record, path) === true) return true
    if (filters.key?.(record, key) !== true) return false
    if (cut < 0 || filters.path === undefined) return true
    // The filter takes folders below as well; a secret lies in just one, which its event spells out.
    return filters.path(record, folder) && tells(record, folder)
  }
}

/** Whether some text in it is that folder. */
function tells(value: unknown, folder: string): boolean {
  if (typeof value === 'string') return value === folder || value === `${folder}/`
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some((member) => tells(member, folder))
}
