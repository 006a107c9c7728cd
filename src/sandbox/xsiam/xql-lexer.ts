import { type Dialect, lexStages, TokenReader } from '../query-lexer.ts'

/** A query that the sandbox refuses; the message is what the API would add as `err_extra`. */
export class XqlError extends Error {}

const XQL: Dialect = {
  pattern:
    /\s+|"(?<text>(?:[^"\\]|\\.)*)"|(?<number>\d+[a-z]?)(?![A-Za-z0-9_])|(?<word>[A-Za-z_][A-Za-z0-9_.]*)|(?<symbol>!~=|~=|!=|<=|>=|->|[|(),=<>])/gsy,
  Refused: XqlError,
}

/** The stages of a query. */
export function readXql(text: string): readonly TokenReader[] {
  if (text.includes('//')) throw new XqlError('comments are not accepted here')
  return lexStages(text, XQL).map((tokens) => new TokenReader(tokens, XQL))
}
