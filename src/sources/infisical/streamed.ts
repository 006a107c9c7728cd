import type { AuditEvent } from '../../core/event.ts'
import { memberSpans, skipValue } from '../../core/json-members.ts'
import type { Streamed, StreamedSettings } from '../../core/source.ts'
import { DAY_MS, isoTime } from '../../core/time-range.ts'

/** Top-level members in the order of the query API, then those of `event` and of `actor`. */
const KEYS = [
  'id',
  'ipAddress',
  'userAgent',
  'userAgentType',
  'expiresAt',
  'createdAt',
  'updatedAt',
  'orgId',
  'projectId',
  'projectName',
  'event',
  'actor',
  'event.type',
  'event.metadata',
  'actor.type',
  'actor.metadata',
] as const
const indexOf = (key: (typeof KEYS)[number]): number => KEYS.indexOf(key)
const EVENT = indexOf('event')
const ACTOR = indexOf('actor')
const UPDATED_AT = indexOf('updatedAt')
const EXPIRES_AT = indexOf('expiresAt')
const PROJECT_NAME = indexOf('projectName')

/** What stands before each value when the server wrote the row in its usual order. */
const TOKENS = [
  ...KEYS.slice(0, EVENT).map((key, index) => `${index === 0 ? '{' : ','}"${key}":`),
  ',"event":{"type":',
  ',"metadata":',
  '},"actor":{"type":',
  ',"metadata":',
].map((token) => new TextEncoder().encode(token))
/** Where the value after each token is noted. */
const PLACES = [
  ...KEYS.slice(0, EVENT).keys(),
  ...(['event.type', 'event.metadata', 'actor.type', 'actor.metadata'] as const).map(indexOf),
]

/** Bounds of the values in the event's text; start -1 where a member is absent. */
const from = new Int32Array(KEYS.length)
const to = new Int32Array(KEYS.length)

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const LOWER_N = 0x6e

const NOTHING: readonly string[] = []
const NO_EXPIRY: readonly string[] = ['expiresAt']

/**
 * The flat object of the product's own streams, in the key order of its outbox (by length, then bytes), every value copied as spelled.
 * What the product turned into `""` under ClickHouse is turned here; an `expiresAt` that the API gives as null is named as lost, unless
 * the retention is known.
 */
export function asStreamed(event: AuditEvent, settings: StreamedSettings): Streamed {
  let { buffer, start, end } = event
  // Latin-1 keeps every byte as one character: strings are cut and joined several times faster than bytes, and come out the same.
  let text = latin1(buffer, start, end)
  if (!findInOrder(buffer, start, end) && !findInAnyOrder(buffer, start, end)) {
    // A key spelled with escapes: the parser settles what it means.
    buffer = Buffer.from(JSON.stringify(event.record()))
    start = 0
    end = buffer.length
    text = latin1(buffer, start, end)
    findInAnyOrder(buffer, start, end)
  }
  const isClickHouse = settings.store === 'clickhouse'
  const absent = isClickHouse ? '""' : 'null'
  const createdAt = member(text, 5, 'null')
  let expiresAt = member(text, EXPIRES_AT, '')
  let notRebuilt = NOTHING
  if (expiresAt === '') {
    if (settings.retentionDays === undefined) notRebuilt = NO_EXPIRY
    expiresAt =
      settings.retentionDays === undefined
        ? 'null'
        : `"${isoTime(event.occurredAtMs + settings.retentionDays * DAY_MS)}"`
  }
  const projectName = isClickHouse ? '' : member(text, PROJECT_NAME, '')
  const streamed =
    `{"id":${member(text, 0, 'null')},"actor":${member(text, 14, 'null')},"orgId":${member(text, 7, 'null')}` +
    `,"createdAt":${createdAt},"eventType":${member(text, 12, 'null')},"expiresAt":${expiresAt}` +
    `,"ipAddress":${member(text, 1, absent)},"projectId":${member(text, 8, absent)}` +
    `,"updatedAt":${member(text, UPDATED_AT, createdAt)},"userAgent":${member(text, 2, absent)}` +
    `${projectName === '' ? '' : `,"projectName":${projectName}`},"actorMetadata":${metadata(text, 15)}` +
    `,"eventMetadata":${metadata(text, 13)},"userAgentType":${member(text, 3, absent)}}`
  return { bytes: bytesOf(streamed), notRebuilt }
}

