import type { JsonObject } from '../../core/event.ts'
import { valueAt } from '../../core/filter.ts'
import type { TokenReader } from '../query-lexer.ts'
import { parseTest, type Test } from './xql-filter.ts'
import { readXql, XqlError } from './xql-lexer.ts'

export type XqlRow = Record<string, unknown>
type Stage = (rows: XqlRow[]) => XqlRow[]

export type XqlQuery = {
  readonly dataset: string
  readonly hasLimit: boolean
  run(rows: readonly JsonObject[]): XqlRow[]
}

/** Columns that a stage before may have made, and those of the dataset. */
type Columns = { has(name: string): boolean; add(name: string): void }

/**
 * Parses the stages that auditctl uses: `dataset`, `filter`, `alter`, `fields`, `bin`, `comp`, `dedup`, `sort`, `limit`.
 * `known` tells the dataset's own columns: a query that names another is refused, as by the product.
 * @throws XqlError for anything else
 */
export function parseXql(text: string, known: (name: string) => boolean): XqlQuery {
  const [reader, ...rest] = readXql(text)
  if (reader === undefined) throw new XqlError('no dataset')
  reader.expect('dataset')
  reader.expect('=')
  const dataset = reader.word()
  if (!reader.isDone) throw new XqlError(`unexpected ${reader.peek()?.text}`)
  const hasLimit = rest.some((stage) => stage.peek()?.text === 'limit')
  const made = new Set<string>()
  const columns: Columns = { has: (name) => made.has(name) || known(name), add: (name) => made.add(name) }
  const stages = rest.map((stage) => parseStage(stage, columns))
  return {
    dataset,
    hasLimit,
    // Stages may add to a row, so each begins with one of its own.
    run: (rows) =>
      stages.reduce(
        (found, stage) => stage(found),
        rows.map((row) => Object.create(row) as XqlRow),
      ),
  }
}

function parseStage(reader: TokenReader, columns: Columns): Stage {
  const stage = parseCommand(reader, reader.word(), columns)
  if (!reader.isDone) throw new XqlError(`unexpected ${reader.peek()?.text}`)
  return stage
}

function parseCommand(reader: TokenReader, command: string, columns: Columns): Stage {
  const field = () => {
    const name = reader.word()
    if (!columns.has(name)) throw new XqlError(`unknown field: ${name}`)
    return name
  }
  switch (command) {
    case 'filter': {
      const test: Test = parseTest(reader, field)
      return (rows) => rows.filter(test)
    }
    case 'alter': {
      const sets = reader.list(() => {
        const name = reader.word()
        reader.expect('=')
        const read = parseValue(reader, field)
        columns.add(name)
        return [name, read] as const
      })
      return (rows) => {
        for (const row of rows) for (const [name, read] of sets) row[name] = read(row)
        return rows
      }
    }
    case 'fields': {
      const names = reader.list(field)
      return (rows) => rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])))
    }
    case 'bin': {
      const name = field()
      reader.expect('span')
      reader.expect('=')
      const ms = spanMs(reader.take().text)
      return (rows) => {
        for (const row of rows) {
          const at = row[name]
          if (typeof at === 'number') row[name] = Math.floor(at / ms) * ms
        }
        return rows
      }
    }
    case 'comp':
      return parseComp(reader, field, columns)
    case 'dedup': {
      const names = reader.list(field)
      return (rows) => {
        const seen = new Set<string>()
        return rows.filter((row) => {
          const key = JSON.stringify(names.map((name) => row[name] ?? null))
          return seen.has(key) ? false : Boolean(seen.add(key))
        })
      }
    }
    case 'sort': {
      const isDescending = reader.skip('desc')
      if (!isDescending) reader.expect('asc')
      const name = field()
      const order = (a: XqlRow, b: XqlRow) => (String(a[name]) < String(b[name]) ? -1 : 1)
      return (rows) => rows.toSorted(isDescending ? (a, b) => order(b, a) : order)
    }
    case 'limit': {
      const limit = Number(reader.take().text)
      if (!Number.isInteger(limit)) throw new XqlError('limit wants a number')
      return (rows) => rows.slice(0, limit)
    }
    default:
      throw new XqlError(`unknown stage: ${command}`)
  }
}

function parseComp(reader: TokenReader, field: () => string, columns: Columns): Stage {
  const aggregates = reader.list(() => {
    const kind = reader.word()
    if (kind !== 'count' && kind !== 'count_distinct') throw new XqlError(`unknown aggregation: ${kind}`)
    reader.expect('(')
    const name = reader.peek()?.text === ')' ? undefined : field()
    reader.expect(')')
    reader.expect('as')
    return { kind, name, as: reader.word() }
  })
  const by = reader.skip('by') ? reader.list(field) : []
  for (const { as } of aggregates) columns.add(as)
  return (rows) => {
    const groups = new Map<string, XqlRow[]>()
    for (const row of rows) {
      const key = JSON.stringify(by.map((name) => row[name] ?? null))
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [row])
      else group.push(row)
    }
    if (by.length === 0 && groups.size === 0) groups.set('', [])
    return [...groups.values()].map((group) => {
      const made: XqlRow = {}
      for (const name of by) made[name] = group[0]?.[name] ?? null
      for (const { kind, name, as } of aggregates) {
        const values =
          name === undefined ? group : group.map((row) => row[name]).filter((value) => value != null)
        made[as] = kind === 'count' ? values.length : new Set(values).size
      }
      return made
    })
  }
}

function parseValue(reader: TokenReader, field: () => string): (row: XqlRow) => unknown {
  const name = reader.peek()?.text
  if (name === 'parse_timestamp') {
    reader.take()
    reader.expect('(')
    const format = reader.text()
    if (format !== '%Y-%m-%dT%H:%M:%E*SZ') throw new XqlError(`the sandbox does not read times as ${format}`)
    reader.expect(',')
    const read = field()
    reader.expect(')')
    return (row) => {
      const ms = Date.parse(String(row[read]))
      return Number.isNaN(ms) ? null : ms
    }
  }
  if (name === 'json_extract_scalar') {
    reader.take()
    reader.expect('(')
    const read = field()
    reader.expect(',')
    const path = reader.text().replace(/^\$\./, '').split('.')
    reader.expect(')')
    return (row) => {
      const value = valueAt(row[read], path)
      return value === undefined || typeof value === 'object' ? null : String(value)
    }
  }
  const read = field()
  return (row) => row[read] ?? null
}

function spanMs(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const size = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? '']
  if (amount === undefined || size === undefined) throw new XqlError(`the span ${text} is invalid`)
  return Number(amount) * size
}
