import { gunzipSync } from 'node:zlib'
import { readRecording } from '../read-recording.ts'
import { type EventSet, eventAt, type NativeEvent } from './event-set.ts'
import { mix } from './hash.ts'
import { isoWriter } from './iso-bytes.ts'

/** Lines of native JSON, newest first, as recorded. */
export function recordedLines(): readonly string[] {
  return gunzipSync(readRecording('infisical-events.jsonl.gz')).toString('utf8').trimEnd().split('\n')
}

/** What the server stores below the millisecond that it shows; never 0, as in nearly all rows of a real table. */
export function hiddenMicroseconds(id: string): number {
  return 1 + (mix(Number.parseInt(id.slice(0, 8), 16) || id.length) % 999)
}

export type SetOptions = {
  readonly seed: number
  /** ClickHouse keeps no expiry: null in every row. */
  readonly nullExpiry: boolean
  readonly eventClass: boolean
}

const CLASSES: Readonly<Record<string, string>> = { login: 'authentication', get: 'data-access' }

export function eventClassOf(type: string): string {
  return CLASSES[type.split('-')[0] ?? ''] ?? 'management'
}

/** The recorded events; `lastUs` moves them so that the newest lies there, keeping the distances. */
export function recordedSet(options: SetOptions & { readonly lastUs: number | undefined }): EventSet {
  const items = recordedLines()
    .toReversed()
    .map((line) => layOut(line, options))
  const newest = items.at(-1)
  // Whole milliseconds, so that the distances that are shown stay as they were.
  const shift =
    options.lastUs === undefined || newest === undefined
      ? 0
      : (Math.floor(options.lastUs / 1000) - Math.floor(newest.timeUs / 1000)) * 1000
  const writeTime = isoWriter()
  const writeExpiry = isoWriter()
  const parsed: NativeEvent[] = []
  const set: EventSet = {
    size: items.length,
    maxBytes: items.reduce((most, item) => Math.max(most, item.bytes.length), 0),
    timeUs: (index) => (items[index]?.timeUs ?? 0) + shift,
    write(index, timeUs, target, at) {
      const item = items[index]
      if (item === undefined) throw new RangeError(`no event ${index}`)
      target.set(item.bytes, at)
      if (item.expiresAt >= 0) writeExpiry(timeUs + item.keptUs, target, at + item.expiresAt)
      writeTime(timeUs, target, at + item.createdAt)
      writeTime(timeUs, target, at + item.updatedAt)
      return at + item.bytes.length
    },
    matcher: (test) => (index) => {
      parsed[index] ??= eventAt(set, index)
      return test(parsed[index])
    },
  }
  return set
}

type Item = {
  readonly bytes: Buffer
  readonly timeUs: number
  /** From creation to expiry, as recorded: 30 days, less a few milliseconds. */
  readonly keptUs: number
  readonly expiresAt: number
  readonly createdAt: number
  readonly updatedAt: number
}

function layOut(line: string, options: SetOptions): Item {
  const record = JSON.parse(line) as NativeEvent & { readonly expiresAt: string }
  let text = line
  if (options.nullExpiry) text = text.replace(/"expiresAt":"[^"]*"/, '"expiresAt":null')
  if (options.eventClass) text = `${text.slice(0, -1)},"eventClass":"${eventClassOf(record.event.type)}"}`
  const bytes = Buffer.from(text)
  const placeOf = (key: string): number => {
    const found = bytes.indexOf(`"${key}":"`)
    return found < 0 ? -1 : found + key.length + 4
  }
  const timeUs = Date.parse(record.createdAt) * 1000 + hiddenMicroseconds(record.id)
  return {
    bytes,
    timeUs,
    // Counted from the shown millisecond, so that a moved event shows the same distance.
    keptUs: Date.parse(record.expiresAt) * 1000 - Math.floor(timeUs / 1000) * 1000,
    expiresAt: placeOf('expiresAt'),
    createdAt: placeOf('createdAt'),
    updatedAt: placeOf('updatedAt'),
  }
}
