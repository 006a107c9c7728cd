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
export type Token = { readonly kind: 'word' | 'number' | 'string' | 'symbol'; readonly text: string }

export function tokenizeKql(text: string): Token[] {
  const tokens: Token[] = []
  const pattern =
    /\s*(?:(?<string>@?'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")|(?<number>\d+(?:\.\d+)?(?:[smhd](?![A-Za-z]))?)|(?<word>[A-Za-z_][\w]*)|(?<symbol>==|!=|<=|>=|[<>=(),|+*-]))/gy
  const end = text.trimEnd().length
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex
    // A datetime literal is no KQL expression inside: taken as it stands.
    const literal = /^\s*datetime\(([^)]*)\)/.exec(text.slice(from, from + 80))
    if (literal !== null) {
      tokens.push({ kind: 'word', text: 'datetime' }, { kind: 'string', text: (literal[1] ?? '').trim() })
      pattern.lastIndex = from + literal[0].length
      continue
    }
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) throw new KqlSyntaxError(`not understood: ${text.slice(from, from + 40)}`)
    if (groups['string'] !== undefined) tokens.push({ kind: 'string', text: unquote(groups['string']) })
    else if (groups['number'] !== undefined) tokens.push({ kind: 'number', text: groups['number'] })
    else if (groups['word'] !== undefined) tokens.push({ kind: 'word', text: groups['word'] })
    else tokens.push({ kind: 'symbol', text: groups['symbol'] ?? '' })
  }
  return tokens
}

function unquote(text: string): string {
  if (text.startsWith('@')) return text.slice(2, -1).replaceAll("''", "'")
  return text.slice(1, -1).replace(/\\(.)/g, '$1')
}

/** Tokens read one after the other. */
export class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length
  }
  peek(): string | undefined {
    return this.#tokens[this.#at]?.text
  }
  next(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new KqlSyntaxError('the query ends too early')
    this.#at += 1
    return token
  }
  /** Takes the token if it is this word or symbol. */
  accept(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.text !== text || token.kind === 'string') return false
    this.#at += 1
    return true
  }
  expect(text: string): void {
    if (!this.accept(text)) throw new KqlSyntaxError(`expected ${text}, found ${this.peek() ?? 'the end'}`)
  }
  word(): string {
    const token = this.next()
    if (token.kind !== 'word') throw new KqlSyntaxError(`expected a name, found ${token.text}`)
    return token.text
  }
}

export type Scope = (name: string) => Value | undefined

/** `or` of `and`s of comparisons, with parentheses. */
export function parseCondition(reader: Reader, scope: Scope): (row: AzureRow) => boolean {
  const tests = [parseAll(reader, scope)]
  while (reader.accept('or')) tests.push(parseAll(reader, scope))
  return tests.length === 1
    ? (tests[0] as (row: AzureRow) => boolean)
    : (row) => tests.some((test) => test(row))
}

function parseAll(reader: Reader, scope: Scope): (row: AzureRow) => boolean {
  const tests = [parseComparison(reader, scope)]
  while (reader.accept('and')) tests.push(parseComparison(reader, scope))
  return tests.length === 1
    ? (tests[0] as (row: AzureRow) => boolean)
    : (row) => tests.every((test) => test(row))
}

function parseComparison(reader: Reader, scope: Scope): (row: AzureRow) => boolean {
  if (reader.accept('(')) {
    const test = parseCondition(reader, scope)
    reader.expect(')')
    return test
  }
  const left = parseValue(reader, scope)
  const operator = reader.next().text
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

/** A column, a literal, `datetime(…)`, `ingestion_time()`, or `bin(column, span)`. */
export function parseValue(reader: Reader, scope: Scope): Value {
  const token = reader.next()
  if (token.kind === 'string') return constant('string', token.text)
  if (token.kind === 'number') return constant('long', Number(token.text))
  if (token.kind !== 'word') throw new KqlSyntaxError(`unexpected ${token.text}`)
  if (token.text === 'datetime') {
    const time = ticks(reader.next().text)
    if (time === undefined) throw new KqlSyntaxError('not a datetime literal')
    return constant('datetime', time)
  }
  if (token.text === 'ingestion_time' && reader.accept('(')) {
    reader.expect(')')
    return { type: 'datetime', read: (row) => ticks(new Date(row.ingestedAt).toISOString()) ?? null }
  }
  if (token.text === 'bin' && reader.accept('(')) {
    const column = parseValue(reader, scope)
    reader.expect(',')
    const spanMs = timespan(reader.next().text)
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
