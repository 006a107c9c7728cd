/** Walking JSON bytes without making objects of them. What is skipped is proven to be balanced, not to be valid inside. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
// `{` and `[`, and `}` and `]`, are the same byte but for one bit.
const CASE = 0xdf
const OPEN = 0x5b
const CLOSE = 0x5d

/** Bounds of the text between the quotes of a key, and of its value. */
export type VisitMember = (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void

/**
 * Visits the top-level members of the object in `bytes[start, end)` in their order, repeats included; makes no object itself.
 * Keys are visited as spelled: an escape in a key is left to the visitor.
 * Returns the index after the closing brace, or -1 when this is not an object that could be walked to its end.
 */
export function memberSpans(bytes: Uint8Array, start: number, end: number, visit: VisitMember): number {
  let i = skipSpace(bytes, start, end)
  if (i >= end || bytes[i] !== OPEN_BRACE) return -1
  i = skipSpace(bytes, i + 1, end)
  if (i < end && bytes[i] === CLOSE_BRACE) return i + 1
  for (;;) {
    if (i >= end || bytes[i] !== QUOTE) return -1
    const keyStart = i + 1
    const keyEnd = closingQuote(bytes, keyStart, end)
    if (keyEnd < 0) return -1
    i = skipSpace(bytes, keyEnd + 1, end)
    if (i >= end || bytes[i] !== COLON) return -1
    const valueStart = skipSpace(bytes, i + 1, end)
    const valueEnd = skipValue(bytes, valueStart, end)
    if (valueEnd < 0) return -1
    visit(keyStart, keyEnd, valueStart, valueEnd)
    i = skipSpace(bytes, valueEnd, end)
    if (i >= end) return -1
    if (bytes[i] === CLOSE_BRACE) return i + 1
    if (bytes[i] !== COMMA) return -1
    i = skipSpace(bytes, i + 1, end)
  }
}

/** Where the value of the first member with that key begins, or -1. What follows it is not looked at. */
export function findMember(bytes: Uint8Array, start: number, end: number, key: Uint8Array): number {
  let i = skipSpace(bytes, start, end)
  if (i >= end || bytes[i] !== OPEN_BRACE) return -1
  do {
    const quote = skipSpace(bytes, i + 1, end)
    const keyEnd = bytes[quote] === QUOTE ? closingQuote(bytes, quote + 1, end) : -1
    if (keyEnd < 0) return -1
    const colon = skipSpace(bytes, keyEnd + 1, end)
    const value = skipSpace(bytes, colon + 1, end)
    if (value >= end || bytes[colon] !== COLON) return -1
    if (spells(bytes, quote + 1, keyEnd, key)) return value
    i = skipValue(bytes, value, end)
    if (i < 0) return -1
    i = skipSpace(bytes, i, end)
  } while (i < end && bytes[i] === COMMA)
  return -1
}

/** The same JSON without the blanks between its tokens; every token keeps its spelling. */
export function compactJson(bytes: Uint8Array): Uint8Array {
  const compact = new Uint8Array(bytes.length)
  let length = 0
  for (let i = hasMark(bytes) ? 3 : 0; i < bytes.length; ) {
    const from = i
    if (bytes[i] === QUOTE) {
      const close = closingQuote(bytes, i + 1, bytes.length)
      i = close < 0 ? bytes.length : close + 1
    } else {
      i += 1
      if (isSpace(bytes[from] as number)) continue
    }
    for (let k = from; k < i; k += 1) {
      compact[length] = bytes[k] as number
      length += 1
    }
  }
  return compact.subarray(0, length)
}

/** A byte order mark, which some servers put before JSON. */
function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

/** The index after the value that begins at `start`, or -1 when it does not end before `end`. */
export function skipValue(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  if (i >= end) return -1
  const first = bytes[i] as number
  if (first === QUOTE) {
    const close = closingQuote(bytes, i + 1, end)
    return close < 0 ? -1 : close + 1
  }
  if ((first & CASE) !== OPEN) {
    while (i < end && isBare(bytes[i] as number)) i += 1
    return i === start ? -1 : i
  }
  let depth = 0
  while (i < end) {
    const c = bytes[i] as number
    i += 1
    if (c === QUOTE) {
      i = closingQuote(bytes, i, end) + 1
      if (i === 0) return -1
    } else if ((c & CASE) === OPEN) depth += 1
    else if ((c & CASE) === CLOSE) {
      depth -= 1
      // The two closing bytes are two above their opening ones.
      if (depth === 0) return c === first + 2 ? i : -1
    }
  }
  return -1
}

/** The index of the quote that closes the string whose text begins at `start`, or -1. */
export function closingQuote(bytes: Uint8Array, start: number, end: number): number {
  // A body that was cut off must not run past the end: the bound is checked at every turn. Four bytes a turn, as in `scanEvent`.
  const last = end - 3
  let i = start
  for (;;) {
    while (i < last) {
      let c = bytes[i] as number
      if (c === QUOTE || c === BACKSLASH) break
      c = bytes[i + 1] as number
      if (c === QUOTE || c === BACKSLASH) {
        i += 1
        break
      }
      c = bytes[i + 2] as number
      if (c === QUOTE || c === BACKSLASH) {
        i += 2
        break
      }
      c = bytes[i + 3] as number
      if (c === QUOTE || c === BACKSLASH) {
        i += 3
        break
      }
      i += 4
    }
    if (i >= end) return -1
    const c = bytes[i] as number
    if (c === QUOTE) return i
    i += c === BACKSLASH ? 2 : 1
  }
}

export function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  while (i < end && isSpace(bytes[i] as number)) i += 1
  return i
}

/** Whether `bytes[start, end)` are exactly those of `text`. */
export function spells(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text[i]) return false
  return true
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}

/** Of a number, `true`, `false` or `null`. */
function isBare(c: number): boolean {
  return c > 0x20 && c !== COMMA && c !== COLON && c !== QUOTE && (c & CASE) !== CLOSE && (c & CASE) !== OPEN
}
