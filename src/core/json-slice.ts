import { ContractError } from './errors.ts'
import type { JsonObject } from './event.ts'
import { EventScanner } from './event-scanner.ts'
import { compactJson, findMember, skipSpace } from './json-members.ts'
import { found } from './json-scan.ts'
import type { PageValues, ValueWish } from './page-values.ts'
import { SpanList } from './span-list.ts'

/**
 * Where events lie in `bytes`: event n is `bytes[starts[n], ends[n])`. `idStarts`, `idEnds`, `timeStarts` and `timeEnds` bound the text
 * between the quotes of its id and time; -1 when that member is absent, empty, not a string, not ASCII, or holds a backslash.
 */
export type EventSpans = {
  readonly bytes: Uint8Array
  readonly count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly idStarts: Int32Array
  readonly idEnds: Int32Array
  readonly timeStarts: Int32Array
  readonly timeEnds: Int32Array
  /** The same by row: six numbers for each event, in this order. */
  readonly rows: Int32Array
  /** Where the values of the events lie, when a scanner was given that remembers outlines and was told that they are wanted. */
  readonly values?: PageValues | undefined
  readonly wish?: ValueWish | undefined
  /** It was seen that no event holds a newline. */
  readonly isCompact?: boolean | undefined
  /** When the events happened, in milliseconds, where it is known already: then those with a plain id and time have been read before. */
  readonly times?: Float64Array | undefined
}

export type SliceOptions = {
  /** The key whose array holds the events, at depth 1; several keys lead deeper (`['data', 'auditLogs']`); undefined: the reply is the array. */
  readonly arrayKey: string | readonly string[] | undefined
  /** Where the id and the time stand at the top level of an event. */
  readonly idKey: string
  readonly timeKey: string
  /** Of the same keys, for one reply after the other of the same log: it comes to know the outlines of its events. */
  readonly scanner?: EventScanner
}

export type SlicedEvents = {
  readonly spans: EventSpans
  /** The reply without that array, parsed; `{}` where the reply is the array. */
  envelope(): JsonObject
}

const NEWLINE = 0x0a
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b

const encoder = new TextEncoder()
const decoder = new TextDecoder()
// A global's method rather than an import, for core imports nothing: a tenth of the cost of a decoder that only checks.
export const { isUtf8 } = process.getBuiltinModule('node:buffer')

/**
 * The events of a reply, found in its bytes without parsing them. Proven: the bytes are UTF-8, the reply around the array is JSON, the array
 * holds balanced objects and nothing else, and no event spans lines. Not proven: the inside of an event.
 * Returns undefined for whatever it cannot prove, pretty-printed JSON included; `sliceOrParse` then says what is wrong, if anything is.
 */
export function sliceEvents(bytes: Uint8Array, options: SliceOptions): SlicedEvents | undefined {
  const path = pathOf(options.arrayKey)
  const arrayStart = findArray(bytes, path)
  if (arrayStart < 0) return undefined
  const { scanner } = options
  const list = new SpanList(bytes, scanner)
  const arrayEnd = scanElements(
    bytes,
    arrayStart,
    scanner ?? new EventScanner(options, { learns: false }),
    list,
  )
  if (arrayEnd < 0 || !isUtf8(bytes)) return undefined
  const envelope = envelopeAround(bytes, arrayStart, arrayEnd, path)
  return envelope && { spans: list.spans({ isCompact: true }), envelope: () => envelope }
}

/**
 * The same for any JSON: a reply that the scanner cannot prove is parsed for its error, and copied without the blanks between its tokens.
 * @throws ContractError when the reply is not JSON, has no array under the key, or holds an element that is not an object
 */
export function sliceOrParse(bytes: Uint8Array, options: SliceOptions): SlicedEvents {
  const sliced = sliceEvents(bytes, options)
  if (sliced !== undefined) return sliced
  const path = pathOf(options.arrayKey)
  const reply = parseReply(bytes)
  const events = memberAt(reply, path)
  if (!Array.isArray(events))
    throw new ContractError(`The reply holds no array${path.length === 0 ? '' : ` under ${nameOf(path)}`}`)
  checkElements(events, path)
  // Written anew only where even that fails (the array's key twice): numbers keep their spelling otherwise.
  const compact = sliceEvents(compactJson(bytes), options)
  return compact ?? { spans: spansOf(events, options), envelope: () => without(reply, path) }
}

