import { instantOf } from './instant.ts'
import { type EventValues, type PageValues, readValues, type ValueWish } from './page-values.ts'
import type { EpochMs } from './time-range.ts'

export type JsonObject = { readonly [key: string]: unknown }
export type EventId = string

/** Who did what to what: read from the parsed record by the source that knows its shape. */
export type EventReader = {
  /** The source type (`infisical`), the same for every event it returns. */
  readonly type: string
  actor(record: JsonObject): string | undefined
  action(record: JsonObject): string
  target(record: JsonObject): string | undefined
}

/** One audit log entry, in its native shape, as bytes that are never re-serialised on a pass-through path. */
export interface AuditEvent {
  /** The source type, `infisical`. */
  readonly source: string
  /** Unique within its source; the source's own id, never one we made up. */
  readonly id: EventId
  /** RFC 3339, with every fraction digit the source sent. */
  readonly occurredAt: string
  /** The same instant rounded down; for windows and sorting, never for output. */
  readonly occurredAtMs: EpochMs
  readonly actor: string | undefined
  readonly action: string
  readonly target: string | undefined
  /** Where the event's own JSON lies: `buffer[start, end)`. Hot paths copy from here; `bytes` makes a view of it. */
  readonly buffer: Uint8Array
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
  /** The same, parsed on first use and kept; for filters, checks and tables. Nothing writes to it. */
  record(): JsonObject
}

const utf8 = new TextDecoder('utf-8')

/** Bounds of an event and of the texts between the quotes of its id and time, plain ASCII without escapes, in the bytes of a reply. */
export type Span = {
  readonly start: number
  readonly end: number
  readonly idStart: number
  readonly idEnd: number
  readonly timeStart: number
  readonly timeEnd: number
}

/** What the events of one reply have in common. `rows` holds six numbers for each, in the order of `Span`, all counted from `base`. */
export type SpanPage = {
  readonly reader: EventReader
  readonly buffer: Uint8Array
  readonly rows: Int32Array
  readonly base: number
  /** When they happened, in the order of the rows. */
  readonly times: Float64Array
  /** In the order of the rows, where who found the events knows. */
  readonly values?: PageValues | undefined
  /** Where to say that they are missed. */
  readonly wish?: ValueWish | undefined
  /** It was seen that no event holds a newline. */
  readonly isCompact?: boolean | undefined
}
export const SPAN_FIELDS = 6

/** Events `first` to `first + count` of a page. */
export type SpanRun = { readonly page: SpanPage; readonly first: number; readonly count: number }

/**
 * An event that is a span of a larger reply. Everything is read on first use: an export of a million events never parses one. Thousands of
 * them are alive at once, so each is as small as can be.
 */
export class SpanEvent implements AuditEvent {
  #page: SpanPage
  /** Its place in the page. */
  #n: number
  #record: JsonObject | undefined

  constructor(page: SpanPage, n: number) {
    this.#page = page
    this.#n = n
  }

  /** One that has no page. @throws RangeError when its time is no time */
  static of(reader: EventReader, buffer: Uint8Array, span: Span): SpanEvent {
    const { start, end, idStart, idEnd, timeStart, timeEnd } = span
    const rows = Int32Array.of(start, end, idStart, idEnd, timeStart, timeEnd)
    const times = Float64Array.of(instantOf(buffer, timeStart, timeEnd))
    return new SpanEvent({ reader, buffer, rows, base: 0, times }, 0)
  }

  /** Becomes another event: for who knows that nobody looks at this one again. */
  become(page: SpanPage, n: number): this {
    this.#page = page
    this.#n = n
    this.#record = undefined
    return this
  }

  get occurredAtMs(): EpochMs {
    return this.#page.times[this.#n] as number
  }

