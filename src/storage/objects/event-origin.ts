import type { JsonObject } from '../../core/event.ts'
import { instantOf, instantOfText } from '../../core/instant.ts'
import { checked, checkJson } from '../../core/json-check.ts'
import type { EpochMs } from '../../core/time-range.ts'

/** Where the streamed event of each product says when it happened. */
export const TIME_KEYS: Readonly<Record<string, string>> = {
  infisical: 'createdAt',
  scaivault: 'timestamp',
  infrakitchen: 'created_at',
  circleci: 'occurred_at',
}

/** What an archive must know of an event: its files are by product and by the events' own hours. */
export type EventOrigin = { readonly atMs: EpochMs; readonly type: string }

const ID_KEY = Buffer.from('id')
const KEYS = Object.entries(TIME_KEYS).map(([type, key]) => ({ type, key, bytes: Buffer.from(key) }))

/**
 * Product and time of an event in its streamed shape, from its bytes: they alone come through packing, spooling and resuming.
 * @param type the product, where it is known
 * @throws RangeError for an event that tells no time
 */
export function originOf(event: Uint8Array, type?: string): EventOrigin {
  const text = Buffer.from(event.buffer, event.byteOffset, event.byteLength)
  const known = KEYS.filter((key) => key.type === type)
  for (const key of known.length > 0 ? known : KEYS) {
    checkJson(text, 0, text.length, ID_KEY, key.bytes)
    const { timeStart, timeEnd } = checked
    if (timeStart < 0) continue
    return { atMs: instantOf(text, timeStart, timeEnd), type: type ?? key.type }
  }
  return parsedOrigin(text, type)
}

/** Where the time is spelled with escapes, or stands in CircleCI's copy for SIEMs only. */
function parsedOrigin(text: Buffer, type: string | undefined): EventOrigin {
  const event = JSON.parse(text.toString('utf8')) as JsonObject
  const copy = event['common_fields'] as JsonObject | null | undefined
  for (const key of KEYS) {
    const time = event[key.key]
    if (typeof time === 'string') return { atMs: instantOfText(time), type: type ?? key.type }
  }
  const time = copy?.['timestamp']
  if (typeof time === 'string') return { atMs: instantOfText(time), type: type ?? 'circleci' }
  throw new RangeError('an event tells no time: it has no place in an archive by hours')
}