/** Spans of objects that exist only as values, in a buffer made for them. */
export function spansOf(
  events: readonly unknown[],
  keys: { readonly idKey: string; readonly timeKey: string },
): EventSpans {
  const bytes = encoder.encode(`[${events.map((event) => JSON.stringify(event)).join(',')}]`)
  const list = new SpanList(bytes)
  scanElements(bytes, 0, new EventScanner(keys, { learns: false }), list)
  return list.spans()
}

/** The index after the array, or -1, also where an event spans lines or begins on another than the one before. */
function scanElements(bytes: Uint8Array, arrayStart: number, scanner: EventScanner, list: SpanList): number {
  const limit = bytes.length
  let i = skipSpace(bytes, arrayStart + 1, limit)
  if (i < limit && bytes[i] === CLOSE_BRACKET) return i + 1
  for (;;) {
    if (i >= limit || bytes[i] !== OPEN_BRACE) return -1
    const end = scanner.scan(bytes, i)
    // What is recognised holds no newline.
    if (end < 0 || (!scanner.isKnown && hasNewline(bytes, i, end))) return -1
    list.add(i, end, found, scanner.isKnown)
    i = bytes[end] === COMMA ? end : skipSpace(bytes, end, limit)
    if (i >= limit) return -1
    if (bytes[i] === CLOSE_BRACKET) return i + 1
    if (bytes[i] !== COMMA) return -1
    i = bytes[i + 1] === OPEN_BRACE ? i + 1 : skipSpace(bytes, i + 1, limit)
    if (i > end + 1 && hasNewline(bytes, end, i)) return -1
  }
}

/** The index of the bracket that opens the array at the path, or -1. Stops there: the array is walked once. */
function findArray(bytes: Uint8Array, path: readonly string[]): number {
  let at = skipSpace(bytes, 0, bytes.length)
  for (const key of path) {
    at = findMember(bytes, at, bytes.length, encoder.encode(key))
    if (at < 0) return -1
  }
  return at < bytes.length && bytes[at] === OPEN_BRACKET ? at : -1
}

function hasNewline(bytes: Uint8Array, start: number, end: number): boolean {
  return bytes.subarray(start, end).includes(NEWLINE)
}

// Stands for the array while what surrounds it is parsed; a repeated key would put something else in its place.
const STAND_IN = '\u0000events\u0000'

function envelopeAround(
  bytes: Uint8Array,
  arrayStart: number,
  arrayEnd: number,
  path: readonly string[],
): JsonObject | undefined {
  const before = decoder.decode(bytes.subarray(0, arrayStart))
  const after = decoder.decode(bytes.subarray(arrayEnd))
  let reply: unknown
  try {
    reply = JSON.parse(`${before}${JSON.stringify(STAND_IN)}${after}`)
  } catch {
    return undefined
  }
  return memberAt(reply, path) === STAND_IN ? without(reply, path) : undefined
}

function parseReply(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw new ContractError(`The reply (${bytes.length} bytes) is not UTF-8`)
  const text = decoder.decode(bytes)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const start = JSON.stringify(text.slice(0, 80))
    throw new ContractError(`The reply (${bytes.length} bytes) is not JSON; it begins with ${start}`, {
      cause,
      hint: /^\s*</.test(text) ? 'a proxy or a login page may have answered: check the URL' : undefined,
    })
  }
}

function checkElements(events: readonly unknown[], path: readonly string[]): void {
  for (const [position, event] of events.entries()) {
    if (isObject(event)) continue
    const seen = JSON.stringify(event).slice(0, 60)
    throw new ContractError(`Element ${position} of ${nameOf(path)} is not an object but ${seen}`)
  }
}

function nameOf(path: readonly string[]): string {
  return path.length === 0 ? 'the reply' : path.join('.')
}

function pathOf(key: string | readonly string[] | undefined): readonly string[] {
  if (key === undefined) return []
  return typeof key === 'string' ? [key] : key
}

function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inside, key) => (isObject(inside) ? inside[key] : undefined), value)
}

function without(reply: unknown, path: readonly string[]): JsonObject {
  const [key, ...rest] = path
  if (key === undefined || !isObject(reply)) return {}
  const { [key]: inner, ...others } = reply
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
