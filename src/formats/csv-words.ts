/** What the CSV writer asks of bytes, where it can of four at a time. */

/** By first byte: begins a formula, or, for 2, may be the first byte of a full-width sign that does. */
export const FORMULA = new Uint8Array(256)
for (const sign of '=+-@') FORMULA[sign.charCodeAt(0)] = 1
FORMULA[0xef] = 2

export const QUOTES = 0x22222222
export const COMMAS = 0x2c2c2c2c
const BACKSLASHES = 0x5c5c5c5c
const BLANKS = 0x20202020

/** Whether one of four bytes is a comma, a backslash or below a blank; a byte after a special one may be taken for special, never the reverse. */
export function isSpecial(word: number): boolean {
  const below = (word - BLANKS) & ~word & 0x80808080
  return (zeroBytes(word ^ COMMAS) | zeroBytes(word ^ BACKSLASHES) | below) !== 0
}

/** The top bit of each byte that is zero, reliable up to the lowest of them. */
export function zeroBytes(word: number): number {
  return (word - 0x01010101) & ~word & 0x80808080
}

export function isFormula(bytes: Uint8Array, from: number, to: number): boolean {
  const kind = from < to ? FORMULA[bytes[from] as number] : 0
  if (kind !== 2) return kind === 1
  const third = bytes[from + 2]
  return (
    to - from >= 3 &&
    bytes[from + 1] === 0xbc &&
    (third === 0x9d || third === 0x8b || third === 0x8d || third === 0xa0)
  )
}
