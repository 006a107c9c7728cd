import type { JsonObject } from '../../core/event.ts'
import { SplError } from './spl-lexer.ts'
import type { Aggregate, Search, Stage } from './spl-parse.ts'
import { rawOf, type StoredRow } from './store.ts'

/** A result as Splunk renders it: every value a text, or texts for a field with several values. */
export type Result = Record<string, string | string[]>
type Values = Record<string, string | string[] | undefined>

const MAX_BUCKETS = 50_000

/** Runs a parsed search over rows that lie in its time range, newest first, already narrowed to what the user may see. */
export function* runSearch(search: Search, rows: Iterable<StoredRow>): Generator<Result> {
  const found = matching(search, rows)
  if (search.kind === 'tstats') return yield* tstats(search, found)
  const at = search.stages.findIndex((stage) => stage.kind === 'stats')
  const before = at < 0 ? search.stages : search.stages.slice(0, at)
  const stats = search.stages[at]
  if (stats?.kind !== 'stats') return yield* render(through(before, found))
  if (search.stages.length > at + 1) throw new SplError('The sandbox runs nothing after stats')
  yield* aggregate(stats, through(before, found))
}

function* matching({ terms }: Search, rows: Iterable<StoredRow>): Generator<StoredRow> {
  const { index = [], source, sourcetype, host } = terms
  const anyIndex = index.includes('*')
  const isOf = (found: string | undefined, wanted: readonly string[] | undefined) =>
    wanted === undefined || (found !== undefined && wanted.includes(found))
  for (const row of rows) {
    const isThere = anyIndex || isOf(row.index, index)
    if (isThere && isOf(row.source, source) && isOf(row.sourcetype, sourcetype) && isOf(row.host, host))
      yield row
  }
}

type Piped = { readonly values: Values; readonly table: readonly string[] | undefined }

function* through(stages: readonly Stage[], rows: Iterable<StoredRow>): Generator<Piped> {
  const table = stages.findLast((stage) => stage.kind === 'table')?.fields
  for (const row of rows) {
    const values: Values = {}
    if (stages.every((stage) => apply(stage, values, row))) yield { values, table }
  }
}

/** Changes the values in place; false drops the row. */
function apply(stage: Stage, values: Values, row: StoredRow): boolean {
  switch (stage.kind) {
    case 'bin':
      values['_time'] = String(Math.floor(row.time / stage.seconds) * stage.seconds)
      return true
    case 'spath':
      values[stage.output] = spath(row, stage.path)
      return true
    case 'eval':
      for (const [target, field] of stage.sets) values[target] = fieldValue(values, row, field)
      return true
    case 'rename':
      values[stage.to] = fieldValue(values, row, stage.from)
      values[stage.from] = undefined
      return true
    case 'where':
      return stage.test((field) => {
        const value = fieldValue(values, row, field)
        return Array.isArray(value) ? value[0] : value
      })
    case 'table':
      for (const field of stage.fields) values[field] ??= fieldValue(values, row, field)
      return true
    case 'stats':
    case 'sort':
      return true
  }
}

function fieldValue(values: Values, row: StoredRow, field: string): string | string[] | undefined {
  if (field in values) return values[field]
  switch (field) {
    case '_time':
      return String(row.time)
    case '_indextime':
      return String(Math.floor(row.receivedAt / 1000))
    case '_raw':
      return rawOf(row)
    case 'index':
    case 'source':
    case 'sourcetype':
    case 'host':
      return row[field]
    default:
      return undefined
  }
}

function spath(row: StoredRow, path: string): string | string[] | undefined {
  if (path === 'id') return row.id
  if (path === 'createdAt' && row.createdAt !== undefined) return row.createdAt
  let values: unknown[] = [JSON.parse(rawOf(row))]
  for (const part of path.split('.')) {
    const [, key = '', each] = /^(.*?)(\{\})?$/.exec(part) ?? []
    values = values.flatMap((value) => {
      if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return []
      const inner = (value as JsonObject)[key]
      return each !== undefined && Array.isArray(inner) ? inner : [inner]
    })
  }
  const texts = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  return texts.length > 1 ? texts : texts[0]
}

function* render(rows: Iterable<Piped>): Generator<Result> {
  for (const { values, table } of rows) {
    const result: Result = {}
    for (const field of table ?? Object.keys(values)) {
      const value = values[field]
      if (value !== undefined) result[field] = field === '_time' ? localTime(Number(value)) : value
    }
    yield result
  }
}

function* aggregate(
  stats: { readonly aggregates: readonly Aggregate[]; readonly by: readonly string[] },
  rows: Iterable<Piped>,
): Generator<Result> {
  type Group = { readonly by: string[]; count: number; readonly distinct: Map<string, Set<string>> }
  const groups = new Map<string, Group>()
  if (stats.by.length === 0) groups.set('[]', { by: [], count: 0, distinct: new Map() })
  for (const { values } of rows) {
    const by = stats.by.map((field) => String(values[field] ?? ''))
    const key = JSON.stringify(by)
    const group = groups.get(key) ?? { by, count: 0, distinct: new Map() }
    groups.set(key, group)
    group.count += 1
    for (const { kind, field } of stats.aggregates) {
      const value = kind === 'dc' ? values[field] : undefined
      if (value === undefined) continue
      const seen = group.distinct.get(field) ?? new Set()
      group.distinct.set(field, seen.add(String(value)))
    }
  }
  if (groups.size > MAX_BUCKETS) throw new SplError(`The sandbox caps buckets at ${MAX_BUCKETS}`)
  for (const group of groups.values()) {
    const result: Result = {}
    stats.by.forEach((field, i) => {
      result[field] = field === '_time' ? localTime(Number(group.by[i])) : (group.by[i] ?? '')
    })
    for (const { kind, field, as } of stats.aggregates) {
      result[as] = String(kind === 'dc' ? (group.distinct.get(field)?.size ?? 0) : group.count)
    }
    yield result
  }
}

/** Counts by bucket over indexed fields only: a field that no event was sent with gives no rows, and no error. */
function* tstats(search: Extract<Search, { kind: 'tstats' }>, rows: Iterable<StoredRow>): Generator<Result> {
  if (search.stages.length > 0) throw new SplError('The sandbox runs nothing after tstats')
  const counts = new Map<string, { time: number; field: string | undefined; count: number }>()
  for (const row of rows) {
    const field = search.field === undefined ? undefined : row.fields?.[search.field]
    if (search.field !== undefined && field === undefined) continue
    const time = Math.floor(row.time / search.seconds) * search.seconds
    const key = `${time} ${String(field)}`
    const bucket = counts.get(key) ?? {
      time,
      field: field === undefined ? undefined : String(field),
      count: 0,
    }
    bucket.count += 1
    counts.set(key, bucket)
  }
  if (counts.size > MAX_BUCKETS) throw new SplError(`The sandbox caps buckets at ${MAX_BUCKETS}`)
  for (const bucket of [...counts.values()].sort((a, b) => a.time - b.time)) {
    yield {
      _time: localTime(bucket.time),
      ...(search.field === undefined || bucket.field === undefined ? {} : { [search.field]: bucket.field }),
      count: String(bucket.count),
    }
  }
}

/** How Splunk shows `_time`: in the user's zone. */
function localTime(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().replace('Z', '+00:00')
}
