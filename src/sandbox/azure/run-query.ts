import type { TokenReader } from '../query-lexer.ts'
import {
  type Cell,
  KqlSemanticError,
  KqlSyntaxError,
  parseCondition,
  parseValue,
  readKql,
  type Typed,
  type Value,
} from './kql.ts'
import type { AzureRow, Columns } from './table.ts'

export type KqlResult = { readonly columns: readonly Typed[]; readonly rows: readonly AzureRow[] }

/** Runs `Table | where … | …` over the rows of the one table there is. @throws KqlSyntaxError, KqlSemanticError */
export function runQuery(
  text: string,
  table: { readonly name: string; readonly columns: Columns; readonly rows: readonly AzureRow[] },
): KqlResult {
  const reader = readKql(text)
  const name = reader.word()
  if (name !== table.name) {
    throw new KqlSemanticError(
      `'where' operator: Failed to resolve table or column expression named '${name}'`,
    )
  }
  let state: KqlResult = {
    columns: Object.entries(table.columns).map(([column, type]) => ({ name: column, type })),
    rows: table.rows,
  }
  while (!reader.isDone) {
    reader.expect('|')
    const operator = reader.word()
    const run = OPERATORS[operator]
    if (run === undefined) throw new KqlSyntaxError(`unknown operator ${operator}`)
    state = run(reader, state)
  }
  return state
}

const OPERATORS: Readonly<
  Record<string, ((reader: TokenReader, state: KqlResult) => KqlResult) | undefined>
> = {
  where: (reader, state) => {
    const test = parseCondition(reader, scopeOf(state))
    return { ...state, rows: state.rows.filter(test) }
  },
  extend: (reader, state) => {
    const added = parseColumns(reader, state)
    const names = new Set(added.map(({ name }) => name))
    return {
      columns: [...state.columns.filter(({ name }) => !names.has(name)), ...typed(added)],
      rows: state.rows.map((row) => ({ ...row, cells: { ...row.cells, ...picked(row, added).cells } })),
    }
  },
  project: (reader, state) => {
    const columns = parseColumns(reader, state)
    return { columns: typed(columns), rows: state.rows.map((row) => picked(row, columns)) }
  },
  distinct: (reader, state) => {
    const columns = parseColumns(reader, state)
    const seen = new Map<string, AzureRow>()
    for (const row of state.rows) {
      const made = picked(row, columns)
      seen.set(JSON.stringify(columns.map((column) => made.cells[column.name])), made)
    }
    return { columns: typed(columns), rows: [...seen.values()] }
  },
  order: orderBy,
  sort: orderBy,
  take: (reader, state) => ({ ...state, rows: state.rows.slice(0, Number(reader.take().text)) }),
  limit: (reader, state) => ({ ...state, rows: state.rows.slice(0, Number(reader.take().text)) }),
  summarize,
  getschema: (_reader, state) => ({
    columns: [
      { name: 'ColumnName', type: 'string' },
      { name: 'ColumnOrdinal', type: 'int' },
      { name: 'DataType', type: 'string' },
      { name: 'ColumnType', type: 'string' },
    ],
    rows: state.columns.map(({ name, type }, ordinal) =>
      rowOf({ ColumnName: name, ColumnOrdinal: ordinal, DataType: `System.${type}`, ColumnType: type }),
    ),
  }),
}

type NamedValue = Value & { readonly name: string }

function parseColumns(reader: TokenReader, state: KqlResult): NamedValue[] {
  const columns: NamedValue[] = []
  do columns.push(parseNamed(reader, state))
  while (reader.skip(','))
  return columns
}

