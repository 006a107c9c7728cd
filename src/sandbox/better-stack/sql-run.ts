import type { JsonObject } from '../../core/event.ts'
import { valueAt } from '../../core/filter.ts'
import { SqlSyntaxError } from './sql-lexer.ts'
import type { Expression, From, Query } from './sql-parse.ts'
import type { BetterStackRow } from './store.ts'

type Value = string | number | boolean
/** A row of a store, or of an inner query. */
type Row = BetterStackRow | JsonObject
type Read = (row: Row) => Value

const AGGREGATES = new Set(['count', 'uniqExact', 'min', 'max'])

/** Rows of a store, ascending by id; throws where it does not exist. */
export type Tables = (from: Extract<From, { kind: 'table' }>) => readonly BetterStackRow[]

/** @throws SqlSyntaxError for a function or a column that the sandbox does not know */
export function runSql(query: Query, tables: Tables): readonly JsonObject[] {
  const isTable = query.from.kind === 'table'
  const rows: readonly Row[] =
    query.from.kind === 'table'
      ? tables(query.from)
      : query.from.queries.flatMap((inner) => runSql(inner, tables))
  const aliases = new Map(query.items.map(({ as, expression }) => [as, expression]))
  const compile = compiler(aliases, isTable)
  const test = query.where === undefined ? undefined : compile(query.where)
  const isAggregate =
    query.groupBy.length > 0 || query.items.some(({ expression }) => isAggregateCall(expression))
  if (isAggregate)
    return aggregate(query, test === undefined ? rows : rows.filter((row) => test(row)), compile)

  const columns = query.items.map(({ as, expression }) => [as, compile(expression)] as const)
  const [order] = query.orderBy
  // Stores are read in the order of their ids: a page by id may end as soon as it is full.
  const ordered = order === undefined ? undefined : aliases.get(order)
  const isInOrder = isTable && ordered !== undefined && isIdOf(ordered)
  const limit = query.limit ?? Number.POSITIVE_INFINITY
  const found: JsonObject[] = []
  const seen = new Set<string>()
  for (const row of rows) {
    if (test !== undefined && test(row) !== true) continue
    const made: Record<string, Value> = {}
    for (const [as, read] of columns) made[as] = read(row)
    if (query.isDistinct) {
      const key = JSON.stringify(made)
      if (seen.has(key)) continue
      seen.add(key)
    }
    found.push(made)
    if (found.length >= limit && (order === undefined || isInOrder)) break
  }
  return sorted(found, isInOrder ? [] : query.orderBy).slice(0, limit)
}

