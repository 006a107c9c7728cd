/** The strict scanner of one JSON value: as `json-scan.ts`, and it proves every byte, where input comes from files that anybody may have edited. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const SPACE = 0x20

const MAX_DEPTH = 2000
/** 1 for each container that is open and is an object. */
const isObjectAt = new Uint8Array(MAX_DEPTH + 1)

/** Bounds of the text between the quotes of the two members, at depth 1; -1 when absent, empty, not a string, not ASCII, or escaped. */
export const checked = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }

/** What `checkJson` returns for a value that is not over before `limit`. */
export const CUT_OFF = -1

/** Where the value stopped being JSON, from what `checkJson` returned; undefined for what was only cut off. */
export function brokenAt(answer: number): number | undefined {
  return answer <= -2 ? -2 - answer : undefined
}

/**
 * The index after the JSON value that begins at `start`, as strict as JSON.parse but for UTF-8 and nesting beyond 2,000 levels; sets `checked`.
 * `CUT_OFF` when it is not over before `limit`; below that, `brokenAt` tells the place of the error.
 * Repeated keys end with the last one; where a key at depth 1 holds an escape, both members count as absent, for it could be either.
 */
export function checkJson(
  bytes: Uint8Array,
  start: number,
  limit: number,
  idKey: Uint8Array,
  timeKey: Uint8Array,
): number {
  const [idLength, timeLength] = [idKey.length, timeKey.length]
  let [idStart, idEnd, timeStart, timeEnd] = [-1, -1, -1, -1]
  let isEscapedKey = false
  let depth = 0
  let i = start
  let isKey = false
  for (;;) {
    // A value begins at i, or the name of a member.
    if (i >= limit) return CUT_OFF
    const c = bytes[i] as number
    if (c === QUOTE) {
      const from = i + 1
      let isEscaped = false
      i = from
      for (;;) {
        let s = bytes[i] as number
        while (s >= SPACE && s !== QUOTE && s !== BACKSLASH) {
          i += 1
          s = bytes[i] as number
        }
        if (i >= limit) return CUT_OFF
        if (s === QUOTE) break
        if (s !== BACKSLASH) return -2 - i
        isEscaped = true
        const length = escapeLength(bytes, i, limit)
        if (length <= 0) return length === 0 ? -2 - i : CUT_OFF
        i += length
      }
      const length = i - from
      i += 1
      if (isKey) {
        isKey = false
        if (bytes[i] !== COLON) {
          i = skipBlank(bytes, i, limit)
          if (i >= limit) return CUT_OFF
          if (bytes[i] !== COLON) return -2 - i
        }
        i += 1
        if (i >= limit) return CUT_OFF
        if ((bytes[i] as number) <= SPACE) i = skipBlank(bytes, i, limit)
        if (depth === 1) {
          if (isEscaped) isEscapedKey = true
          else if (length === idLength && spells(bytes, from, idKey)) {
            idStart = bytes[i] === QUOTE ? i + 1 : -1
            idEnd = idStart < 0 ? -1 : plainEnd(bytes, idStart, limit)
            if (idEnd < 0) idStart = -1
          } else if (length === timeLength && spells(bytes, from, timeKey)) {
            timeStart = bytes[i] === QUOTE ? i + 1 : -1
            timeEnd = timeStart < 0 ? -1 : plainEnd(bytes, timeStart, limit)
            if (timeEnd < 0) timeStart = -1
          }
        }
        continue
      }
    } else if (isKey) {
      return -2 - i
    } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      if (depth === MAX_DEPTH) return -2 - i
      depth += 1
      isObjectAt[depth] = c === OPEN_BRACE ? 1 : 0
      i += 1
      if (i < limit && (bytes[i] as number) <= SPACE) i = skipBlank(bytes, i, limit)
      if (i >= limit) return CUT_OFF
      // Both closing characters are the opening one plus two.
      if (bytes[i] !== c + 2) {
        isKey = c === OPEN_BRACE
        continue
      }
      depth -= 1
      i += 1
    } else {
      const end = scalarEnd(bytes, i, limit)
      if (end < 0) return end
      i = end
    }
    // A value ended before i.
    for (;;) {
      if (depth === 0) {
        checked.idStart = isEscapedKey ? -1 : idStart
        checked.idEnd = isEscapedKey ? -1 : idEnd
        checked.timeStart = isEscapedKey ? -1 : timeStart
        checked.timeEnd = isEscapedKey ? -1 : timeEnd
        return i
      }
      if (i < limit && (bytes[i] as number) <= SPACE) i = skipBlank(bytes, i, limit)
      if (i >= limit) return CUT_OFF
      const d = bytes[i] as number
      const isObject = isObjectAt[depth] === 1
      if (d === COMMA) {
        i += 1
        if (i < limit && (bytes[i] as number) <= SPACE) i = skipBlank(bytes, i, limit)
        isKey = isObject
        break
      }
      if (d !== (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return -2 - i
      depth -= 1
      i += 1
    }
  }
}

/** The index after a number or a word, or what `checkJson` returns for none. A number that touches `limit` counts as over. */
export function scalarEnd(bytes: Uint8Array, start: number, limit: number): number {
  const c = bytes[start] as number
  if (c === 0x74) return wordEnd(bytes, start, limit, TRUE)
  if (c === 0x66) return wordEnd(bytes, start, limit, FALSE)
  if (c === 0x6e) return wordEnd(bytes, start, limit, NULL)
  let i = c === 0x2d ? start + 1 : start
  if (i >= limit) return CUT_OFF
  if (bytes[i] === 0x30) i += 1
  else {
    const digits = digitsEnd(bytes, i, limit)
    if (digits === i) return -2 - i
    i = digits
  }
  if (i < limit && bytes[i] === 0x2e) {
    const digits = digitsEnd(bytes, i + 1, limit)
    if (digits === i + 1) return digits >= limit ? CUT_OFF : -2 - digits
    i = digits
  }
  if (i < limit && ((bytes[i] as number) | 0x20) === 0x65) {
    const sign = bytes[i + 1] === 0x2b || bytes[i + 1] === 0x2d ? 1 : 0
    const digits = digitsEnd(bytes, i + 1 + sign, limit)
    if (digits === i + 1 + sign) return digits >= limit ? CUT_OFF : -2 - digits
    i = digits
  }
  return i
}

const TRUE = [0x74, 0x72, 0x75, 0x65]
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65]
const NULL = [0x6e, 0x75, 0x6c, 0x6c]