function member(text: string, index: number, absent: string): string {
  const start = from[index] as number
  return start < 0 || text.charCodeAt(start) === LOWER_N ? absent : text.slice(start, to[index] as number)
}

/** Metadata is always an object in a stream. */
function metadata(text: string, index: number): string {
  const start = from[index] as number
  const first = start < 0 ? 0 : text.charCodeAt(start)
  if (first === OPEN_BRACE) return text.slice(start, to[index] as number)
  return first === OPEN_BRACKET ? `{"data":${text.slice(start, to[index] as number)}}` : '{}'
}

/** The usual row, known by its exact tokens: members, order and nothing else. False for any other. */
function findInOrder(buffer: Uint8Array, start: number, end: number): boolean {
  let at = start
  for (let i = 0; i < TOKENS.length; i += 1) {
    const token = TOKENS[i] as Uint8Array
    for (let k = 0; k < token.length; k += 1) if (buffer[at + k] !== token[k]) return false
    at += token.length
    const place = PLACES[i] as number
    from[place] = at - start
    const first = buffer[at]
    if (first === QUOTE && isUuid(buffer, at)) at += UUID_BYTES
    else if (first === QUOTE && isTime(buffer, at)) at += TIME_BYTES
    else if (first === QUOTE) {
      do at += 1
      while (at < end && buffer[at] !== QUOTE && buffer[at] !== BACKSLASH)
      if (buffer[at] !== QUOTE) return false
      at += 1
    } else {
      at = skipValue(buffer, at, end)
      if (at < 0) return false
    }
    to[place] = at - start
  }
  return at === end - 2 && buffer[at] === CLOSE_BRACE && buffer[at + 1] === CLOSE_BRACE
}

// With their quotes. Most of a row's text is in these two forms, which need no search for their end.
const UUID_BYTES = 38
const TIME_BYTES = 26
const DASH = 0x2d

function isUuid(b: Uint8Array, at: number): boolean {
  const isDashed = b[at + 9] === DASH && b[at + 14] === DASH && b[at + 19] === DASH && b[at + 24] === DASH
  return isDashed && b[at + 37] === QUOTE
}

function isTime(b: Uint8Array, at: number): boolean {
  // The digits of a UTC time to the millisecond stand between these.
  const isDay = b[at + 5] === DASH && b[at + 8] === DASH && b[at + 11] === 0x54
  return isDay && b[at + 20] === 0x2e && b[at + 24] === 0x5a && b[at + 25] === QUOTE
}

/** Any row that spells its keys without escapes. */
function findInAnyOrder(buffer: Uint8Array, start: number, end: number): boolean {
  from.fill(-1)
  return (
    walk(buffer, start, end, '', start) &&
    walk(buffer, start + (from[EVENT] as number), start + (to[EVENT] as number), 'event.', start) &&
    walk(buffer, start + (from[ACTOR] as number), start + (to[ACTOR] as number), 'actor.', start)
  )
}

function walk(buffer: Uint8Array, start: number, end: number, prefix: string, base: number): boolean {
  if (start < base || buffer[start] !== OPEN_BRACE) return true
  let isPlain = true
  const after = memberSpans(buffer, start, end, (keyStart, keyEnd, valueStart, valueEnd) => {
    const key = latin1(buffer, keyStart, keyEnd)
    if (key.includes('\\')) isPlain = false
    const index = (KEYS as readonly string[]).indexOf(prefix + key)
    // A dot in a key of the row itself is no path.
    if (index < 0 || key.includes('.')) return
    from[index] = valueStart - base
    to[index] = valueEnd - base
  })
  return after >= 0 && isPlain
}

function latin1(buffer: Uint8Array, start: number, end: number): string {
  return bufferOf(buffer).toString('latin1', start, end)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

const SLAB_BYTES = 256 * 1024
let slab = Buffer.alloc(0)
let used = 0

/** In a slab of its own that nobody writes to again. */
function bytesOf(text: string): Uint8Array {
  if (used + text.length > slab.length) {
    slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, text.length))
    used = 0
  }
  const bytes = slab.subarray(used, used + text.length)
  used += slab.write(text, used, 'latin1')
  return bytes
}
