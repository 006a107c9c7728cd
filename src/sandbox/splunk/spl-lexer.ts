export type Token = { readonly kind: 'word' | 'string' | 'symbol'; readonly text: string }

/** A search that the sandbox refuses; the message is what Splunk would call it, or that it is outside the sandbox's grammar. */
export class SplError extends Error {
  override readonly name = 'SplError'
}

const PATTERN = /\s+|"((?:[^"\\]|\\.)*)"|(!=|>=|<=|[=<>(),|])|([^\s"|(),=<>!]+)/gy

/** Stages of a pipeline, each a list of tokens. */
export function lex(text: string): Token[][] {
  const stages: Token[][] = [[]]
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < text.length) {
    const at = PATTERN.lastIndex
    const match = PATTERN.exec(text)
    if (match === null) throw new SplError(`Unbalanced quotes or an unknown character at ${at}`)
    const [, quoted, symbol, word] = match
    if (symbol === '|') stages.push([])
    else if (quoted !== undefined) {
      stages.at(-1)?.push({ kind: 'string', text: quoted.replace(/\\(.)/gs, '$1') })
    } else if (symbol !== undefined) stages.at(-1)?.push({ kind: 'symbol', text: symbol })
    else if (word !== undefined) stages.at(-1)?.push({ kind: 'word', text: word })
  }
  return stages
}

/** Reads tokens one by one, complaining in Splunk's manner. */
export class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }
  get isDone(): boolean {
    return this.#at >= this.#tokens.length
  }
  peek(): string | undefined {
    return this.#tokens[this.#at]?.text
  }
  take(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new SplError('The search ends where an argument is required')
    this.#at += 1
    return token
  }
  /** The next token when it is this word or symbol. */
  skip(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token === undefined || token.kind === 'string' || token.text.toLowerCase() !== text) return false
    this.#at += 1
    return true
  }
  expect(text: string): void {
    if (!this.skip(text)) throw new SplError(`Expected '${text}', found '${this.peek() ?? 'the end'}'`)
  }
  /** A field name or a quoted one. */
  name(): string {
    const token = this.take()
    if (token.kind === 'symbol') throw new SplError(`Unexpected '${token.text}'`)
    return token.text
  }
  /** `key=value` */
  option(key: string): string {
    this.expect(key)
    this.expect('=')
    return this.name()
  }
  names(): string[] {
    const names: string[] = []
    while (!this.isDone) {
      if (names.length > 0) this.skip(',')
      names.push(this.name())
    }
    return names
  }
}
