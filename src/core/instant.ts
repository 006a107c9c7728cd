import type { EpochMs } from './time-range.ts'

/**
 * The instant spelled by the ASCII bytes `buffer[start, end)`, an RFC 3339 time, in milliseconds rounded down.
 * The usual spelling (`2026-11-20T12:45:41.528Z`) is read digit by digit; anything else goes through `Date`.
 * @throws RangeError when the text is not a time
 */
export function instantOf(buffer: Uint8Array, start: number, end: number): EpochMs {
  if (end - start >= 20 && buffer[end - 1] === Z && buffer[start + 10] === T) {
    const ms = readUtc(buffer, start, end)
    if (ms !== undefined) return ms
  }
  const text = Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1')
  return instantOfText(text)
}

/** The same for a string. A time without a zone is UTC, as every audit log that leaves the zone out means it. */
export function instantOfText(text: string): EpochMs {
  const zoned = /[Zz]$|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`
  // Date keeps at most milliseconds; cutting the digits first makes sure that it rounds down.
  const ms = Date.parse(zoned.replace(' ', 'T').replace(/(\.\d{3})\d+/, '$1'))
  if (Number.isNaN(ms) || !isDay(text))
    throw new RangeError(`not a time: ${JSON.stringify(text.slice(0, 40))}`)
  return ms
}

/** Date rolls 31 February over to March and guesses at other spellings; a time that does not exist is not a time. */
function isDay(text: string): boolean {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)(?!\d)/.exec(text) ?? []
  const day = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date)))
  return day.getUTCDate() === Number(date) && day.getUTCMonth() === Number(month) - 1
}

const Z = 0x5a
const T = 0x54
const ZERO = 0x30
const DASH = 0x2d
const COLON = 0x3a
const DOT = 0x2e
let lastDay = Number.NaN
let lastDayMs = 0

function readUtc(b: Uint8Array, s: number, end: number): EpochMs | undefined {
  if (b[s + 4] !== DASH || b[s + 7] !== DASH || b[s + 13] !== COLON || b[s + 16] !== COLON) return undefined
  const century = twoDigits(b, s)
  const year = twoDigits(b, s + 2)
  const month = twoDigits(b, s + 5)
  const date = twoDigits(b, s + 8)
  const hour = twoDigits(b, s + 11)
  const minute = twoDigits(b, s + 14)
  const second = twoDigits(b, s + 17)
  // One that is negative makes all of them negative.
  if ((century | year | month | date | hour | minute | second) < 0) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const day = century * 1_000_000 + year * 10_000 + month * 100 + date
  const time = hour * 3600 + minute * 60 + second
  let fraction = 0
  if (end - s > 20) {
    if (b[s + 19] !== DOT || end - s === 21) return undefined
    const length = Math.min(3, end - 1 - (s + 20))
    if (Number.isNaN(digits(b, s + 20 + length, end - 1 - (s + 20) - length))) return undefined
    fraction = digits(b, s + 20, length) * (length === 3 ? 1 : length === 2 ? 10 : 100)
  }
  if (Number.isNaN(fraction)) return undefined
  if (day !== lastDay) {
    const fullYear = century * 100 + year
    const ms = Date.UTC(fullYear, month - 1, date)
    // Date.UTC rolls 31 February over; a time that does not exist is not a time.
    if (new Date(ms).getUTCDate() !== date || month < 1 || month > 12 || fullYear < 1000) return undefined
    lastDay = day
    lastDayMs = ms
  }
  return lastDayMs + time * 1000 + fraction
}

/** -1 where there are none. */
function twoDigits(b: Uint8Array, at: number): number {
  const tens = (b[at] as number) - ZERO
  const ones = (b[at + 1] as number) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

function digits(b: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let i = at; i < at + length; i += 1) {
    const digit = (b[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
