import { compactJson, memberSpans, skipSpace, skipValue } from '../core/json-members.ts'

const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/**
 * The JSON text of what `valueAt` (core/filter.ts) finds at the path, as it is spelled in `bytes`, without blanks between tokens; undefined
 * where `valueAt` finds nothing. `bytes` must be valid JSON.
 */
export function jsonTextAt(bytes: Uint8Array, path: readonly string[]): string | undefined {
  const [step, ...rest] = path
  if (step === undefined) return Buffer.from(compactJson(bytes)).toString()
  const start = skipSpace(bytes, 0, bytes.length)
  if (bytes[start] === OPEN_BRACE) {
    const members = membersOf(bytes)
    const whole = members.get(path.join('.'))
    if (whole !== undefined) return jsonTextAt(whole, [])
    const member = members.get(step)
    return member && jsonTextAt(member, rest)
  }
  if (bytes[start] !== OPEN_BRACKET) return undefined
  const elements = elementsOf(bytes, start)
  // As everywhere in JavaScript, an array knows its length.
  if (path.length === 1 && step === 'length') return String(elements.length)
  if (!/^\d+$/.test(step))
    return `[${elements.map((element) => jsonTextAt(element, path) ?? 'null').join(',')}]`
  const element = String(Number(step)) === step ? elements[Number(step)] : undefined
  return element && jsonTextAt(element, rest)
}

/** Of a repeated key the last, as JSON.parse has it. */
function membersOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const members = new Map<string, Uint8Array>()
  memberSpans(bytes, 0, bytes.length, (keyStart, keyEnd, valueStart, valueEnd) => {
    const key = JSON.parse(Buffer.from(bytes.subarray(keyStart - 1, keyEnd + 1)).toString()) as string
    members.set(key, bytes.subarray(valueStart, valueEnd))
  })
  return members
}

function elementsOf(bytes: Uint8Array, start: number): Uint8Array[] {
  const elements: Uint8Array[] = []
  let i = skipSpace(bytes, start + 1, bytes.length)
  while (bytes[i] !== CLOSE_BRACKET) {
    const end = skipValue(bytes, i, bytes.length)
    elements.push(bytes.subarray(i, end))
    i = skipSpace(bytes, end, bytes.length)
    if (bytes[i] === COMMA) i = skipSpace(bytes, i + 1, bytes.length)
  }
  return elements
}
