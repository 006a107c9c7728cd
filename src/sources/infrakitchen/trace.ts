import { RemoteError, UserError } from '../../core/errors.ts'
import type { AuditEvent, JsonObject } from '../../core/event.ts'
import type { Page, Trail, TrailLine } from '../../core/source.ts'
import type { Api } from './api.ts'
import { RefusedFilterError } from './backend.ts'
import { SERVICE } from './problem.ts'
import { entityIdOf, isUuid, textOf } from './read-record.ts'
import type { Times } from './times.ts'

/** What the user interface asks for at once. */
const FIRST_LINES = 600
const MOST_LINES = 65_536
/** Ids in one question: they stand in the address. */
const MOST_IDS = 100

/**
 * An audit entry and what its action printed, or all of a workflow's. Up to 0.3.1 a line's `trace_id` is the entry's id; later
 * `audit_log_id` is, and `trace_id` holds the workflow around it. Which release it is shows by what it refuses.
 */
export async function traceTrail(api: Api, times: Times, id: string, signal: AbortSignal): Promise<Trail> {
  if (!isUuid(id)) {
    throw new UserError(`${JSON.stringify(id)} is not the id of an entry or of a workflow`, {
      hint: 'a trace goes by the id of an audit entry, as auditctl query shows it, or of the workflow around it',
    })
  }
  const trace = id.toLowerCase()
  const warnings: string[] = []
  const entries = await eventsOf(api, [trace], signal)
  const columns = ['trace_id__in', 'trace_id__like']
  if (entries.length > 0) columns.unshift('audit_log_id')
  const { lines: found, failure } = await linesBy(api, columns, trace, signal)
  if (entries.length === 0) {
    const ids = [...new Set(found.map(eventIdOf))].filter(
      (eventId) => eventId !== undefined && eventId !== trace,
    )
    entries.push(...(await eventsOf(api, ids as string[], signal)))
  }
  if (entries.length === 0) warnings.push(`there is no audit entry ${trace}, and no workflow of that id`)
  else if (found.length === 0 && failure !== undefined)
    warnings.push(`whether there is an execution log is not known: ${failure}`)
  if (found.length >= MOST_LINES)
    warnings.push(
      `only the first ${found.length.toLocaleString('en-US')} lines of the execution log are shown`,
    )
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

/** The events of both; callers drop repeats. */
export function joined(first: Trail, second: Trail): Trail {
  async function* events(): AsyncGenerator<Page> {
    yield* first.events
    yield* second.events
  }
  return {
    events: events(),
    lines: () => [...first.lines(), ...second.lines()],
    summary: () => first.summary() ?? second.summary(),
    warnings: () => [...new Set([...first.warnings(), ...second.warnings()])],
  }
}

/** By the list, never by the single entry's address: an unknown id is a 500 there. */
async function eventsOf(api: Api, ids: readonly string[], signal: AbortSignal): Promise<AuditEvent[]> {
  const known = ids.filter(isUuid)
  const events: AuditEvent[] = []
  for (let from = 0; from < known.length; from += MOST_IDS) {
    const some = known.slice(from, from + MOST_IDS)
    const filter = { id: some.length === 1 ? some[0] : some }
    const page = { filter, sort: ['created_at', 'ASC'], start: 0, end: some.length, signal } as const
    events.push(...(await api.page(page)).events)
  }
  return events
}

/** By the first of the columns that the release knows; without lines where it knows none, and with its words where it failed over one. */
async function linesBy(
  api: Api,
  columns: readonly string[],
  id: string,
  signal: AbortSignal,
): Promise<{ readonly lines: readonly JsonObject[]; readonly failure: string | undefined }> {
  let failure: string | undefined
  for (const column of columns) {
    const filter = { [column]: column.endsWith('__in') ? [id] : id }
    try {
      for (let end = FIRST_LINES; ; end = Math.min(MOST_LINES, end * 2)) {
        // One answer from its start: lines share instants, and pages of them would repeat some and lose others.
        const lines = await api.logs(filter, [0, end], signal)
        if (lines.length < end || end >= MOST_LINES) return { lines, failure }
      }
    } catch (error) {
      if (error instanceof RemoteError && error.code === 'internal') failure = error.message
      else if (!(error instanceof RefusedFilterError)) throw error
      else if (error.hasFailed) failure = `${SERVICE} failed over ${column} ${error.message}`
      api.log.debug(`the execution log cannot be asked by ${column}: ${error.message}`)
    }
  }
  return { lines: [], failure }
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
