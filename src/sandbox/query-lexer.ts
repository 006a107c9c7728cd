/** A token of a query; a quoted text stands without its quotes. */
export type Token = { readonly kind: 'word' | 'number' | 'text' | 'symbol'; readonly text: string }

/** How one product spells its queries, and how it refuses them. */
export type Dialect = {
  /** Sticky, with the named groups `text`, `number`, `word` and `symbol`; what matches in none of them is left out. */
  readonly pattern: RegExp
  /** What a match of `text` says; left out: its group is without the quotes, and a backslash stands before what is meant as it is. */
  unquote?(text: string): string
  /** Keywords stand as they are spelled, not in any case. */
  readonly isCaseSensitive?: boolean
  readonly Refused: new (message: string) => Error
}

/** @throws Refused at the first character that begins no token */
export function lex(text: string, { pattern, unquote = bare, Refused }: Dialect): Token[] {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const { groups } = pattern.exec(text) ?? {}
    if (groups === undefined) throw new Refused(`not understood at ${at}: ${text.slice(at, at + 40)}`)
    for (const kind of ['text', 'number', 'word', 'symbol'] as const) {
      const found = groups[kind]
      if (found !== undefined) tokens.push({ kind, text: kind === 'text' ? unquote(found) : found })
    }
  }
  return tokens
}

function bare(text: string): string {
  return text.replace(/\\(.)/gs, '$1')
}

/** The stages of a pipeline: the tokens between its bars. */
export function lexStages(text: string, dialect: Dialect): Token[][] {
  const stages: Token[][] = [[]]
  for (const token of lex(text, dialect)) {
    if (token.kind === 'symbol' && token.text === '|') stages.push([])
    else stages.at(-1)?.push(token)
  }
  return stages
}

/** Reads tokens one by one; complains in the dialect's own error. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  readonly #dialect: Dialect
  #at = 0

  constructor(tokens: readonly Token[], dialect: Dialect) {
    this.#tokens = tokens
    this.#dialect = dialect
  }

  get isDone(): boolean {
    return this.#at >= this.#tokens.length
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  take(): Token {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new this.#dialect.Refused('it ends where an argument is required')
    this.#at += 1
    return token
  }

  /** The next tokens when they are these words or symbols. */
  skip(...texts: readonly string[]): boolean {
    for (const [i, text] of texts.entries()) {
      const token = this.#tokens[this.#at + i]
      if (token === undefined || token.kind === 'text' || !this.#isSame(token.text, text)) return false
    }
    this.#at += texts.length
    return true
  }

  expect(...texts: readonly string[]): void {
    if (!this.skip(...texts)) this.#fail(texts.join(' '), this.peek())
  }

  word(): string {
    return this.#of('word')
  }

  number(): number {
    return Number(this.#of('number'))
  }

  text(): string {
    return this.#of('text')
  }

  /** What `parse` reads, once or more often, with commas between. */
  list<Item>(parse: () => Item): Item[] {
    const items = [parse()]
    while (this.skip(',')) items.push(parse())
    return items
  }

  #of(kind: Token['kind']): string {
    const token = this.take()
    return token.kind === kind ? token.text : this.#fail(`a ${kind}`, token)
  }

  #isSame(found: string, wanted: string): boolean {
    return this.#dialect.isCaseSensitive === true
      ? found === wanted
      : found.toLowerCase() === wanted.toLowerCase()
  }

  #fail(expected: string, found: Token | undefined): never {
    throw new this.#dialect.Refused(`expected ${expected}, found ${found?.text ?? 'the end'}`)
  }
}
