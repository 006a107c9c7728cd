import type { JsonObject } from '../../core/event.ts'
import { DAY_MS } from '../../core/time-range.ts'

export type ColumnType = 'string' | 'int' | 'long' | 'real' | 'boolean' | 'dynamic' | 'datetime' | 'guid'
export type Columns = Readonly<Record<string, ColumnType>>

/** The twelve columns of a table made by Infisical's guide: no `createdAt`, so the true time of a re-dated row is lost. */
export const GUIDE_COLUMNS: Columns = {
  TimeGenerated: 'datetime',
  id: 'string',
  actor: 'string',
  actorMetadata: 'dynamic',
  ipAddress: 'string',
  userAgent: 'string',
  userAgentType: 'string',
  eventType: 'string',
  eventMetadata: 'dynamic',
  projectName: 'string',
  orgId: 'string',
  projectId: 'string',
}
export const EXTENDED_COLUMNS: Columns = {
  ...GUIDE_COLUMNS,
  createdAt: 'datetime',
  EventTime: 'datetime',
  EventId: 'string',
}

const RESERVED = new Set(['id', 'Type', 'TenantId', 'Title', 'UniqueId', '_ResourceId', '_SubscriptionId'])
const MAX_FIELD_BYTES = 65_536

/** One stored row. Times are kept as text with seven digits, so that they compare as text: Kusto counts in 100 ns ticks. */
export type AzureRow = {
  readonly cells: Readonly<Record<string, string | number | boolean | null>>
  readonly ingestedAt: number
  readonly visibleAt: number
}

export type TableSettings = {
  columns: Columns
  /** What becomes of reserved names such as `id` is not known; both are seen in the wild. */
  reservedNames: 'kept' | 'dropped'
  /** Rows whose `TimeGenerated` is out of range: re-dated as documented now, or dropped as documented once. */
  outOfRange: 'overwrite' | 'drop'
  visibleAfterMs: number
  /** The first data of a new table takes longer. */
  firstVisibleAfterMs: number
}

/** What was lost after a 204. */
export type Losses = {
  droppedRows: { id: string | undefined; reason: string }[]
  droppedColumns: Map<string, number>
  truncated: number
  overwritten: number
}

/** The row that the pipeline makes of a record, or undefined when it throws it away. */
export function ingest(
  record: unknown,
  settings: TableSettings,
  losses: Losses,
  receivedAt: number,
  isFirst: boolean,
): AzureRow | undefined {
  const drop = (reason: string, id?: unknown): undefined => {
    losses.droppedRows.push({ id: typeof id === 'string' ? id : undefined, reason })
  }
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return drop('not an object')
  const cells: Record<string, string | number | boolean | null> = {}
  const source = record as JsonObject
  for (const [name, value] of Object.entries(source)) {
    const type = settings.columns[name]
    if (type === undefined || (RESERVED.has(name) && settings.reservedNames === 'dropped')) {
      losses.droppedColumns.set(name, (losses.droppedColumns.get(name) ?? 0) + 1)
      continue
    }
    const cell = cellOf(value, type)
    if (cell === undefined) return drop(`wrong type in ${name}`, source['id'])
    cells[name] = typeof cell === 'string' ? cut(cell, losses) : cell
  }
  const generated = cells['TimeGenerated']
  const at = typeof generated === 'string' ? Date.parse(generated.replace(/(\.\d{3})\d+/, '$1')) : undefined
  if (at === undefined || at < receivedAt - 2 * DAY_MS || at > receivedAt + DAY_MS) {
    if (at !== undefined && settings.outOfRange === 'drop')
      return drop('TimeGenerated out of range', source['id'])
    if (at !== undefined) losses.overwritten += 1
    cells['TimeGenerated'] = ticks(new Date(receivedAt).toISOString()) ?? null
  }
  const delay = isFirst ? settings.firstVisibleAfterMs : settings.visibleAfterMs
  return { cells, ingestedAt: receivedAt, visibleAt: receivedAt + delay }
}

/** As a cell of that type; undefined when the value does not fit. */
export function cellOf(value: unknown, type: ColumnType): string | number | boolean | null | undefined {
  if (value === null) return null
  switch (type) {
    case 'dynamic':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'datetime':
      return typeof value === 'string' ? ticks(value) : undefined
    case 'int':
    case 'long':
    case 'real':
      return typeof value === 'number' ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    default:
      return typeof value === 'object' ? undefined : String(value)
  }
}

function cut(text: string, losses: Losses): string {
  if (Buffer.byteLength(text) <= MAX_FIELD_BYTES) return text
  losses.truncated += 1
  return Buffer.from(text).subarray(0, MAX_FIELD_BYTES).toString('utf8')
}

/** The instant as UTC text with seven fraction digits. */
export function ticks(text: string): string | undefined {
  const fraction = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?Z$/.exec(text)
  if (fraction !== null) return `${text.slice(0, 19)}.${(fraction[1] ?? '').slice(0, 7).padEnd(7, '0')}Z`
  const ms = Date.parse(/^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:\d\d$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(ms) ? undefined : ticks(new Date(ms).toISOString())
}

/** As the query API spells it: no zeros beyond the milliseconds. */
export function shownTime(text: string): string {
  return text.replace(/(\.\d{3}\d*?)0*Z$/, '$1Z')
}