function wordEnd(bytes: Uint8Array, start: number, limit: number, word: readonly number[]): number {
  for (let k = 0; k < word.length; k += 1) {
    if (start + k >= limit) return CUT_OFF
    if (bytes[start + k] !== word[k]) return -2 - (start + k)
  }
  return start + word.length
}

function digitsEnd(bytes: Uint8Array, start: number, limit: number): number {
  let i = start
  while (i < limit && (bytes[i] as number) >= 0x30 && (bytes[i] as number) <= 0x39) i += 1
  return i
}

/** Bytes of the escape at `at`; 0 when it is none, -1 when it is not all there. */
export function escapeLength(bytes: Uint8Array, at: number, limit: number): number {
  if (at + 1 >= limit) return -1
  const c = bytes[at + 1] as number
  if (c === 0x75) {
    for (let i = at + 2; i < at + 6; i += 1) {
      if (i >= limit) return -1
      const h = bytes[i] as number
      if (!((h >= 0x30 && h <= 0x39) || ((h | 0x20) >= 0x61 && (h | 0x20) <= 0x66))) return 0
    }
    return 6
  }
  const isKnown =
    c === QUOTE ||
    c === BACKSLASH ||
    c === 0x2f ||
    c === 0x62 ||
    c === 0x66 ||
    c === 0x6e ||
    c === 0x72 ||
    c === 0x74
  return isKnown ? 2 : 0
}

function spells(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let k = 0; k < key.length; k += 1) if (bytes[at + k] !== key[k]) return false
  return true
}

/** The closing quote of a string of plain ASCII that is not empty, or -1. */
function plainEnd(bytes: Uint8Array, start: number, limit: number): number {
  for (let i = start; i < limit; i += 1) {
    const c = bytes[i] as number
    if (c === QUOTE) return i === start ? -1 : i
    if (c === BACKSLASH || c >= 0x80 || c < 0x20) return -1
  }
  return -1
}

function skipBlank(bytes: Uint8Array, start: number, limit: number): number {
  let i = start
  while (i < limit) {
    const c = bytes[i] as number
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break
    i += 1
  }
  return i
}
