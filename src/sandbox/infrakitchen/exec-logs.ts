import type { JsonObject } from '../../core/event.ts'
import { type Columns, compileFilter } from './filter.ts'
import type { Release } from './release.ts'
import { KINDS, LOGGED_ACTIONS, numberedId, numberOf, type Row, timeText } from './rows.ts'
import type { Store } from './store.ts'

const COLUMNS = [
  'id',
  'entity_id',
  'entity',
  'revision',
  'audit_log_id',
  'level',
  'data',
  'created_at',
  'execution_start',
  'expire_at',
  'trace_id',
] as const

/** What an action printed: on demand, from the audit entry alone. */
function linesOf(row: Row, release: Release): JsonObject[] {
  if (!LOGGED_ACTIONS.has(row.action)) return []
  const startUs = row.timeUs + 250_000
  const texts: readonly (readonly [level: string, data: string])[] = [
    ['header', `User: ${row.user.identifier} Action: ${row.action}`],
    ['info', '\u001b[32mInitialising\u001b[0m the workspace'],
    ['info', `Plan: ${1 + (row.revision ?? 0)} to add, 0 to change`],
    ['warn', 'a value is deprecated'],
    ['info', '\u001b[1mDone\u001b[0m'],
  ]
  const isNew = release.logKey === 'audit_log_id'
  return texts.map(([level, data], number) => ({
    id: numberedId(0x1096 + number, Number.parseInt(row.id.slice(24), 16)),
    entity_id: row.entityId,
    entity: row.model,
    revision: row.revision ?? 1,
    ...(isNew ? { audit_log_id: row.id } : {}),
    level,
    data,
    // Lines have carried a zone in every release; two of them share their instant.
    created_at: timeText(
      startUs + Math.floor(number / 2) * 1000,
      { ...release, zone: release.zone || 'Z' },
      undefined,
    ),
    execution_start: Math.floor(startUs / 1_000_000),
    expire_at: null,
    trace_id: isNew ? row.workflow : row.id,
  }))
}

/** Log lines that match, oldest first. @throws ApiError as the server would */
export function selectLines(
  store: Store,
  filter: Readonly<Record<string, unknown>>,
  range: readonly [number, number],
  release: Release,
): { readonly lines: readonly JsonObject[]; readonly total: number } {
  const names = COLUMNS.filter((name) => release.logKey === 'audit_log_id' || name !== 'audit_log_id')
  const columns: Columns<JsonObject> = Object.fromEntries(
    names.map((name) => [name, (line: JsonObject) => line[name]]),
  )
  const matches = compileFilter(filter, columns, release)
  const lines = candidates(store, filter)
    .flatMap((row) => linesOf(row, release))
    .filter(matches)
  return { lines: lines.slice(range[0], range[1]), total: lines.length }
}

/** The entries whose lines can match: those that an id in the filter names, or the first few thousand. */
function candidates(store: Store, filter: Readonly<Record<string, unknown>>): Row[] {
  const ids = ['trace_id', 'trace_id__in', 'trace_id__like', 'audit_log_id', 'audit_log_id__in']
    .flatMap((key) => filter[key] ?? [])
    .map(String)
  const found: Row[] = []
  for (const id of ids) {
    const entry = store.find(id)
    if (entry !== undefined) found.push(entry)
    const workflow = numberOf(KINDS.workflow, id)
    for (let number = 0; workflow !== undefined && number < 20; number += 1) {
      const member = store.find(numberedId(KINDS.audit, workflow * 20 + number))
      if (member?.workflow === id) found.push(member)
    }
  }
  if (ids.length > 0) return found
  for (const row of store.rows()) {
    found.push(row)
    if (found.length === 5000) break
  }
  return found
}
