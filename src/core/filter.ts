import { UserError } from './errors.ts'
import type { AuditEvent, JsonObject } from './event.ts'

/** The filters of the contract, section 2.1, by flag name. */
export const FILTER_NAMES = [
  'event',
  'actor',
  'actor-type',
  'project',
  'environment',
  'path',
  'key',
  'entity',
  'model',
  'ip',
  'user-agent-type',
  'request-id',
  'outcome',
] as const
export type FilterName = (typeof FILTER_NAMES)[number]

export type WhereTerm = {
  readonly path: readonly string[]
  readonly operator: '=' | '!=' | '~' | '>' | '<' | '>=' | '<='
  readonly value: string
}

/** All that hold must hold. `event` is a list of which one must hold. */
export type EventFilter = {
  readonly fields: Readonly<Partial<Record<Exclude<FilterName, 'event'>, string>>>
  readonly events: readonly string[]
  readonly where: readonly WhereTerm[]
}

export const NO_FILTER: EventFilter = { fields: {}, events: [], where: [] }

export function isFiltered(filter: EventFilter): boolean {
  return filter.events.length > 0 || filter.where.length > 0 || Object.keys(filter.fields).length > 0
}

/** How a source answers each filter from the native record; a filter it does not list means nothing for it. */
export type FilterFields = Partial<Record<FilterName, (record: JsonObject, value: string) => boolean>>

/**
 * A test for an event: every filter is checked locally even when the server was asked to apply it, since servers ignore or widen some.
 * @throws UserError when a filter means nothing for the source, naming the ones that do
 */
export function compileFilter(
  filter: EventFilter,
  fields: FilterFields,
  sourceName: string,
): (event: AuditEvent) => boolean {
  const asked: FilterName[] = [...(Object.keys(filter.fields) as FilterName[])]
  if (filter.events.length > 0) asked.push('event')
  for (const name of asked) {
    if (fields[name] !== undefined) continue
    const usable = FILTER_NAMES.filter((candidate) => fields[candidate] !== undefined).map(
      (candidate) => `--${candidate}`,
    )
    throw new UserError(`--${name} means nothing for the source ${sourceName}`, {
      hint: `it understands ${usable.join(', ')} and --where`,
      code: 'unknown-filter',
    })
  }
  const tests: ((record: JsonObject) => boolean)[] = []
  if (filter.events.length > 0) {
    const test = fields.event
    tests.push((record) => filter.events.some((value) => test?.(record, value)))
  }
  for (const [name, value] of Object.entries(filter.fields)) {
    const test = fields[name as FilterName]
    if (test !== undefined && value !== undefined) tests.push((record) => test(record, value))
  }
  for (const term of filter.where) tests.push(whereTest(term))
  if (tests.length === 0) return () => true
  return (event) => {
    const record = event.record()
    return tests.every((test) => test(record))
  }
}

/** `a.b` in the record; a literal key with a dot in it wins over the path. An array is searched through its elements. */
export function valueAt(record: unknown, path: readonly string[]): unknown {
  let value: unknown = record
  for (let i = 0; i < path.length; i += 1) {
    if (value === null || typeof value !== 'object') return undefined
    const whole = path.slice(i).join('.')
    if (Object.hasOwn(value, whole)) return (value as JsonObject)[whole]
    if (Array.isArray(value) && !/^\d+$/.test(path[i] ?? ''))
      return value.map((item) => valueAt(item, path.slice(i)))
    value = Object.hasOwn(value, path[i] ?? '') ? (value as JsonObject)[path[i] ?? ''] : undefined
  }
  return value
}

/**
 * Parses `a.b=c`, `a.b!=c`, `a.b~regex`, `a.b>5`.
 * @throws UserError when it is none of these or the regular expression does not compile
 */
export function parseWhere(text: string): WhereTerm {
  const match = /^([^=!~<>]+?)\s*(!=|>=|<=|=|~|>|<)\s*(.*)$/s.exec(text)
  if (match === null) {
    throw new UserError(`--where ${JSON.stringify(text)} is not an expression`, {
      hint: "write it like --where 'event.metadata.secretKey=DB_URL', with =, !=, ~, > or <",
    })
  }
  const [, path = '', operator, value = ''] = match
  const term = { path: path.trim().split('.'), operator: operator as WhereTerm['operator'], value }
  whereTest(term)
  return term
}

function whereTest({ path, operator, value }: WhereTerm): (record: JsonObject) => boolean {
  if (operator === '~') {
    let pattern: RegExp
    try {
      pattern = new RegExp(value, 'u')
    } catch (cause) {
      throw new UserError(`--where: ${JSON.stringify(value)} is not a regular expression`, {
        cause,
        hint: 'escape special characters with a backslash',
      })
    }
    return (record) => some(valueAt(record, path), (found) => pattern.test(textOf(found)))
  }
  if (operator === '=') return (record) => some(valueAt(record, path), (found) => equals(found, value))
  if (operator === '!=') return (record) => !some(valueAt(record, path), (found) => equals(found, value))
  return (record) => some(valueAt(record, path), (found) => compares(found, operator, value))
}

function some(found: unknown, test: (value: unknown) => boolean): boolean {
  if (Array.isArray(found)) return found.some((item) => some(item, test))
  return found !== undefined && test(found)
}

/** A number may be spelled in other ways (`1.0`, `1e3`), and a large one was rounded when the event was parsed. */
function equals(found: unknown, value: string): boolean {
  if (textOf(found) === value) return true
  return typeof found === 'number' && value.trim() !== '' && Number(value) === found
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function compares(found: unknown, operator: '>' | '<' | '>=' | '<=', value: string): boolean {
  // Numbers compare as numbers, times written as text compare as text: RFC 3339 in one zone sorts that way.
  const numeric =
    typeof found === 'number' ||
    (typeof found === 'string' && found.trim() !== '' && !Number.isNaN(Number(found)))
  const [left, right] =
    numeric && !Number.isNaN(Number(value)) ? [Number(found), Number(value)] : [textOf(found), value]
  if (operator === '>') return left > right
  if (operator === '<') return left < right
  return operator === '>=' ? left >= right : left <= right
}

/** A prefix matches whole path segments: `/a` covers `/a` and `/a/b`, never `/ab`. */
export function isUnderPath(path: string, prefix: string): boolean {
  const clean = prefix.length > 1 ? prefix.replace(/\/+$/, '') : prefix
  return path === clean || clean === '/' || clean === '' || path.startsWith(`${clean}/`)
}
