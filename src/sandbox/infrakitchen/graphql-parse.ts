/** A field of a GraphQL document, its arguments already filled in with the variables. */
export type Field = {
  readonly name: string
  /** What it is called in the answer. */
  readonly alias: string
  readonly args: Readonly<Record<string, unknown>>
  readonly fields: readonly Field[]
}

export type Operation = { readonly kind: 'query' | 'mutation'; readonly fields: readonly Field[] }

/**
 * Reads the part of GraphQL that the audit log needs: one operation, variables, aliases, arguments, nested selections.
 * @throws SyntaxError in the library's own words
 */
export function parseDocument(text: string, variables: Readonly<Record<string, unknown>>): Operation {
  const tokens =
    text
      .replace(/#[^\n]*/g, '')
      .match(/"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|[A-Za-z_]\w*|\.\.\.|[{}()[\]:$!=@,]/g) ?? []
  const words = tokens.filter((token) => token !== ',')
  let at = 0
  const peek = (): string | undefined => words[at]
  const next = (): string => {
    const word = words[at]
    if (word === undefined) throw new SyntaxError('Syntax Error: Unexpected <EOF>.')
    at += 1
    return word
  }
  const expect = (word: string): void => {
    const found = next()
    if (found !== word) throw new SyntaxError(`Syntax Error: Expected '${word}', found '${found}'.`)
  }
  const declared = new Set<string>()

  const value = (): unknown => {
    const word = next()
    if (word === '$') {
      const name = next()
      if (!declared.has(name)) throw new SyntaxError(`Variable '$${name}' is not defined.`)
      return variables[name]
    }
    if (word.startsWith('"')) return JSON.parse(word)
    if (/^-?\d/.test(word)) return Number(word)
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    if (word === '[') {
      const items: unknown[] = []
      while (peek() !== ']') items.push(value())
      next()
      return items
    }
    if (word === '{') {
      const object: Record<string, unknown> = {}
      while (peek() !== '}') {
        const key = next()
        expect(':')
        object[key] = value()
      }
      next()
      return object
    }
    return word
  }

  const selection = (): Field[] => {
    expect('{')
    const fields: Field[] = []
    while (peek() !== '}') {
      const first = next()
      if (!/^[A-Za-z_]/.test(first)) throw new SyntaxError(`Syntax Error: Expected Name, found '${first}'.`)
      let name = first
      if (peek() === ':') {
        next()
        name = next()
      }
      const args: Record<string, unknown> = {}
      if (peek() === '(') {
        next()
        while (peek() !== ')') {
          const key = next()
          expect(':')
          args[key] = value()
        }
        next()
      }
      fields.push({ name, alias: first, args, fields: peek() === '{' ? selection() : [] })
    }
    next()
    return fields
  }

  let kind: Operation['kind'] = 'query'
  if (peek() !== '{') {
    const word = next()
    if (word !== 'query' && word !== 'mutation')
      throw new SyntaxError(`Syntax Error: Unexpected Name '${word}'.`)
    kind = word
    if (peek() !== '{' && peek() !== '(') next()
    if (peek() === '(') {
      next()
      while (peek() !== ')') {
        expect('$')
        declared.add(next())
        expect(':')
        while (/^[A-Za-z_[\]!]/.test(peek() ?? '') && words[at] !== ')') next()
      }
      next()
    }
  }
  return { kind, fields: selection() }
}
