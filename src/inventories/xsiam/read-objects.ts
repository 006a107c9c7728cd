import type { JsonObject } from '../../core/event.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const COMMA = 0x2c
const SPACE = 0x20
const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf])

/**
 * The objects of a body that is JSON lines or one JSON array of them, a block of the body at a time.
 * @throws RangeError for a body that is neither, or that ends early
 */
export async function* readObjects(body: AsyncIterable<Uint8Array>): AsyncGenerator<readonly JsonObject[]> {
  let rest: Uint8Array = new Uint8Array(0)
  let depth = 0
  let isText = false
  let isEscaped = false
  let inArray = false
  for await (const block of body) {
    const from = rest.length
    const bytes = from === 0 ? block : Buffer.concat([rest, block])
    const objects: JsonObject[] = []
    let start = 0
    for (let i = from; i < bytes.length; i += 1) {
      const byte = bytes[i] as number
      if (isText) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isText = false
      } else if (byte === OPEN_BRACE) {
        if (depth === 0) start = i
        depth += 1
      } else if (depth > 0) {
        if (byte === QUOTE) isText = true
        else if (byte === CLOSE_BRACE) {
          depth -= 1
          if (depth === 0) objects.push(objectOf(bytes, start, i + 1))
        }
      } else if (byte === OPEN_BRACKET && !inArray) inArray = true
      else if (byte === CLOSE_BRACKET && inArray) inArray = false
      else if (byte > SPACE && byte !== COMMA && !BYTE_ORDER_MARK.has(byte)) {
        throw new RangeError(`the rows are not JSON: ${excerpt(bytes, i)}`)
      }
    }
    // A copy: a block is good only until the next one is asked for.
    rest = depth > 0 ? Buffer.from(bytes.subarray(start)) : new Uint8Array(0)
    if (objects.length > 0) yield objects
  }
  if (depth > 0 || inArray) throw new RangeError('the rows end early')
}

function objectOf(bytes: Uint8Array, start: number, end: number): JsonObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')
  try {
    return JSON.parse(text) as JsonObject
  } catch (error) {
    throw new RangeError(`a row is not JSON: ${text.slice(0, 80)}`, { cause: error })
  }
}

function excerpt(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(80, bytes.length - at)).toString('utf8')
}