  get buffer(): Uint8Array {
    return this.#page.buffer
  }
  get start(): number {
    return this.#bound(0)
  }
  get end(): number {
    return this.#bound(1)
  }
  get idStart(): number {
    return this.#bound(2)
  }
  get idEnd(): number {
    return this.#bound(3)
  }
  get timeStart(): number {
    return this.#bound(4)
  }
  get timeEnd(): number {
    return this.#bound(5)
  }
  /** Whether the events of its page are known to hold no newline. */
  get isCompact(): boolean {
    return this.#page.isCompact === true
  }
  get source(): string {
    return this.#page.reader.type
  }
  get id(): EventId {
    return ascii(this.buffer, this.idStart, this.idEnd)
  }
  get occurredAt(): string {
    return ascii(this.buffer, this.#bound(4), this.#bound(5))
  }
  get actor(): string | undefined {
    return this.#page.reader.actor(this.record())
  }
  get action(): string {
    return this.#page.reader.action(this.record())
  }
  get target(): string | undefined {
    return this.#page.reader.target(this.record())
  }
  get bytes(): Uint8Array {
    return this.buffer.subarray(this.start, this.end)
  }
  /** How many of `events` from `from` on, itself being the first, lie in one page one behind the other with a byte between them. */
  runIn(events: readonly AuditEvent[], from: number): SpanRun {
    return { page: this.#page, first: this.#n, count: this.#countIn(events, from) }
  }
  // A loop of its own: the engine compiles it before it has ever seen the run made, and would throw that away each time.
  #countIn(events: readonly AuditEvent[], from: number): number {
    const page = this.#page
    const { rows } = page
    const first = this.#n
    let count = 1
    for (let row = first * SPAN_FIELDS; from + count < events.length; row += SPAN_FIELDS) {
      const next = events[from + count]
      if (!(next instanceof SpanEvent) || next.#page !== page || next.#n !== first + count) break
      if (rows[row + SPAN_FIELDS] !== (rows[row + 1] as number) + 1) break
      count += 1
    }
    return count
  }
  /** Fills `into` with where the event's values lie; false when its page does not know. */
  readValues(into: EventValues): boolean {
    const { values, buffer, wish } = this.#page
    if (values !== undefined) return readValues(values, this.#n, buffer, this.start, into)
    if (wish !== undefined) wish.wantsValues = true
    return false
  }
  record(): JsonObject {
    this.#record ??= JSON.parse(utf8.decode(this.bytes)) as JsonObject
    return this.#record
  }
  #bound(field: number): number {
    const { rows, base } = this.#page
    return base + (rows[this.#n * SPAN_FIELDS + field] as number)
  }
}

/** An event whose id or time are not plain members of its JSON (a CSV row, a number, an alias): the reader says what they are. */
export class NamedEvent implements AuditEvent {
  readonly buffer: Uint8Array
  readonly start = 0
  readonly end: number
  readonly id: EventId
  readonly occurredAt: string
  readonly occurredAtMs: EpochMs
  readonly #reader: EventReader
  #record: JsonObject | undefined

  constructor(
    reader: EventReader,
    bytes: Uint8Array,
    named: {
      readonly id: EventId
      readonly occurredAt: string
      readonly occurredAtMs: EpochMs
      readonly record?: JsonObject
    },
  ) {
    this.#reader = reader
    this.buffer = bytes
    this.end = bytes.length
    this.id = named.id
    this.occurredAt = named.occurredAt
    this.occurredAtMs = named.occurredAtMs
    this.#record = named.record
  }

  get source(): string {
    return this.#reader.type
  }
  get actor(): string | undefined {
    return this.#reader.actor(this.record())
  }
  get action(): string {
    return this.#reader.action(this.record())
  }
  get target(): string | undefined {
    return this.#reader.target(this.record())
  }
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.end)
  }
  record(): JsonObject {
    this.#record ??= JSON.parse(utf8.decode(this.buffer)) as JsonObject
    return this.#record
  }
}

/** Ascending by time, then by fraction digits below the millisecond, then by id: the order of every export and backfill. */
export function compareEvents(a: AuditEvent, b: AuditEvent): number {
  if (a.occurredAtMs !== b.occurredAtMs) return a.occurredAtMs - b.occurredAtMs
  const fraction = compareFraction(a.occurredAt, b.occurredAt)
  if (fraction !== 0) return fraction
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function compareFraction(a: string, b: string): number {
  if (a === b || (a.length <= 24 && b.length <= 24)) return 0
  const [left, right] = [fractionOf(a), fractionOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function fractionOf(time: string): string {
  return (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0')
}

function ascii(buffer: Uint8Array, start: number, end: number): string {
  // Buffer is a global of every Node; core needs no import for it.
  return Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1')
}
