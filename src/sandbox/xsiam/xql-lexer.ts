/** A query that the sandbox refuses; the message is what the API would add as `err_extra`. */
export class XqlError extends Error {}

export type Token = { readonly kind: 'word' | 'number' | 'text' | 'symbol'; readonly text: string }

const PATTERN =
  /\s+|"((?:[^"\\]|\\.)*)"|(\d+[a-z]?)(?![A-Za-z0-9_])|([A-Za-z_][A-Za-z0-9_.]*)|(!~=|~=|!=|<=|>=|->|[|(),=<>])/gsy

/** Stages of a query, each a list of tokens. */
export function lexXql(text: string): readonly (readonly Token[])[] {
  if (text.includes('//')) throw new XqlError('comments are not accepted here')
  const stages: Token[][] = [[]]
  PATTERN.lastIndex = 0
  while (PATTERN.lastIndex < text.length) {
    const at = PATTERN.lastIndex
    const match = PATTERN.exec(text)
    if (match === null) throw new XqlError(`line 1, column ${at}: unexpected character`)
    const [, quoted, number, word, symbol] = match
    const stage = stages.at(-1) ?? []
    if (symbol === '|') stages.push([])
    else if (quoted !== undefined) stage.push({ kind: 'text', text: quoted.replace(/\\(.)/gs, '$1') })
    else if (number !== undefined) stage.push({ kind: 'number', text: number })
    else if (word !== undefined) stage.push({ kind: 'word', text: word })
    else if (symbol !== undefined) stage.push({ kind: 'symbol', text: symbol })
  }
  return stages
}

/** Reads tokens one by one. */
export class XqlReader {
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
    if (token === undefined) throw new XqlError('the stage ends where an argument is required')
    this.#at += 1
    return token
  }
  /** The next token when it is this word or symbol. */
  skip(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token === undefined || token.kind === 'text' || token.text.toLowerCase() !== text) return false
    this.#at += 1
    return true
  }
  expect(text: string): void {
    if (!this.skip(text)) throw new XqlError(`expected ${text}, found ${this.peek()?.text ?? 'the end'}`)
  }
  word(): string {
    const token = this.take()
    if (token.kind !== 'word') throw new XqlError(`expected a field, found ${token.text}`)
    return token.text
  }
  text(): string {
    const token = this.take()
    if (token.kind !== 'text') throw new XqlError(`expected a text, found ${token.text}`)
    return token.text
  }
}
