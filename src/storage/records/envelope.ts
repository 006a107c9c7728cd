import { CUT_OFF, checkJson } from '../../core/json-check.ts'
import { skipSpace } from '../../core/json-members.ts'

/** Names under which query answers and API replies hold their list. */
const LIST_KEYS = new Set([
  'auditLogs',
  'audit_logs',
  'data',
  'entries',
  'events',
  'hits',
  'ids',
  'items',
  'logs',
  'records',
  'results',
  'rows',
])

const NO_KEY = new Uint8Array()
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b

/**
 * The index of the bracket that opens the list of the envelope at `start`, an opening brace. -1 (`CUT_OFF`) while that cannot be told
 * before `limit`; -2 when the object is no envelope: it has an id of its own, or no list under a known name.
 */
export function envelopeArray(bytes: Buffer, start: number, limit: number): number {
  let i = skipSpace(bytes, start + 1, limit)
  for (;;) {
    if (i >= limit) return CUT_OFF
    if (bytes[i] !== QUOTE) return -2
    const nameEnd = checkJson(bytes, i, limit, NO_KEY, NO_KEY)
    if (nameEnd < 0) return nameEnd === CUT_OFF ? CUT_OFF : -2
    const name = bytes.toString('latin1', i + 1, nameEnd - 1)
    if (name === 'id' || name === '_id') return -2
    const colon = skipSpace(bytes, nameEnd, limit)
    if (colon >= limit) return CUT_OFF
    if (bytes[colon] !== COLON) return -2
    const value = skipSpace(bytes, colon + 1, limit)
    if (value >= limit) return CUT_OFF
    if (bytes[value] === OPEN_BRACKET && LIST_KEYS.has(name)) {
      const first = skipSpace(bytes, value + 1, limit)
      return first >= limit ? CUT_OFF : value
    }
    const valueEnd = checkJson(bytes, value, limit, NO_KEY, NO_KEY)
    if (valueEnd < 0) return valueEnd === CUT_OFF ? CUT_OFF : -2
    i = skipSpace(bytes, valueEnd, limit)
    if (i >= limit) return CUT_OFF
    if (bytes[i] !== COMMA) return -2
    i = skipSpace(bytes, i + 1, limit)
  }
}
