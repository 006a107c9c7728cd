import type { TokenReader } from '../query-lexer.ts'
import { readSql, SqlSyntaxError } from './sql-lexer.ts'

export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'column'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }
  | { readonly kind: 'not'; readonly term: Expression }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
  | {
      readonly kind: 'compare'
      readonly operator: string
      readonly left: Expression
      readonly right: Expression
    }

export type From =
  | { readonly kind: 'table'; readonly arm: 'hot' | 'archive'; readonly table: string }
  | { readonly kind: 'union'; readonly queries: readonly Query[] }

export type Query = {
  readonly isDistinct: boolean
  readonly items: readonly { readonly expression: Expression; readonly as: string }[]
  readonly from: From
  readonly where: Expression | undefined
  readonly groupBy: readonly string[]
  readonly orderBy: readonly string[]
  readonly limit: number | undefined
  readonly format: string | undefined
}

/**
 * Parses the part of ClickHouse's SELECT that the shapes of auditctl are made of: one arm, or a union of queries in parentheses.
 * @throws SqlSyntaxError for anything else
 */
export function parseSql(text: string): Query {
  const reader = readSql(text)
  const query = parseQuery(reader)
  if (!reader.isDone) throw new SqlSyntaxError(`failed at ${reader.peek()?.text}`)
  return query
}

function parseQuery(reader: TokenReader): Query {
  reader.expect('SELECT')
  const isDistinct = reader.skip('DISTINCT')
  const items = reader.list(() => {
    const expression = parseOr(reader)
    const as = reader.skip('AS') ? reader.word() : nameOf(expression)
    return { expression, as }
  })
  reader.expect('FROM')
  const from = parseFrom(reader)
  const where = reader.skip('WHERE') ? parseOr(reader) : undefined
  const groupBy = reader.skip('GROUP', 'BY') ? reader.list(() => reader.word()) : []
  const orderBy = reader.skip('ORDER', 'BY') ? reader.list(() => reader.word()) : []
  const limit = reader.skip('LIMIT') ? reader.number() : undefined
  const format = reader.skip('FORMAT') ? reader.word() : undefined
  return { isDistinct, items, from, where, groupBy, orderBy, limit, format }
}

function parseFrom(reader: TokenReader): From {
  if (reader.skip('(')) {
    const queries = [parseQuery(reader)]
    while (reader.skip('UNION', 'ALL')) queries.push(parseQuery(reader))
    reader.expect(')')
    return { kind: 'union', queries }
  }
  const name = reader.word()
  reader.expect('(')
  if (name === 's3Cluster') {
    if (reader.word() !== 'primary') throw new SqlSyntaxError('the cluster is called primary')
    reader.expect(',')
  } else if (name !== 'remote') throw new SqlSyntaxError(`${name} is no table function of the sandbox`)
  const table = reader.word()
  reader.expect(')')
  return { kind: 'table', arm: name === 'remote' ? 'hot' : 'archive', table }
}

function parseOr(reader: TokenReader): Expression {
  const terms = [parseAnd(reader)]
  while (reader.skip('OR')) terms.push(parseAnd(reader))
  return terms.length === 1 && terms[0] !== undefined ? terms[0] : { kind: 'or', terms }
}

function parseAnd(reader: TokenReader): Expression {
  const terms = [parseTerm(reader)]
  while (reader.skip('AND')) terms.push(parseTerm(reader))
  return terms.length === 1 && terms[0] !== undefined ? terms[0] : { kind: 'and', terms }
}

function parseTerm(reader: TokenReader): Expression {
  if (reader.skip('NOT')) return { kind: 'not', term: parseTerm(reader) }
  const left = parsePrimary(reader)
  const isNegated = reader.skip('NOT', 'LIKE')
  if (isNegated || reader.skip('LIKE')) {
    const like: Expression = { kind: 'compare', operator: 'LIKE', left, right: parsePrimary(reader) }
    return isNegated ? { kind: 'not', term: like } : like
  }
  const token = reader.peek()
  if (token?.kind !== 'symbol' || !['=', '!=', '<', '<=', '>', '>='].includes(token.text)) return left
  reader.take()
  return { kind: 'compare', operator: token.text, left, right: parsePrimary(reader) }
}

function parsePrimary(reader: TokenReader): Expression {
  if (reader.skip('(')) {
    const inner = parseOr(reader)
    reader.expect(')')
    return inner
  }
  const token = reader.take()
  if (token.kind === 'text') return { kind: 'text', text: token.text }
  if (token.kind === 'number') return { kind: 'number', value: Number(token.text) }
  if (token.kind === 'symbol') throw new SqlSyntaxError(`failed at ${token.text}`)
  if (!reader.skip('(')) return { kind: 'column', name: token.text }
  const values = reader.skip(')') ? [] : reader.list(() => parseOr(reader))
  if (values.length > 0) reader.expect(')')
  return { kind: 'call', name: token.text, arguments: values }
}

function nameOf(expression: Expression): string {
  if (expression.kind === 'column') return expression.name
  return expression.kind === 'call' ? `${expression.name}()` : 'expression'
}