/** `name = value`, a column, or `bin(column, span)`, which keeps the column's name. */
function parseNamed(reader: TokenReader, state: KqlResult): NamedValue {
  const scope = scopeOf(state)
  const first = reader.peek()?.text ?? ''
  let name: string | undefined
  const named = (column: string): Value | undefined => {
    name ??= column
    return scope(column)
  }
  if (scope(first) === undefined && !['bin', 'coalesce', 'ingestion_time'].includes(first)) {
    const alias = reader.word()
    if (!reader.skip('='))
      throw new KqlSemanticError(`Failed to resolve column or scalar expression named '${alias}'`)
    return { ...parseValue(reader, scope), name: alias }
  }
  const value = parseValue(reader, named)
  if (!reader.skip('=')) return { ...value, name: name ?? 'Column1' }
  return { ...parseValue(reader, scope), name: name ?? 'Column1' }
}

function orderBy(reader: TokenReader, state: KqlResult): KqlResult {
  reader.expect('by')
  const keys: { readonly value: Value; readonly sign: number }[] = []
  do {
    const value = parseValue(reader, scopeOf(state))
    const isAscending = reader.skip('asc')
    if (!isAscending) reader.skip('desc')
    keys.push({ value, sign: isAscending ? 1 : -1 })
  } while (reader.skip(','))
  const rows = state.rows.toSorted((a, b) => {
    for (const { value, sign } of keys) {
      const [left, right] = [value.read(a), value.read(b)]
      if (left === right) continue
      if (left === null) return -sign
      if (right === null) return sign
      return left < right ? -sign : sign
    }
    return 0
  })
  return { ...state, rows }
}

type Aggregate = { readonly name: string; of(rows: readonly AzureRow[]): number }

function summarize(reader: TokenReader, state: KqlResult): KqlResult {
  const aggregates: Aggregate[] = []
  do aggregates.push(parseAggregate(reader, state))
  while (reader.skip(','))
  const keys = reader.skip('by') ? parseColumns(reader, state) : []
  const groups = new Map<string, AzureRow[]>()
  for (const row of state.rows) {
    const key = JSON.stringify(keys.map((column) => column.read(row)))
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  if (keys.length === 0 && groups.size === 0) groups.set('[]', [])
  const rows = [...groups].map(([key, group]) => {
    const cells: Record<string, Cell> = {}
    const values = JSON.parse(key) as Cell[]
    for (const [index, column] of keys.entries()) cells[column.name] = values[index] ?? null
    for (const aggregate of aggregates) cells[aggregate.name] = aggregate.of(group)
    return rowOf(cells)
  })
  const counted = aggregates.map(({ name }) => ({ name, type: 'long' }))
  return { columns: [...typed(keys), ...counted], rows }
}

function parseAggregate(reader: TokenReader, state: KqlResult): Aggregate {
  let word = reader.word()
  let name: string | undefined
  if (reader.skip('=')) {
    name = word
    word = reader.word()
  }
  reader.expect('(')
  if (word === 'count') {
    reader.expect(')')
    return { name: name ?? 'count_', of: (rows) => rows.length }
  }
  if (word !== 'dcount' && word !== 'count_distinct') throw new KqlSyntaxError(`unknown aggregate ${word}`)
  const column = reader.peek()?.text ?? ''
  const value = parseValue(reader, scopeOf(state))
  if (reader.skip(',')) reader.take()
  reader.expect(')')
  return { name: name ?? `${word}_${column}`, of: (rows) => new Set(rows.map((row) => value.read(row))).size }
}

function scopeOf(state: KqlResult): (name: string) => Value | undefined {
  const types = new Map(state.columns.map(({ name, type }) => [name, type]))
  return (name) => {
    const type = types.get(name)
    return type === undefined ? undefined : { type, read: (row) => row.cells[name] ?? null }
  }
}

function typed(columns: readonly NamedValue[]): Typed[] {
  return columns.map(({ name, type }) => ({ name, type }))
}

function picked(row: AzureRow, columns: readonly NamedValue[]): AzureRow {
  const cells: Record<string, Cell> = {}
  for (const column of columns) cells[column.name] = column.read(row)
  return { cells, ingestedAt: row.ingestedAt, visibleAt: row.visibleAt }
}

function rowOf(cells: Record<string, Cell>): AzureRow {
  return { cells, ingestedAt: 0, visibleAt: 0 }
}
