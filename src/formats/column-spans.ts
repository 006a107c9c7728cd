import { closingQuote, skipValue } from '../core/json-members.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACE = 0x7d
const CASE = 0xdf
const OPEN = 0x5b
const CLOSE = 0x5d
const BACKSLASH = 0x5c
/** The first letter of `null`. */
const NULL = 0x6e

const UNKNOWN = -1
const ESCAPED = -2

/** What stands in a column: nothing, a string, a number or a word, an object or array, or one of these with blanks between its tokens. */
export const ABSENT = 0
export const STRING = 1
export const BARE = 2
export const NESTED = 3
export const SPACED = 4

type Key = {
  readonly key: Uint8Array
  /** The slot of the column that ends here, or -1. */
  slot: number
  readonly inside: Level
  /** A literal key with a dot in it would win over the path: such an event is left to the reference. */
  isTrap: boolean
  /** The event that last had it. */
  seen: number
}
type Level = { readonly keys: Key[] }

/**
 * Finds the values of columns (dotted paths) in an event's bytes in one pass and without objects. For slot n, `kinds[n]` tells what
 * `[starts[n], ends[n])` holds. Strings are bounded inside their quotes.
 */
export class ColumnSpans {
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly kinds: Uint8Array
  /** The slot of each column; a column named twice has one slot. */
  readonly slots: readonly number[]
  readonly #root: Level = { keys: [] }
  #bytes: Uint8Array = new Uint8Array()
  #end = 0
  #event = 0

  constructor(columns: readonly string[]) {
    const names = [...new Set(columns)]
    this.slots = columns.map((column) => names.indexOf(column))
    for (const [slot, name] of names.entries()) addColumn(this.#root, name.split('.'), slot)
    this.starts = new Int32Array(names.length)
    this.ends = new Int32Array(names.length)
    this.kinds = new Uint8Array(names.length)
  }

  /** False for whatever is unusual: blanks, escaped or repeated keys, arrays on a path, keys with a dot, an object that does not end. */
  find(bytes: Uint8Array, start: number, end: number): boolean {
    this.kinds.fill(ABSENT)
    this.#bytes = bytes
    this.#end = end
    this.#event += 1
    return bytes[start] === OPEN_BRACE && this.#walk(start, this.#root) === end
  }

  /** The index after the object that begins at `start`, or -1. */
  #walk(start: number, level: Level): number {
    const bytes = this.#bytes
    const end = this.#end
    const keys = level.keys
    let hint = 0
    let i = start + 1
    if (bytes[i] === CLOSE_BRACE) return i + 1
    for (;;) {
      if (bytes[i] !== QUOTE) return -1
      const from = i + 1
      // Keys mostly come in the same order: the one after the last is tried first, and then its end need not be looked for.
      let found = -1
      const likely = keys[hint] as Key
      i = from + likely.key.length
      if (bytes[i] === QUOTE && matches(bytes, from, likely.key)) found = hint
      else {
        i = closingQuote(bytes, from, end)
        if (i < 0) return -1
        found = this.#lookUp(level, from, i)
        if (found === ESCAPED) return -1
      }
      if (bytes[i + 1] !== COLON) return -1
      i += 2
      if (found < 0) i = skipValue(bytes, i, end)
      else {
        const key = keys[found] as Key
        hint = found + 1 < keys.length ? found + 1 : 0
        if (key.isTrap || key.seen === this.#event) return -1
        key.seen = this.#event
        i = this.#value(i, key)
      }
      if (i < 0 || i >= end) return -1
      const c = bytes[i]
      i += 1
      if (c === CLOSE_BRACE) return i
      if (c !== COMMA) return -1
    }
  }

  /** The position of the key among those of the level, `UNKNOWN`, or `ESCAPED` for one that could be any. */
  #lookUp(level: Level, from: number, to: number): number {
    const length = to - from
    for (let at = 0; at < level.keys.length; at += 1) {
      const { key } = level.keys[at] as Key
      if (key.length === length && matches(this.#bytes, from, key)) return at
    }
    for (let i = from; i < to; i += 1) if (this.#bytes[i] === BACKSLASH) return ESCAPED
    return UNKNOWN
  }

  #value(start: number, key: Key): number {
    const first = this.#bytes[start] as number
    if (key.inside.keys.length === 0) return this.#leaf(start, first, key.slot)
    if (first === OPEN_BRACKET) return -1
    if (first === OPEN_BRACE) {
      const after = this.#walk(start, key.inside)
      if (after < 0 || key.slot < 0) return after
    }
    return key.slot < 0 ? skipValue(this.#bytes, start, this.#end) : this.#leaf(start, first, key.slot)
  }

  #leaf(start: number, first: number, slot: number): number {
    if (first === QUOTE) {
      const close = closingQuote(this.#bytes, start + 1, this.#end)
      return this.#keep(slot, start + 1, close, STRING) + 1
    }
    if ((first & CASE) === OPEN) return this.#nested(start, slot)
    const after = skipValue(this.#bytes, start, this.#end)
    return first === NULL ? after : this.#keep(slot, start, after, BARE)
  }

  #nested(start: number, slot: number): number {
    const bytes = this.#bytes
    const end = this.#end
    let kind = NESTED
    let depth = 0
    for (let i = start; i < end; ) {
      const c = bytes[i] as number
      i += 1
      if (c === QUOTE) {
        i = closingQuote(bytes, i, end) + 1
        if (i === 0) return -1
      } else if ((c & CASE) === OPEN) depth += 1
      else if ((c & CASE) === CLOSE) {
        depth -= 1
        if (depth === 0) return this.#keep(slot, start, i, kind)
      } else if (c <= 0x20) kind = SPACED
    }
    return -1
  }

  #keep(slot: number, start: number, end: number, kind: number): number {
    this.starts[slot] = start
    this.ends[slot] = end
    this.kinds[slot] = kind
    return end
  }
}

function addColumn(root: Level, path: readonly string[], slot: number): void {
  let level = root
  for (const [depth, step] of path.entries()) {
    const isLast = depth === path.length - 1
    if (!isLast) keyOf(level, path.slice(depth).join('.')).isTrap = true
    const key = keyOf(level, step)
    if (isLast) key.slot = slot
    level = key.inside
  }
}

function keyOf(level: Level, name: string): Key {
  const bytes = new TextEncoder().encode(name)
  const known = level.keys.find(({ key }) => Buffer.from(key).equals(bytes))
  if (known !== undefined) return known
  const key: Key = { key: bytes, slot: -1, inside: { keys: [] }, isTrap: false, seen: 0 }
  level.keys.push(key)
  return key
}

function matches(bytes: Uint8Array, from: number, key: Uint8Array): boolean {
  for (let k = 0; k < key.length; k += 1) if (bytes[from + k] !== key[k]) return false
  return true
}
