import { type Dialect, lex, TokenReader } from '../query-lexer.ts'

/** A query that the sandbox refuses, in ClickHouse's manner. */
export class SqlSyntaxError extends Error {}

const SQL: Dialect = {
  pattern:
    /\s+|'(?<text>(?:[^'\\]|\\.)*)'|(?<number>\d+)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<symbol>!=|<=|>=|[(),=<>])/gsy,
  Refused: SqlSyntaxError,
}

export function readSql(text: string): TokenReader {
  return new TokenReader(lex(text, SQL), SQL)
}
