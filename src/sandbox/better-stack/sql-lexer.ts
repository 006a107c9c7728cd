/** A query that the sandbox refuses, in ClickHouse's manner. */
export class SqlSyntaxError extends Error {}

export type Token = { readonly kind: 'word' | 'number' | 'text' | 'symbol'; readonly text: string }

const PATTERN = /\s+|'((?:[^'\\]|\\.)*)'|(\d+)|([A-Za-z_][A-Za-z0-9_]*)|(!=|<=|>=|[(),=<>])/gsy

export function lexSql(text: string): readonly Token[] {
  const tokens: Token[] = []
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < text.length) {
    const at = PATTERN.lastIndex
    const match = PATTERN.exec(text)
    if (match === null) throw new SqlSyntaxError(`failed at position ${at + 1}`)
    const [, quoted, number, word, symbol] = match
    if (quoted !== undefined) tokens.push({ kind: 'text', text: quoted.replace(/\\(.)/gs, '$1') })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', text: symbol })
  }
  return tokens
}

/** Reads tokens one by one; keywords in any case. */
export class SqlReader {
  readonly #tokens: readonly Token[]
  #at = 0
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }
  get isDone(): boolean {
    return this.#at >= this.#tokens.length
  }
  peek(): Token | undefined {
    return this.#tokens[this.#at]
  }
  take(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new SqlSyntaxError('failed at the end of query')
    this.#at += 1
    return token
  }
  /** The next tokens when they are these words or symbols. */
  skip(...texts: readonly string[]): boolean {
    for (const [i, text] of texts.entries()) {
      const token = this.#tokens[this.#at + i]
      if (token === undefined || token.kind === 'text' || token.text.toUpperCase() !== text) return false
    }
    this.#at += texts.length
    return true
  }
  expect(...texts: readonly string[]): void {
    if (!this.skip(...texts))
      throw new SqlSyntaxError(
        `expected ${texts.join(' ')}, found ${this.peek()?.text ?? 'the end of query'}`,
      )
  }
  word(): string {
    const token = this.take()
    if (token.kind !== 'word') throw new SqlSyntaxError(`expected a name, found ${token.text}`)
    return token.text
  }
  number(): number {
    const token = this.take()
    if (token.kind !== 'number') throw new SqlSyntaxError(`expected a number, found ${token.text}`)
    return Number(token.text)
  }
}
