import { type Dialect, lexStages, type Token, TokenReader } from '../query-lexer.ts'

/** A search that the sandbox refuses; the message is what Splunk would call it, or that it is outside the sandbox's grammar. */
export class SplError extends Error {
  override readonly name = 'SplError'
}

const SPL: Dialect = {
  pattern: /\s+|"(?<text>(?:[^"\\]|\\.)*)"|(?<symbol>!=|>=|<=|[=<>(),|])|(?<word>[^\s"|(),=<>!]+)/gsy,
  Refused: SplError,
}

/** Stages of a pipeline, each a list of tokens. */
export function lexSpl(text: string): readonly (readonly Token[])[] {
  return lexStages(text, SPL)
}

export class SplReader extends TokenReader {
  constructor(tokens: readonly Token[]) {
    super(tokens, SPL)
  }
  /** A field name or a quoted one. */
  name(): string {
    const token = this.take()
    if (token.kind === 'symbol') throw new SplError(`Unexpected '${token.text}'`)
    return token.text
  }
  /** `key=value` */
  option(key: string): string {
    this.expect(key, '=')
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
