import type { AuditEvent, SpanEvent } from '../../core/event.ts'
import { EventScanner } from '../../core/event-scanner.ts'
import { eventsOf } from '../../core/events-of.ts'
import { sliceEvents, sliceOrParse } from '../../core/json-slice.ts'
import type { EventShape } from '../../core/source.ts'
import { firstAt, otherNames, textOf } from './read-record.ts'

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
  readonly #scanner: EventScanner
  #place = PLACES[0] as string
  #isTold = false
  /** As the first entry spells them, `log_id for id`; undefined before there was one. */
  otherNames: readonly string[] | undefined

  constructor(shape: EventShape, onPlace: (place: string) => void) {
    this.#shape = shape
    this.#onPlace = onPlace
    this.#scanner = new EventScanner(shape)
  }

  /** `spare`: see `eventsOf`. @throws ContractError for what is none of the known shapes, or holds an entry without id or time */
  read(bytes: Uint8Array, spare?: SpanEvent[]): Listing {
    const { idKey, timeKey } = this.#shape
    const optionsAt = (place: string) => ({
      arrayKey: place === '' ? undefined : place.split('.'),
      idKey,
      timeKey,
      scanner: this.#scanner,
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
    const events = eventsOf(sliced.spans, this.#shape, spare)
    if (events[0] !== undefined) this.otherNames ??= otherNames(events[0].record())
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
