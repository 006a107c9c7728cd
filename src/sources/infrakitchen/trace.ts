import { RemoteError } from '../../core/errors.ts'
import type { AuditEvent, JsonObject } from '../../core/event.ts'
import { compileFilter, type EventFilter } from '../../core/filter.ts'
import type { AuditSource, Page, Trail, TrailLine } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import type { Api } from './api.ts'
import { RefusedFilterError } from './backend.ts'
import { entityIdOf, isUuid, textOf } from './read-record.ts'
import type { Times } from './times.ts'

/** What the user interface asks for at once. */
const FIRST_LINES = 600
const MOST_LINES = 65_536
const MOST_EVENTS = 10_000

/**
 * An audit entry and what its action printed, or all of a workflow's. Up to 0.3.1 a line's `trace_id` is the entry's id; later
 * `audit_log_id` is, and `trace_id` holds the workflow around it. Which release it is shows by what it refuses.
 */
export async function traceTrail(
  api: Api,
  times: Times,
  id: string,
  signal: AbortSignal,
): Promise<Trail | undefined> {
  if (!isUuid(id)) return undefined
  const trace = id.toLowerCase()
  const warnings: string[] = []
  const entries = await eventsOf(api, [trace], signal)
  let found: readonly JsonObject[] = []
  if (entries.length > 0)
    found = (await linesBy(api, ['audit_log_id', 'trace_id__in', 'trace_id__like'], trace, signal)) ?? []
  else {
    found = (await linesBy(api, ['trace_id__in', 'trace_id__like'], trace, signal)) ?? []
    const ids = [...new Set(found.map(eventIdOf))].filter(
      (eventId) => eventId !== undefined && eventId !== trace,
    )
    entries.push(...(await eventsOf(api, ids as string[], signal)))
  }
  if (entries.length === 0) warnings.push(`there is no audit entry ${trace}, and no workflow of that id`)
  const lines = found.map((line) => lineOf(line, times, trace, entries))
  return {
    events: (async function* (): AsyncGenerator<Page> {
      if (entries.length > 0) yield entries
    })(),
    lines: () => lines,
    summary: () => undefined,
    warnings: () => warnings,
  }
}

/** The entries of the window in which the field has that value: the server is asked for those alone. */
export async function filteredTrail(
  source: AuditSource,
  field: 'entity' | 'actor' | 'request-id',
  id: string,
  asked: { readonly window: TimeRange; readonly filter: EventFilter; readonly signal: AbortSignal },
): Promise<Trail> {
  const { window, signal } = asked
  const filter = { ...asked.filter, fields: { ...asked.filter.fields, [field]: id } }
  const isOf = compileFilter(filter, source.shape.filters, source.name)
  const opened = await source.open(window, filter, { order: 'asc', concurrency: 1, signal })
  async function* events(): AsyncGenerator<Page> {
    try {
      for await (const slice of opened.slices())
        for await (const page of opened.read(slice, signal)) yield page.filter(isOf)
    } finally {
      await opened.close()
    }
  }
  return { events: events(), lines: () => [], summary: () => undefined, warnings: () => opened.warnings() }
}

/** By the list, never by the single entry's address: an unknown id is a 500 there. */
async function eventsOf(api: Api, ids: readonly string[], signal: AbortSignal): Promise<AuditEvent[]> {
  const known = ids.filter(isUuid)
  if (known.length === 0) return []
  const filter = { id: known.length === 1 ? known[0] : known }
  const { events } = await api.page({
    filter,
    sort: ['created_at', 'ASC'],
    start: 0,
    end: MOST_EVENTS,
    signal,
  })
  return [...events]
}

/** By the first of the columns that the release knows; undefined when it knows none, or fails on all. */
async function linesBy(
  api: Api,
  columns: readonly string[],
  id: string,
  signal: AbortSignal,
): Promise<readonly JsonObject[] | undefined> {
  for (const column of columns) {
    const filter = { [column]: column.endsWith('__in') ? [id] : id }
    try {
      for (let end = FIRST_LINES; ; end *= 2) {
        // One answer from its start: lines share instants, and pages of them would repeat some and lose others.
        const lines = await api.logs(filter, [0, end], signal)
        if (lines.length < end || end >= MOST_LINES) return lines
      }
    } catch (error) {
      if (
        !(error instanceof RefusedFilterError) &&
        !(error instanceof RemoteError && error.code === 'internal')
      )
        throw error
      api.log.debug(`the execution log cannot be asked by ${column}: ${error.message}`)
    }
  }
  return undefined
}

function eventIdOf(line: JsonObject): string | undefined {
  return textOf(line, 'audit_log_id', 'auditLogId')
}

function lineOf(line: JsonObject, times: Times, trace: string, entries: readonly AuditEvent[]): TrailLine {
  const time = textOf(line, 'created_at', 'createdAt')
  const own = entries.find((entry) => entityIdOf(entry.record()) === entityIdOf(line))
  const eventId = eventIdOf(line) ?? entries.find((entry) => entry.id === trace)?.id ?? own?.id
  return {
    eventId,
    ...(time === undefined ? { occurredAt: '', occurredAtMs: 0 } : times.read(time)),
    level: textOf(line, 'level') ?? 'info',
    text: textOf(line, 'data') ?? '',
    record: line,
  }
}