function aggregate(
  query: Query,
  rows: readonly Row[],
  compile: (expression: Expression) => Read,
): readonly JsonObject[] {
  const keys = query.groupBy.map((name) => compile({ kind: 'column', name }))
  const groups = new Map<string, Row[]>()
  if (keys.length === 0) groups.set('', [...rows])
  for (const row of keys.length === 0 ? [] : rows) {
    const key = JSON.stringify(keys.map((read) => read(row)))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  const made = [...groups.values()].map((group) => {
    const row: Record<string, unknown> = {}
    for (const { as, expression } of query.items) {
      row[as] = isAggregateCall(expression)
        ? reduce(expression, group, compile)
        : group[0] === undefined
          ? ''
          : compile(expression)(group[0])
    }
    return row
  })
  return sorted(made, query.orderBy).slice(0, query.limit)
}

function reduce(
  expression: Expression,
  rows: readonly Row[],
  compile: (expression: Expression) => Read,
): number | string {
  if (expression.kind !== 'call') throw new SqlSyntaxError('not an aggregate')
  const [value] = expression.arguments
  // 64-bit integers come quoted unless told otherwise.
  if (expression.name === 'count') return String(rows.length)
  if (value === undefined) throw new SqlSyntaxError(`${expression.name} wants an argument`)
  const values = rows.map(compile(value))
  if (expression.name === 'uniqExact') return String(new Set(values).size)
  const numbers = values.map(Number)
  return expression.name === 'min'
    ? numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
    : numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
}

function compiler(
  aliases: ReadonlyMap<string, Expression>,
  isTable: boolean,
): (expression: Expression) => Read {
  const compile = (expression: Expression): Read => {
    switch (expression.kind) {
      case 'text':
        return () => expression.text
      case 'number':
        return () => expression.value
      case 'not': {
        const term = compile(expression.term)
        return (row) => term(row) !== true
      }
      case 'and':
      case 'or': {
        const terms = expression.terms.map(compile)
        return expression.kind === 'and'
          ? (row) => terms.every((term) => term(row) === true)
          : (row) => terms.some((term) => term(row) === true)
      }
      case 'compare':
        return comparison(expression, compile)
      case 'column':
        return column(expression.name)
      case 'call':
        return call(expression, compile)
    }
  }
  const column = (name: string): Read => {
    const alias = aliases.get(name)
    if (alias !== undefined && !(alias.kind === 'column' && alias.name === name)) return compile(alias)
    if (!isTable) return (row) => ((row as JsonObject)[name] ?? '') as Value
    switch (name) {
      case 'dt':
        return (row) => (row as BetterStackRow).dt
      case 'raw':
        return (row) => (row as BetterStackRow).raw
      case '_row_type':
        return () => 1
      default:
        throw new SqlSyntaxError(`Missing columns: '${name}'`)
    }
  }
  return compile
}

function comparison(
  { operator, left, right }: Extract<Expression, { kind: 'compare' }>,
  compile: (expression: Expression) => Read,
): Read {
  const [a, b] = [compile(left), compile(right)]
  switch (operator) {
    case '=':
      return (row) => a(row) === b(row)
    case '!=':
      return (row) => a(row) !== b(row)
    case '<':
      return (row) => a(row) < b(row)
    case '<=':
      return (row) => a(row) <= b(row)
    case '>':
      return (row) => a(row) > b(row)
    case '>=':
      return (row) => a(row) >= b(row)
    default: {
      if (right.kind !== 'text') throw new SqlSyntaxError('LIKE wants a text')
      const source = right.text
        .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll('%', '.*')
        .replaceAll('_', '.')
      const regex = new RegExp(`^${source}$`, 's')
      return (row) => regex.test(String(a(row)))
    }
  }
}

function call(
  expression: Extract<Expression, { kind: 'call' }>,
  compile: (expression: Expression) => Read,
): Read {
  const [first, second, third] = expression.arguments
  const texts = expression.arguments
    .slice(1)
    .map((argument) => (argument.kind === 'text' ? argument.text : ''))
  switch (expression.name) {
    case 'JSONExtractString': {
      if (first?.kind !== 'column' || first.name !== 'raw')
        throw new SqlSyntaxError('JSONExtractString reads raw')
      if (texts.join('.') === 'id') return (row) => (row as BetterStackRow).id
      if (texts.join('.') === 'createdAt') return (row) => (row as BetterStackRow).createdAt
      return (row) => {
        const value = valueAt(JSON.parse((row as BetterStackRow).raw), texts)
        return typeof value === 'string' ? value : ''
      }
    }
    case 'substring': {
      if (first === undefined || second?.kind !== 'number' || third?.kind !== 'number')
        throw new SqlSyntaxError('substring(text, offset, length)')
      const read = compile(first)
      return (row) => String(read(row)).slice(second.value - 1, second.value - 1 + third.value)
    }
    case 'toDateTime64': {
      if (first?.kind !== 'text') throw new SqlSyntaxError('toDateTime64 wants a text')
      const ms = Date.parse(`${first.text.replace(' ', 'T')}Z`)
      if (Number.isNaN(ms)) throw new SqlSyntaxError(`Cannot parse DateTime64 ${first.text}`)
      return () => ms
    }
    default:
      throw new SqlSyntaxError(`Unknown function ${expression.name}`)
  }
}

function isAggregateCall(expression: Expression): boolean {
  return expression.kind === 'call' && AGGREGATES.has(expression.name)
}

function isIdOf(expression: Expression): boolean {
  return (
    expression.kind === 'call' &&
    expression.name === 'JSONExtractString' &&
    expression.arguments.length === 2 &&
    expression.arguments[1]?.kind === 'text' &&
    expression.arguments[1].text === 'id'
  )
}

function sorted(rows: readonly JsonObject[], orderBy: readonly string[]): readonly JsonObject[] {
  if (orderBy.length === 0) return rows
  return rows.toSorted((a, b) => {
    for (const name of orderBy) {
      const [left, right] = [a[name] as Value, b[name] as Value]
      if (left !== right) return left < right ? -1 : 1
    }
    return 0
  })
}
