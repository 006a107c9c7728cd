import type { EpochMs } from '../../core/time-range.ts'

const ZERO = 0x30
const POINT = 0x2e
/** Between 2001 and 2286 epoch seconds have ten digits before the point. */
const TEN_DIGITS_FROM_MS = 1e12
const TEN_DIGITS_TO_MS = 1e13

/** Bytes that `writeEpochSeconds` needs at most. */
export const MAX_EPOCH_BYTES = 24

/** Writes `ms / 1000` as JSON would (`1736903485.552`, no trailing zeros) and answers where it ended; digit by digit, since each event has one. */
export function writeEpochSeconds(bytes: Buffer, at: number, ms: EpochMs): number {
  if (ms < TEN_DIGITS_FROM_MS || ms >= TEN_DIGITS_TO_MS || !Number.isInteger(ms)) {
    return at + bytes.write(JSON.stringify(ms / 1000), at, 'latin1')
  }
  const seconds = Math.floor(ms / 1000)
  // In halves that are small integers: the engine divides those by a multiplication.
  const upper = Math.floor(seconds / 100_000)
  writeDigits(bytes, at, upper, 5)
  const end = writeDigits(bytes, at + 5, seconds - upper * 100_000, 5)
  let fraction = ms - seconds * 1000
  if (fraction === 0) return end
  let digits = 3
  while (fraction % 10 === 0) {
    fraction /= 10
    digits -= 1
  }
  bytes[end] = POINT
  return writeDigits(bytes, end + 1, fraction, digits)
}

/** Of an integer below 2^31. */
function writeDigits(bytes: Buffer, at: number, value: number, length: number): number {
  let rest = value | 0
  for (let i = at + length - 1; i >= at; i -= 1) {
    const tens = (rest / 10) | 0
    bytes[i] = ZERO + rest - tens * 10
    rest = tens
  }
  return at + length
}
