import type { AuditEvent, JsonObject } from '../../core/event.ts'
import { memberSpans } from '../../core/json-members.ts'
import type { Streamed } from '../../core/source.ts'

const NOTHING_LOST: readonly string[] = []
/** The documented order of the fields. */
const ORDER = [
  'id',
  'version',
  'action',
  'occurred_at',
  'success',
  'actor',
  'target',
  'scope',
  'organization',
  'account',
  'payload',
  'metadata',
  'request',
  'common_fields',
]

/**
 * What CircleCI writes into the bucket: the event as it is. One that came through a CSV gets its numbers and booleans back, its empty cells are
 * left out as the product leaves absent members out, and the SIEM's copies are made anew where the download has none.
 */
export function asStreamed(event: AuditEvent): Streamed {
  const bytes = event.bytes
  return { bytes: isFromCsv(bytes) ? rebuilt(event.record()) : bytes, notRebuilt: NOTHING_LOST }
}

const QUOTE = 0x22
const LOWER_N = 0x6e

/** `success` and `version` are never texts, and no member is null, in what was streamed. */
function isFromCsv(bytes: Uint8Array): boolean {
  let isCsv = false
  memberSpans(bytes, 0, bytes.length, (keyStart, keyEnd, valueStart) => {
    const first = bytes[valueStart]
    if (first !== QUOTE && first !== LOWER_N) return
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, keyEnd - keyStart).toString('latin1')
    if (first === LOWER_N ? ORDER.includes(key) : key === 'success' || key === 'version') isCsv = true
  })
  return isCsv
}

function rebuilt(record: JsonObject): Uint8Array {
  const members: [string, unknown][] = []
  const keys = [...ORDER, ...Object.keys(record).filter((key) => !ORDER.includes(key))]
  for (const key of keys) {
    const value = key === 'common_fields' ? commonFields(record) : typed(key, record[key])
    if (value !== undefined && value !== null && value !== '') members.push([key, value])
  }
  return Buffer.from(JSON.stringify(Object.fromEntries(members)))
}

function typed(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (key === 'version' && /^\d+$/.test(value)) return Number(value)
  if (key === 'success' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  return value
}

function commonFields(record: JsonObject): unknown {
  const own = record['common_fields']
  if (own !== null && own !== undefined && own !== '') return own
  const success = typed('success', record['success'])
  if (typeof success !== 'boolean') return undefined
  const request = record['request'] as JsonObject | null | undefined
  const ip = request?.['ip_address']
  return {
    outcome: success ? 'success' : 'failure',
    ...(typeof ip === 'string' ? { source_ip: ip } : {}),
    status: 'info',
    timestamp: record['occurred_at'],
  }
}
