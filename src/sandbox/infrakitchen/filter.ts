import type { Release } from './release.ts'
import type { Row, User } from './rows.ts'

/** What the application says, with the status it says it with. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export type Columns<Item> = Readonly<Record<string, (item: Item) => unknown>>

export const AUDIT_COLUMNS: Columns<Row> = {
  id: (row) => row.id,
  model: (row) => row.model,
  user_id: (row) => row.user.id,
  action: (row) => row.action,
  entity_id: (row) => row.entityId,
  created_at: (row) => row.timeUs,
  revision_number: (row) => row.revision,
}
const CREATOR = ['id', 'email', 'identifier', 'display_name', 'provider', 'deactivated'] as const
export const UUID_COLUMNS: ReadonlySet<string> = new Set(['id', 'user_id', 'entity_id', 'audit_log_id'])
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * The conjunction of conditions that a filter object means.
 * @throws ApiError 400 for unknown names, 500 for what the database would refuse
 */
export function compileFilter<Item>(
  filter: Readonly<Record<string, unknown>>,
  columns: Columns<Item>,
  release: Release,
  creatorOf?: (item: Item) => User | undefined,
): (item: Item) => boolean {
  const tests = Object.entries(filter).map(([key, value]) => {
    const [column = '', second, third] = key.split('__')
    const get = columns[column]
    const isHidden = column === 'revision_number' && !release.hasRevision
    if (get !== undefined && !isHidden) {
      const operator = second ?? 'eq'
      if (!release.operators.includes(operator)) {
        throw release.hasRelations && !['like', 'in', 'eq', 'not_like', 'is_none'].includes(operator)
          ? new ApiError(400, `Field ${column} is not a relationship`)
          : new ApiError(400, `Unsupported operator: ${operator} in filter`)
      }
      if (column === 'created_at' && operator !== 'is_none') throw new ApiError(500, 'Internal server error')
      checkIds(column, value, operator, release)
      return test(get, operator, value)
    }
    if (column === 'creator' && creatorOf !== undefined && second !== undefined && release.hasRelations) {
      const operator = third ?? 'eq'
      if (!['eq', 'in', 'like'].includes(operator))
        throw new ApiError(400, `Unsupported operator: ${operator} in filter`)
      const name = CREATOR.find((known) => known === second)
      if (name !== undefined) return test((item: Item) => creatorOf(item)?.[name], operator, value)
    }
    throw new ApiError(400, `Invalid field name: ${key} in filter`)
  })
  return (item) => tests.every((matches) => matches(item))
}

function checkIds(column: string, value: unknown, operator: string, release: Release): void {
  const values = Array.isArray(value) ? value : [value]
  if (UUID_COLUMNS.has(column) && operator !== 'like' && values.some((one) => !UUID.test(String(one)))) {
    throw new ApiError(500, 'Internal server error')
  }
  // The text of an id becomes an id, and the column is text.
  const isIdForText =
    column === 'trace_id' && operator === 'eq' && !Array.isArray(value) && UUID.test(String(value))
  if (isIdForText && release.logKey === 'trace_id') throw new ApiError(500, 'Internal server error')
}

function test<Item>(get: (item: Item) => unknown, operator: string, value: unknown): (item: Item) => boolean {
  if (operator === 'is_none') return (item) => get(item) === null || get(item) === undefined
  if (operator === 'like' || operator === 'not_like') {
    const source = String(value)
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.')
    const pattern = new RegExp(source, 'is')
    return (item) => pattern.test(String(get(item) ?? '')) === (operator === 'like')
  }
  if (Array.isArray(value)) return (item) => value.includes(get(item))
  const plain = value !== null && typeof value === 'object' && 'id' in value ? value.id : value
  return (item) => get(item) === plain
}
