/** Where a text stops being JSON, or says one thing twice; line and column count from 1. Never holds any of the text but key names. */
export type JsonFault = { readonly line: number; readonly column: number; readonly message: string }

class Fault extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** The first fault of a text that should be JSON: V8's own message may quote the text, and with it a secret, or give no place. */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    const end = space(text, value(text, space(text, 0)))
    if (end < text.length) throw new Fault(end, 'nothing may follow the closing brace')
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const before = text.slice(0, error.at).split('\n')
    return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: error.message }
  }
}

const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y

/** Each of these takes where something begins and gives where it ends. */
function value(text: string, at: number): number {
  if (text[at] === '{') return members(text, at)
  if (text[at] === '[') return elements(text, at)
  if (text[at] === '"') return string(text, at)
  LITERAL.lastIndex = at
  const found = LITERAL.exec(text)
  if (found === null) throw new Fault(at, at >= text.length ? 'the text ends early' : 'expected a value')
  return at + found[0].length
}

function members(text: string, start: number): number {
  const seen = new Set<string>()
  let at = space(text, start + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text[at] !== '"') throw new Fault(at, expected(text, at, 'a key in double quotes'))
    const end = string(text, at)
    const key = JSON.parse(text.slice(at, end)) as string
    if (seen.has(key)) throw new Fault(at, `the key ${JSON.stringify(key)} is given twice`)
    seen.add(key)
    at = space(text, end)
    if (text[at] !== ':') throw new Fault(at, expected(text, at, 'a colon'))
    at = space(text, value(text, space(text, at + 1)))
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw new Fault(at, expected(text, at, 'a comma or a closing brace'))
    at = space(text, at + 1)
    if (text[at] === '}') throw new Fault(at, 'no comma may stand before a closing brace')
  }
}

function elements(text: string, start: number): number {
  let at = space(text, start + 1)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = space(text, value(text, at))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw new Fault(at, expected(text, at, 'a comma or a closing bracket'))
    at = space(text, at + 1)
    if (text[at] === ']') throw new Fault(at, 'no comma may stand before a closing bracket')
  }
}

function string(text: string, at: number): number {
  STRING.lastIndex = at
  const found = STRING.exec(text)
  if (found === null) throw new Fault(at, 'this string is not closed, or holds a line break or a bad escape')
  return at + found[0].length
}

function space(text: string, at: number): number {
  let end = at
  while (text[end] === ' ' || text[end] === '\n' || text[end] === '\t' || text[end] === '\r') end += 1
  if (text.startsWith('//', end) || text.startsWith('/*', end)) throw new Fault(end, 'JSON has no comments')
  return end
}

function expected(text: string, at: number, what: string): string {
  return at >= text.length ? `the text ends early: expected ${what}` : `expected ${what}`
}
