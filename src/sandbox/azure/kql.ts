import { type Dialect, lex, TokenReader } from '../query-lexer.ts'
import type { AzureRow } from './table.ts'
import { ticks } from './table.ts'

/** Outside the small part of KQL that the emulator knows. */
export class KqlSyntaxError extends Error {}
/** An unknown table or column. */
export class KqlSemanticError extends Error {}

export type Cell = string | number | boolean | null
export type Typed = { readonly name: string; readonly type: string }
/** A column or a computed value of a row: `read` gives it, `type` says what a comparison may put beside it. */
export type Value = { readonly type: string; read(row: AzureRow): Cell }

const KQL: Dialect = {
  // What stands between the parentheses of datetime() is no expression: a text.
  pattern:
    /\s+|(?<text>(?<=\bdatetime\()[^)'"]+|@?'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")|(?<number>\d+(?:\.\d+)?(?:[smhd](?![A-Za-z]))?)|(?<word>[A-Za-z_][\w]*)|(?<symbol>==|!=|<=|>=|[<>=(),|+*-])/gy,
  unquote,
  isCaseSensitive: true,
  Refused: KqlSyntaxError,
}

export function readKql(text: string): TokenReader {
  return new TokenReader(lex(text, KQL), KQL)
}

function unquote(text: string): string {
  if (text.startsWith('@')) return text.slice(2, -1).replaceAll("''", "'")
  return /^['"]/.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, '$1') : text.trim()
}

export type Scope = (name: string) => Value | undefined

/** `or` of `and`s of comparisons, with parentheses. */
export function parseCondition(reader: TokenReader, scope: Scope): (row: AzureRow) => boolean {
  const tests = [parseAll(reader, scope)]
  while (reader.skip('or')) tests.push(parseAll(reader, scope))
  return tests.length === 1
    ? (tests[0] as (row: AzureRow) => boolean)
    : (row) => tests.some((test) => test(row))
}

function parseAll(reader: TokenReader, scope: Scope): (row: AzureRow) => boolean {
  const tests = [parseComparison(reader, scope)]
  while (reader.skip('and')) tests.push(parseComparison(reader, scope))
  return tests.length === 1
    ? (tests[0] as (row: AzureRow) => boolean)
    : (row) => tests.every((test) => test(row))
}

function parseComparison(reader: TokenReader, scope: Scope): (row: AzureRow) => boolean {
  if (reader.skip('(')) {
    const test = parseCondition(reader, scope)
    reader.expect(')')
    return test
  }
  const left = parseValue(reader, scope)
  const operator = reader.take().text
  const right = parseValue(reader, scope)
  const compare = COMPARE[operator]
  if (compare === undefined) throw new KqlSyntaxError(`unknown operator ${operator}`)
  const isTime = left.type === 'datetime' || right.type === 'datetime'
  if (isTime && left.type !== right.type) {
    throw new KqlSemanticError(`cannot compare ${left.type} with ${right.type}`)
  }
  return (row) => {
    const [a, b] = [left.read(row), right.read(row)]
    return a !== null && b !== null && compare(a, b)
  }
}

const COMPARE: Readonly<Record<string, ((a: Cell & {}, b: Cell & {}) => boolean) | undefined>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** A column, a literal, `datetime(…)`, `ingestion_time()`, `bin(column, span)`, or `coalesce(value, value)`. */
export function parseValue(reader: TokenReader, scope: Scope): Value {
  const token = reader.take()
  if (token.kind === 'text') return constant('string', token.text)
  if (token.kind === 'number') return constant('long', Number(token.text))
  if (token.kind !== 'word') throw new KqlSyntaxError(`unexpected ${token.text}`)
  if (token.text === 'datetime') {
    reader.expect('(')
    const time = ticks(reader.text())
    reader.expect(')')
    if (time === undefined) throw new KqlSyntaxError('not a datetime literal')
    return constant('datetime', time)
  }
  if (token.text === 'ingestion_time' && reader.skip('(')) {
    reader.expect(')')
    return { type: 'datetime', read: (row) => ticks(new Date(row.ingestedAt).toISOString()) ?? null }
  }
  if (token.text === 'bin' && reader.skip('(')) {
    const column = parseValue(reader, scope)
    reader.expect(',')
    const spanMs = timespan(reader.take().text)
    reader.expect(')')
    return {
      type: column.type,
      read: (row) => {
        const cell = column.read(row)
        if (typeof cell !== 'string') return null
        const ms = Date.parse(cell.replace(/(\.\d{3})\d+/, '$1'))
        return ticks(new Date(Math.floor(ms / spanMs) * spanMs).toISOString()) ?? null
      },
    }
  }
  if (token.text === 'coalesce' && reader.skip('(')) {
    const first = parseValue(reader, scope)
    reader.expect(',')
    const second = parseValue(reader, scope)
    reader.expect(')')
    if (first.type !== second.type) throw new KqlSemanticError('coalesce() takes values of one type')
    return { type: first.type, read: (row) => first.read(row) ?? second.read(row) }
  }
  const column = scope(token.text)
  if (column === undefined)
    throw new KqlSemanticError(`Failed to resolve column or scalar expression named '${token.text}'`)
  return column
}

function timespan(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  const unit = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[match?.[2] ?? '']
  if (match === null || unit === undefined) throw new KqlSyntaxError(`not a timespan: ${text}`)
  return Number(match[1]) * unit
}

function constant(type: string, value: Cell): Value {
  return { type, read: () => value }
}
