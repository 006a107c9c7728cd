import type { AuditEvent, JsonObject } from '../../core/event.ts'
import { memberSpans } from '../../core/json-members.ts'
import type { Streamed } from '../../core/source.ts'
import { FIELDS, ipOf, outcomeOf } from './read-record.ts'

const NOTHING_LOST: readonly string[] = []
/**
 * What CircleCI writes into the bucket: the event as it is. One that came through a CSV gets its numbers and booleans back, its empty cells are
 * left out as the product leaves absent members out, and the SIEM's copies are made anew where the download has none.
 */
export function asStreamed(event: AuditEvent): Streamed {
  const bytes = event.bytes
  return { bytes: isFromCsv(bytes) ? rebuilt(bytes, event.record()) : bytes, notRebuilt: NOTHING_LOST }
}

const QUOTE = 0x22
const LOWER_N = 0x6e

/** `success` and `version` are never texts, and no member is null, in what was streamed. */
function isFromCsv(bytes: Uint8Array): boolean {
  let isCsv = false
  memberSpans(bytes, 0, bytes.length, (keyStart, keyEnd, valueStart) => {
    const first = bytes[valueStart]
    if (first !== QUOTE && first !== LOWER_N) return
    const key = textOf(bytes, keyStart, keyEnd)
    if (first === LOWER_N ? FIELDS.includes(key) : key === 'success' || key === 'version') isCsv = true
  })
  return isCsv
}

/** Every value that is kept is copied as it is spelled: a payload may hold numbers beyond doubles. */
function rebuilt(bytes: Uint8Array, record: JsonObject): Uint8Array {
  const texts = new Map<string, string>()
  memberSpans(bytes, 0, bytes.length, (keyStart, keyEnd, valueStart, valueEnd) => {
    texts.set(textOf(bytes, keyStart, keyEnd), textOf(bytes, valueStart, valueEnd))
  })
  const isEmpty = (text: string | undefined) => text === undefined || text === 'null' || text === '""'
  if (isEmpty(texts.get('common_fields'))) texts.set('common_fields', commonFields(record))
  const members: string[] = []
  for (const key of [...FIELDS, ...[...texts.keys()].filter((name) => !FIELDS.includes(name))]) {
    const text = texts.get(key)
    if (text !== undefined && !isEmpty(text)) members.push(`"${key}":${typed(key, text)}`)
  }
  return Buffer.from(`{${members.join(',')}}`)
}

function typed(key: string, text: string): string {
  if (key === 'version') return /^"(\d+)"$/.exec(text)?.[1] ?? text
  if (key === 'success') return /^"(true|false)"$/i.exec(text)?.[1]?.toLowerCase() ?? text
  return text
}

function commonFields(record: JsonObject): string {
  const outcome = outcomeOf(record)
  if (outcome === null) return 'null'
  const ip = ipOf(record)
  return JSON.stringify({
    outcome,
    ...(ip === null ? {} : { source_ip: ip }),
    status: 'info',
    timestamp: record['occurred_at'],
  })
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
}
