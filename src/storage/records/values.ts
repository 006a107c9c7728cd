import { brokenAt, CUT_OFF, checkJson } from '../../core/json-check.ts'
import { envelopeArray } from './envelope.ts'
import type { Spans, Splitter } from './spans.ts'

const NO_KEY = new Uint8Array()
const TAB = 0x09
const NEWLINE = 0x0a
const SPACE = 0x20
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * JSON values one after the other, whatever whitespace, line breaks and commas lie between and inside them: the elements of an array, of
 * several arrays, of the array in an envelope (`{"events":[…],"nextCursor":null}`), or values without an array around them. Where a value is
 * broken, the record ends with the line of the error, and the search goes on after it.
 */
export class ValueSplitter implements Splitter {
  /** Brackets that are open around the values. */
  #depth = 0
  /** The array that is open belongs to an envelope, whose other members are passed over. */
  #isInEnvelope = false
  #isCutOff = false

  split(bytes: Buffer, from: number, limit: number, isLast: boolean, spans: Spans): number {
    let i = from
    for (;;) {
      i = skipBetween(bytes, i, limit)
      if (i >= limit) {
        this.#isCutOff ||= isLast && this.#depth > 0
        return limit
      }
      const c = bytes[i] as number
      if (c === OPEN_BRACKET && this.#depth === 0) {
        this.#depth = 1
        i += 1
        continue
      }
      if (c === CLOSE_BRACKET && this.#depth === 1) {
        const end = this.#isInEnvelope ? envelopeEnd(bytes, i + 1, limit) : i + 1
        if (end === CUT_OFF && !isLast) return i
        this.#isCutOff = end === CUT_OFF
        this.#depth = 0
        this.#isInEnvelope = false
        i = end < 0 ? limit : end
        continue
      }
      if (c === OPEN_BRACE && this.#depth === 0) {
        const array = envelopeArray(bytes, i, limit)
        if (array === CUT_OFF && !isLast) return i
        if (array >= 0) {
          this.#depth = 1
          this.#isInEnvelope = true
          i = array + 1
          continue
        }
      }
      const end = checkJson(bytes, i, limit, NO_KEY, NO_KEY)
      // A number that touches the limit may go on behind it.
      if ((end === CUT_OFF || end === limit) && !isLast) return i
      if (end >= 0) {
        spans.add(i, end)
        i = end
      } else {
        const next = nextStart(bytes, i, Math.max(i, brokenAt(end) ?? i), limit)
        if (next < 0 && !isLast) return i
        const stop = next < 0 ? limit : next
        spans.add(i, stop)
        i = stop
      }
    }
  }

  problem(): string | undefined {
    return this.#isCutOff ? 'the file ends before its JSON does' : undefined
  }
}

/**
 * Where to look for the next value after the one at `start`, which broke at `place`: behind the line of the error. What a broken object left
 * is passed over, up to an object that begins a line and is indented no deeper.
 */
function nextStart(bytes: Buffer, start: number, place: number, limit: number): number {
  const isObject = bytes[start] === OPEN_BRACE
  const indent = indentOf(bytes, start)
  if (isObject && place > start && bytes[place] === OPEN_BRACE && indentOf(bytes, place) <= indent)
    return place
  for (let i = place; ; ) {
    const newline = bytes.indexOf(NEWLINE, i)
    if (newline < 0 || newline >= limit) return -1
    i = newline + 1
    if (!isObject) return i
    const first = skipBetween(bytes, i, limit)
    if (bytes[first] === OPEN_BRACE && indentOf(bytes, first) <= indent) return first
  }
}

/** Blanks before `at` on its line; endless when something else stands before it. */
function indentOf(bytes: Buffer, at: number): number {
  let i = at
  while (i > 0 && (bytes[i - 1] === SPACE || bytes[i - 1] === TAB || bytes[i - 1] === COMMA)) i -= 1
  return i === 0 || bytes[i - 1] === NEWLINE ? at - i : Number.POSITIVE_INFINITY
}

/** The index after an envelope whose array ended before `start`: its other members are read as those of an object. */
function envelopeEnd(bytes: Buffer, start: number, limit: number): number {
  let i = skipBlank(bytes, start, limit)
  while (i < limit && bytes[i] === COMMA) {
    // A name and a colon, then a value.
    const name = checkJson(bytes, skipBlank(bytes, i + 1, limit), limit, NO_KEY, NO_KEY)
    if (name < 0) return name
    const colon = skipBlank(bytes, name, limit)
    const value = checkJson(bytes, skipBlank(bytes, colon + 1, limit), limit, NO_KEY, NO_KEY)
    if (value < 0) return value
    i = skipBlank(bytes, value, limit)
  }
  return i >= limit ? CUT_OFF : i + 1
}

function skipBetween(bytes: Buffer, start: number, limit: number): number {
  let i = start
  while (i < limit && (isBlank(bytes[i] as number) || bytes[i] === COMMA)) i += 1
  return i
}

function skipBlank(bytes: Buffer, start: number, limit: number): number {
  let i = start
  while (i < limit && isBlank(bytes[i] as number)) i += 1
  return i
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09
}
