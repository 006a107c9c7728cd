import { ContractError } from '../../core/errors.ts'
import { type AuditEvent, SpanEvent } from '../../core/event.ts'
import { eventAt } from '../../core/events-of.ts'
import { sliceEvents, sliceOrParse } from '../../core/json-slice.ts'
import type { EventShape } from '../../core/source.ts'
import { firstAt, textOf } from './read-record.ts'

/** Where the entries of a reply may stand: the documented place first. */
const PLACES: readonly string[] = [
  'logs',
  'events',
  'items',
  'entries',
  'data.logs',
  'data.items',
  'data.events',
  'data.entries',
  'data',
  'trail',
  'history',
  'accesses',
  '',
]
const CURSORS = [
  'cursor',
  'next_cursor',
  'nextCursor',
  'pagination.cursor',
  'pagination.next_cursor',
  'meta.next_cursor',
  'data.cursor',
  'data.next_cursor',
]
const MORES = ['has_more', 'hasMore', 'pagination.has_more', 'meta.has_more', 'data.has_more']

export type Listing = {
  readonly events: readonly AuditEvent[]
  readonly cursor: string | undefined
  readonly hasMore: boolean
  /** The reply around the entries. */
  readonly envelope: Readonly<Record<string, unknown>>
}

/** Reads replies in whichever of the known shapes they come; remembers the last place, since pages of one server are alike. */
export class EnvelopeReader {
  readonly #shape: EventShape
  readonly #onPlace: (place: string) => void
  #place = PLACES[0] as string
  #isTold = false

  constructor(shape: EventShape, onPlace: (place: string) => void) {
    this.#shape = shape
    this.#onPlace = onPlace
  }

  /** @throws ContractError for what is none of the known shapes, or holds an entry without id or time */
  read(bytes: Uint8Array): Listing {
    const { idKey, timeKey } = this.#shape
    const optionsAt = (place: string) => ({
      arrayKey: place === '' ? undefined : place.split('.'),
      idKey,
      timeKey,
    })
    let sliced = sliceEvents(bytes, optionsAt(this.#place))
    if (sliced === undefined) {
      const place = placeIn(bytes)
      sliced = sliceOrParse(bytes, optionsAt(place))
      this.#place = place
      if (!this.#isTold && place !== PLACES[0]) this.#onPlace(place)
      this.#isTold = true
    }
    const envelope = sliced.envelope()
    const { spans } = sliced
    const events = Array.from({ length: spans.count }, (_, i) => {
      const timeEnd = spans.timeEnds[i] ?? 0
      const isPlain =
        (spans.idStarts[i] ?? -1) >= 0 &&
        (spans.timeStarts[i] ?? -1) >= 0 &&
        bytesEndInZ(spans.bytes, timeEnd)
      if (!isPlain) return eventAt(spans, i, this.#shape)
      try {
        return SpanEvent.of(this.#shape.reader, spans.bytes, {
          start: spans.starts[i] ?? 0,
          end: spans.ends[i] ?? 0,
          idStart: spans.idStarts[i] ?? 0,
          idEnd: spans.idEnds[i] ?? 0,
          timeStart: spans.timeStarts[i] ?? 0,
          timeEnd,
        })
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        throw new ContractError(`event ${i} of the reply cannot be read: ${reason}`, { cause })
      }
    })
    const cursor = textOf(envelope, ...CURSORS)
    const more = firstAt(envelope, ...MORES)
    return { events, cursor, hasMore: typeof more === 'boolean' ? more : cursor !== undefined, envelope }
  }
}

function placeIn(bytes: Uint8Array): string {
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // The slicer says what is wrong with it.
    return PLACES[0] as string
  }
  if (Array.isArray(body)) return ''
  return PLACES.find((place) => place !== '' && Array.isArray(firstAt(body, place))) ?? (PLACES[0] as string)
}

function bytesEndInZ(bytes: Uint8Array, end: number): boolean {
  return bytes[end - 1] === 0x5a
}
