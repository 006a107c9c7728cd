/** The scanner of one event: the hottest loop of the program. It shares nothing with `json-members.ts` but the bytes' names, to stay one loop. */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const CLOSE_BRACE = 0x7d
const CASE = 0xdf
const OPEN = 0x5b
const CLOSE = 0x5d

/** Bounds of the text between the quotes of an event's id and time; -1 when absent, empty, not a string, not ASCII, or escaped. */
export const found = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }

/**
 * The index after the object that begins at `start` (an opening brace), or -1 when it does not end before `limit`; sets `found`.
 * Repeated keys end as in JSON.parse, with the last one; a key with an escape could be either, so both count as absent.
 */
export function scanEvent(
  bytes: Uint8Array,
  start: number,
  limit: number,
  idKey: Uint8Array,
  timeKey: Uint8Array,
): number {
  const idLength = idKey.length
  const timeLength = timeKey.length
  let [idStart, idEnd, timeStart, timeEnd] = [-1, -1, -1, -1]
  const last = limit - 3
  let isEscapedKey = false
  let depth = 1
  let i = start + 1
  while (i < limit) {
    const c = bytes[i] as number
    i += 1
    if (c === QUOTE) {
      const from = i
      let escapeAt = -1
      for (;;) {
        // Without this bound a body that was cut off inside a string would loop for ever.
        // Four bytes a turn: the engine's code for one byte a turn is, by the luck of its layout, often half as fast.
        while (i < last) {
          let s = bytes[i] as number
          if (s === QUOTE || s === BACKSLASH) break
          s = bytes[i + 1] as number
          if (s === QUOTE || s === BACKSLASH) {
            i += 1
            break
          }
          s = bytes[i + 2] as number
          if (s === QUOTE || s === BACKSLASH) {
            i += 2
            break
          }
          s = bytes[i + 3] as number
          if (s === QUOTE || s === BACKSLASH) {
            i += 3
            break
          }
          i += 4
        }
        if (i >= limit) return -1
        const s = bytes[i] as number
        if (s === QUOTE) break
        if (s === BACKSLASH) {
          escapeAt = i
          i += 1
        }
        i += 1
      }
      const length = i - from
      i += 1
      if (depth !== 1) continue
      if (escapeAt >= 0) {
        isEscapedKey ||= i < limit && bytes[skipBlank(bytes, i, limit)] === COLON
      } else if (length === idLength && isKey(bytes, from, i, limit, idKey)) {
        const value = valueStart(bytes, i, limit)
        idStart = bytes[value] === QUOTE ? value + 1 : -1
        idEnd = idStart < 0 ? -1 : plainEnd(bytes, idStart, limit)
        if (idEnd < 0) idStart = -1
        else i = idEnd + 1
      } else if (length === timeLength && isKey(bytes, from, i, limit, timeKey)) {
        const value = valueStart(bytes, i, limit)
        timeStart = bytes[value] === QUOTE ? value + 1 : -1
        timeEnd = timeStart < 0 ? -1 : plainEnd(bytes, timeStart, limit)
        if (timeEnd < 0) timeStart = -1
        else i = timeEnd + 1
      }
    } else if ((c & CASE) === OPEN) {
      depth += 1
    } else if ((c & CASE) === CLOSE) {
      depth -= 1
      if (depth === 0) {
        if (c !== CLOSE_BRACE) return -1
        found.idStart = isEscapedKey ? -1 : idStart
        found.idEnd = isEscapedKey ? -1 : idEnd
        found.timeStart = isEscapedKey ? -1 : timeStart
        found.timeEnd = isEscapedKey ? -1 : timeEnd
        return i
      }
    }
  }
  return -1
}

/** A string of the object that a colon follows; `after` is the index after its closing quote. */
function isKey(bytes: Uint8Array, from: number, after: number, limit: number, key: Uint8Array): boolean {
  for (let k = 0; k < key.length; k += 1) if (bytes[from + k] !== key[k]) return false
  const colon = skipBlank(bytes, after, limit)
  return colon < limit && bytes[colon] === COLON
}

function valueStart(bytes: Uint8Array, afterKey: number, limit: number): number {
  return skipBlank(bytes, skipBlank(bytes, afterKey, limit) + 1, limit)
}

/** The closing quote of a string of plain ASCII that is not empty, or -1. */
function plainEnd(bytes: Uint8Array, start: number, limit: number): number {
  for (let i = start; i < limit; i += 1) {
    const c = bytes[i] as number
    if (c === QUOTE) return i === start ? -1 : i
    if (c === BACKSLASH || c >= 0x80 || c < 0x20) return -1
  }
  return -1
}

function skipBlank(bytes: Uint8Array, start: number, limit: number): number {
  let i = start
  while (i < limit) {
    const c = bytes[i] as number
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break
    i += 1
  }
  return i
}
