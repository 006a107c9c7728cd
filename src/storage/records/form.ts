import { brokenAt, CUT_OFF, checkJson } from '../../core/json-check.ts'
import { delimiterOf } from './cells.ts'
import { envelopeArray } from './envelope.ts'

/** How a text is built. `rows`: CSV. `lines`: anything else, a line each. */
export type Form = 'json-lines' | 'json-values' | 'rows' | 'lines'

export type ToldForm = {
  readonly form: Form
  readonly newline: number
  readonly delimiter: ',' | ';' | '\t'
}

const NO_KEY = new Uint8Array()
const LF = 0x0a
const CR = 0x0d
const HASH = 0x23
const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b

/** Tells the form of a text from its first bytes, comment lines (`#`) aside; undefined when they are blank. */
export function formOf(
  bytes: Buffer,
  limit: number,
  isWhole: boolean,
  textForm: (head: string) => 'lines' | 'rows',
): ToldForm | undefined {
  const lf = bytes.indexOf(LF)
  const newline = lf >= 0 && lf < limit ? LF : bytes.subarray(0, limit).includes(CR) ? CR : LF
  let start = skipBlank(bytes, 0, limit)
  while (start < limit && bytes[start] === HASH) {
    const end = bytes.indexOf(newline, start)
    start = end < 0 || end >= limit ? limit : skipBlank(bytes, end + 1, limit)
  }
  if (start >= limit) return undefined
  const end = bytes.indexOf(newline, start)
  const lineEnd = end < 0 || end > limit ? limit : end
  const c = bytes[start] as number
  if (c === OPEN_BRACKET) return { form: 'json-values', newline, delimiter: ',' }
  if (c === OPEN_BRACE)
    return { form: formOfObjects(bytes, start, lineEnd, limit, isWhole), newline, delimiter: ',' }
  const header = bytes.toString('utf8', start, lineEnd)
  return { form: textForm(header.trim()), newline, delimiter: delimiterOf(header) }
}

/** JSON lines, where a broken line costs no other, unless the first object shows that it is something else. */
function formOfObjects(
  bytes: Buffer,
  start: number,
  lineEnd: number,
  limit: number,
  isWhole: boolean,
): 'json-lines' | 'json-values' {
  if (envelopeArray(bytes, start, limit) >= 0) return 'json-values'
  const answer = checkJson(bytes, start, limit, NO_KEY, NO_KEY)
  if (brokenAt(answer) !== undefined) return 'json-lines'
  // An object longer than all that was looked at; a whole text that is cut off within its first line is a broken line.
  if (answer === CUT_OFF)
    return lineEnd >= limit || (isWhole && lineEnd >= limit) ? 'json-lines' : 'json-values'
  if (answer > lineEnd) return 'json-values'
  return skipBlank(bytes, answer, lineEnd) === lineEnd ? 'json-lines' : 'json-values'
}

function skipBlank(bytes: Buffer, start: number, limit: number): number {
  let i = start
  while (i < limit && (bytes[i] === 0x20 || bytes[i] === LF || bytes[i] === CR || bytes[i] === 0x09)) i += 1
  return i
}
