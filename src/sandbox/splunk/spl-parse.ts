import type { Token } from '../query-lexer.ts'
import { lexSpl, SplError, SplReader } from './spl-lexer.ts'
import { parseWhere, type Test } from './spl-where.ts'

/** What each key may be. */
export type Terms = Readonly<Record<string, readonly string[]>>
export type Aggregate = { readonly kind: 'count' | 'dc'; readonly field: string; readonly as: string }
export type Stage =
  | { readonly kind: 'bin'; readonly seconds: number }
  | { readonly kind: 'stats'; readonly aggregates: readonly Aggregate[]; readonly by: readonly string[] }
  | { readonly kind: 'spath'; readonly path: string; readonly output: string }
  | { readonly kind: 'eval'; readonly sets: readonly (readonly [target: string, field: string])[] }
  | { readonly kind: 'where'; readonly test: Test }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'table'; readonly fields: readonly string[] }
  | { readonly kind: 'sort' }
export type Search =
  | { readonly kind: 'search'; readonly terms: Terms; readonly stages: readonly Stage[] }
  | {
      readonly kind: 'tstats'
      readonly terms: Terms
      readonly seconds: number
      readonly field: string | undefined
      readonly stages: readonly Stage[]
    }

const SEARCH_KEYS = [
  'index',
  'source',
  'sourcetype',
  'host',
  'earliest',
  'latest',
  '_index_earliest',
  '_index_latest',
]

/**
 * Parses the templates that auditctl uses: `search k=v k IN (v,w) …` or `| tstats count where k=v … by _time[, field] span=N<s|m|h|d>`, then `bin`, `stats`,
 * `spath`, `eval`, `where`, `rename`, `table` and `sort 0`.
 * @throws SplError for anything else
 */
export function parseSpl(text: string): Search {
  const [first = [], ...rest] = lexSpl(text)
  if (first.length === 0) {
    const [generating = [], ...after] = rest
    return parseTstats(generating, after.map(parseStage))
  }
  const reader = new SplReader(first)
  if (!reader.skip('search')) throw new SplError(`Unknown search command '${reader.peek()?.text}'.`)
  return { kind: 'search', terms: parseTerms(reader, () => reader.isDone), stages: rest.map(parseStage) }
}

function parseTerms(reader: SplReader, isEnd: () => boolean): Terms {
  const terms: Record<string, readonly string[]> = {}
  while (!isEnd()) {
    const key = reader.name()
    if (!SEARCH_KEYS.includes(key)) throw new SplError(`The sandbox does not search by '${key}'`)
    if (reader.skip('in', '(')) {
      terms[key] = reader.list(() => reader.name())
      reader.expect(')')
    } else {
      reader.expect('=')
      terms[key] = [reader.name()]
    }
  }
  if (terms['index'] === undefined) throw new SplError('The sandbox wants an index in every search')
  return terms
}

function parseTstats(tokens: readonly Token[], stages: readonly Stage[]): Search {
  const reader = new SplReader(tokens)
  if (!reader.skip('tstats')) throw new SplError(`Unknown search command '${reader.peek()?.text ?? ''}'.`)
  reader.expect('count')
  reader.expect('where')
  const terms = parseTerms(reader, () => reader.isDone || reader.peek()?.text === 'by')
  reader.expect('by')
  reader.expect('_time')
  const field = reader.skip(',') ? reader.name() : undefined
  const seconds = spanSeconds(reader.option('span'))
  if (!reader.isDone) throw new SplError(`Error in 'tstats' command: unexpected '${reader.peek()?.text}'`)
  return { kind: 'tstats', terms, seconds, field, stages }
}

function parseStage(tokens: readonly Token[]): Stage {
  const reader = new SplReader(tokens)
  const stage = parseCommand(reader, reader.name().toLowerCase())
  if (!reader.isDone) throw new SplError(`Unexpected '${reader.peek()?.text}' after a command`)
  return stage
}

function parseCommand(reader: SplReader, command: string): Stage {
  switch (command) {
    case 'bin':
      reader.expect('_time')
      return { kind: 'bin', seconds: spanSeconds(reader.option('span')) }
    case 'stats':
      return parseStats(reader)
    case 'spath': {
      const input = reader.option('input')
      if (input !== '_raw') throw new SplError("The sandbox's spath reads _raw only")
      return { kind: 'spath', path: reader.option('path'), output: reader.option('output') }
    }
    case 'eval': {
      const sets = reader.list(() => {
        const target = reader.name()
        reader.expect('=')
        return [target, reader.name()] as const
      })
      return { kind: 'eval', sets }
    }
    case 'where':
      return { kind: 'where', test: parseWhere(reader) }
    case 'rename': {
      const from = reader.name()
      reader.expect('as')
      return { kind: 'rename', from, to: reader.name() }
    }
    case 'table':
      return { kind: 'table', fields: reader.names() }
    case 'sort':
      reader.expect('0')
      reader.names()
      return { kind: 'sort' }
    default:
      throw new SplError(`Unknown search command '${command}'.`)
  }
}

function parseStats(reader: SplReader): Stage {
  const aggregates: Aggregate[] = []
  const by: string[] = []
  while (!reader.isDone && !reader.skip('by')) {
    const name = reader.name()
    let field = ''
    if (name === 'dc') {
      reader.expect('(')
      field = reader.name()
      reader.expect(')')
    } else if (name !== 'count')
      throw new SplError(`The sandbox's stats knows count and dc() only, not '${name}'`)
    const as = reader.skip('as') ? reader.name() : name === 'dc' ? `dc(${field})` : 'count'
    aggregates.push({ kind: name, field, as })
    reader.skip(',')
  }
  by.push(...reader.names())
  if (aggregates.length === 0) throw new SplError("Error in 'stats' command: no aggregation")
  return { kind: 'stats', aggregates, by }
}

function spanSeconds(text: string): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  const size = { s: 1, m: 60, h: 3600, d: 86_400 }[unit ?? '']
  if (amount === undefined || size === undefined) throw new SplError(`The span '${text}' is invalid`)
  return Number(amount) * size
}
