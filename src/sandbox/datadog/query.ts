import { valueAt } from '../../core/filter.ts'
import type { DatadogRow } from './row.ts'

export type RowTest = (row: DatadogRow) => boolean

/** A query outside the small grammar the emulator knows; answered with 400 so that tests notice. */
export class QuerySyntaxError extends Error {}

type Token = {
  readonly kind: '(' | ')' | '-' | 'AND' | 'OR' | 'term'
  readonly path: string
  readonly value: string
}

const TERM =
  /\s*(?:(?<symbol>[()])|(?<minus>-)(?=[@(a-zA-Z])|(?<word>AND|OR)(?=[\s(])|(?<all>\*)(?=\s|\)|$)|(?<path>@?[A-Za-z_][\w.-]*):(?<value>"(?:[^"\\]|\\.)*"|\[[^\]]* TO [^\]]*\]|\((?:"(?:[^"\\]|\\.)*"|[^()"])*\)|[^\s()":[\]]+))/gy

/** Terms `k:v`, `@path:"v"`, `@path:v`, `@path:[a TO b]`, `@path:*`, `@path:(a OR b)`, `-`, `AND`, `OR`, parentheses, `*`; nothing else. */
export function compileQuery(text: string): RowTest {
  const tokens = tokenize(text)
  let at = 0
  const either = (): RowTest => {
    const tests = [both()]
    while (tokens[at]?.kind === 'OR') {
      at += 1
      tests.push(both())
    }
    return tests.length === 1 ? (tests[0] as RowTest) : (row) => tests.some((test) => test(row))
  }
  const both = (): RowTest => {
    const tests = [one()]
    for (;;) {
      const kind = tokens[at]?.kind
      if (kind === 'AND') at += 1
      else if (kind === undefined || kind === 'OR' || kind === ')') break
      tests.push(one())
    }
    return tests.length === 1 ? (tests[0] as RowTest) : (row) => tests.every((test) => test(row))
  }
  const one = (): RowTest => {
    const token = tokens[at]
    at += 1
    if (token?.kind === '-') {
      const test = one()
      return (row) => !test(row)
    }
    if (token?.kind === '(') {
      const test = either()
      if (tokens[at]?.kind !== ')') throw new QuerySyntaxError('a parenthesis is not closed')
      at += 1
      return test
    }
    if (token?.kind !== 'term') throw new QuerySyntaxError(`unexpected ${token?.kind ?? 'end of query'}`)
    return termTest(token.path, token.value)
  }
  if (tokens.length === 0) return () => true
  const test = either()
  if (at < tokens.length) throw new QuerySyntaxError(`unexpected ${tokens[at]?.kind}`)
  return test
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  TERM.lastIndex = 0
  const end = text.trimEnd().length
  while (TERM.lastIndex < end) {
    const from = TERM.lastIndex
    const match = TERM.exec(text)
    if (match === null)
      throw new QuerySyntaxError(`not understood: ${JSON.stringify(text.slice(from, from + 40))}`)
    const { symbol, minus, word, all, path = '', value = '' } = match.groups ?? {}
    const kind = (symbol ?? minus ?? word ?? 'term') as Token['kind']
    tokens.push({ kind, path: all === undefined ? path : '*', value })
  }
  return tokens
}

function termTest(path: string, value: string): RowTest {
  if (path === '*') return () => true
  if (value.startsWith('(')) {
    const tests = value
      .slice(1, -1)
      .split(/\s+OR\s+/)
      .map((item) => termTest(path, item.trim()))
    return (row) => tests.some((test) => test(row))
  }
  // A range needs a facet declared as a number; the emulator has none, so it finds nothing.
  if (value.startsWith('[')) return () => false
  const wanted = value.startsWith('"') ? unquote(value) : value
  if (wanted !== '*' && !value.startsWith('"') && wanted.includes('*')) {
    throw new QuerySyntaxError('wildcards inside a value are not emulated')
  }
  if (path.startsWith('@')) {
    const keys = path.slice(1).split('.')
    return (row) => {
      const found = valueAt(row.attributes, keys)
      if (found === undefined || found === null) return false
      return wanted === '*' || String(found) === wanted
    }
  }
  const reserved = RESERVED[path]
  if (reserved !== undefined) return (row) => matches(reserved(row), wanted)
  const tag = `${path}:${wanted}`
  return (row) =>
    row.tags.includes(tag) || (wanted === '*' && row.tags.some((item) => item.startsWith(`${path}:`)))
}

const RESERVED: Readonly<Record<string, ((row: DatadogRow) => string | undefined) | undefined>> = {
  source: (row) => row.source,
  service: (row) => row.service,
  host: (row) => row.host,
  status: (row) => row.status,
}

function matches(found: string | undefined, wanted: string): boolean {
  return found !== undefined && (wanted === '*' || found.toLowerCase() === wanted.toLowerCase())
}

function unquote(value: string): string {
  return value.slice(1, -1).replace(/\\(.)/g, '$1')
}
