import type { TokenReader } from '../query-lexer.ts'
import { XqlError } from './xql-lexer.ts'

type Row = Record<string, unknown>
export type Test = (row: Row) => boolean

/** `and`, `or`, parentheses; a field against a text or null. A comparison with a field that is absent is never true, but for `= null` and `!=`. */
export function parseTest(reader: TokenReader, field: () => string): Test {
  return parseOr(reader, field)
}

function parseOr(reader: TokenReader, field: () => string): Test {
  const terms = [parseAnd(reader, field)]
  while (reader.skip('or')) terms.push(parseAnd(reader, field))
  const [only] = terms
  return terms.length === 1 && only !== undefined ? only : (row) => terms.some((term) => term(row))
}

function parseAnd(reader: TokenReader, field: () => string): Test {
  const terms = [parseTerm(reader, field)]
  while (reader.skip('and')) terms.push(parseTerm(reader, field))
  const [only] = terms
  return terms.length === 1 && only !== undefined ? only : (row) => terms.every((term) => term(row))
}

function parseTerm(reader: TokenReader, field: () => string): Test {
  if (reader.skip('(')) {
    const inner = parseOr(reader, field)
    reader.expect(')')
    return inner
  }
  const name = field()
  const operator = reader.take().text
  if (reader.skip('null')) {
    if (operator === '=') return (row) => row[name] == null
    if (operator === '!=') return (row) => row[name] != null
    throw new XqlError(`${operator} does not compare with null`)
  }
  const value = reader.text()
  switch (operator) {
    case '=':
      return (row) => row[name] === value
    case '!=':
      return (row) => row[name] !== value
    case 'contains':
      return (row) => String(row[name] ?? '').includes(value)
    case '~=':
    case '!~=': {
      const regex = new RegExp(value, 's')
      return (row) => row[name] != null && regex.test(String(row[name])) === (operator === '~=')
    }
    case '<':
      return (row) => row[name] != null && String(row[name]) < value
    case '<=':
      return (row) => row[name] != null && String(row[name]) <= value
    case '>':
      return (row) => row[name] != null && String(row[name]) > value
    case '>=':
      return (row) => row[name] != null && String(row[name]) >= value
    default:
      throw new XqlError(`unknown operator: ${operator}`)
  }
}
