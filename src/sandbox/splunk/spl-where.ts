import { SplError, type SplReader } from './spl-lexer.ts'

export type Lookup = (field: string) => string | undefined
export type Test = (lookup: Lookup) => boolean

/**
 * The part of `where` that auditctl uses: `isnull(f)`, `isnotnull(f)`, `like(f,"pattern")`, comparisons of a field with a quoted text,
 * `NOT`, `AND`, `OR` and parentheses. A comparison with a field that is absent is never true, as in Splunk.
 */
export function parseWhere(reader: SplReader): Test {
  const test = parseOr(reader)
  if (!reader.isDone)
    throw new SplError(`Error in 'where' command: The expression is malformed at '${reader.peek()?.text}'`)
  return test
}

function parseOr(reader: SplReader): Test {
  const terms = [parseAnd(reader)]
  while (reader.skip('or')) terms.push(parseAnd(reader))
  return (lookup) => terms.some((term) => term(lookup))
}

function parseAnd(reader: SplReader): Test {
  const terms = [parseTerm(reader)]
  while (reader.skip('and')) terms.push(parseTerm(reader))
  return (lookup) => terms.every((term) => term(lookup))
}

function parseTerm(reader: SplReader): Test {
  if (reader.skip('not')) {
    const term = parseTerm(reader)
    return (lookup) => !term(lookup)
  }
  if (reader.skip('(')) {
    const inner = parseOr(reader)
    reader.expect(')')
    return inner
  }
  const name = reader.name()
  if (reader.skip('(')) return parseCall(name, reader)
  const operator = reader.take().text
  const value = reader.take()
  if (value.kind !== 'text') throw new SplError("Error in 'where' command: compare with a quoted text")
  const compare = COMPARISONS[operator]
  if (compare === undefined) throw new SplError(`Error in 'where' command: '${operator}' is no operator`)
  return (lookup) => {
    const found = lookup(name)
    return found !== undefined && compare(found, value.text)
  }
}

const COMPARISONS: Readonly<Record<string, (found: string, value: string) => boolean>> = {
  '=': (found, value) => found === value,
  '!=': (found, value) => found !== value,
  '<': (found, value) => found < value,
  '<=': (found, value) => found <= value,
  '>': (found, value) => found > value,
  '>=': (found, value) => found >= value,
}

function parseCall(name: string, reader: SplReader): Test {
  const field = reader.name()
  if (name === 'isnull' || name === 'isnotnull') {
    reader.expect(')')
    return (lookup) => (lookup(field) === undefined) === (name === 'isnull')
  }
  if (name !== 'like')
    throw new SplError(`Error in 'where' command: The '${name}' function is unsupported or undefined`)
  reader.expect(',')
  const pattern = reader.take()
  if (pattern.kind !== 'text') throw new SplError("Error in 'where' command: like() takes a quoted pattern")
  reader.expect(')')
  const source = pattern.text
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')
  const regex = new RegExp(`^${source}$`, 's')
  return (lookup) => regex.test(lookup(field) ?? '')
}
