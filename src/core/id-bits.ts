/** Ids as 128 bits: what makes sets of millions of them small, and spellings of one UUID equal. */

/**
 * The bits of the id packed last, four words of 32. One array for all, since a fresh one per id would cost more than the packing.
 * Read it before packing the next.
 */
export const idBits = new Int32Array(4)

const DASH = 0x2d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const NOT_HEX = -1

const HEX = new Int8Array(256).fill(NOT_HEX)
for (let digit = 0; digit < 16; digit += 1) {
  HEX[digit.toString(16).charCodeAt(0)] = digit
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}

let scratch = Buffer.alloc(512)

/** Packs an id into `idBits`. A UUID in any letter case, in braces or without dashes, gives its own bits; any other id the hash of its UTF-8. */
export function packId(id: string): void {
  const most = id.length * 3
  if (most > scratch.length) scratch = Buffer.alloc(most)
  packIdAt(scratch, 0, scratch.write(id, 0, 'utf8'))
}

/** The same for an id that lies in `buffer[start, end)`. */
export function packIdAt(buffer: Uint8Array, start: number, end: number): void {
  const length = end - start
  if (length === 36) {
    if (packDashed(buffer, start)) return
  } else if (length === 32) {
    if (packPlain(buffer, start)) return
  } else if (length === 38 && buffer[start] === OPEN_BRACE && buffer[end - 1] === CLOSE_BRACE) {
    if (packDashed(buffer, start + 1)) return
  } else if (length === 34 && buffer[start] === OPEN_BRACE && buffer[end - 1] === CLOSE_BRACE) {
    if (packPlain(buffer, start + 1)) return
  }
  hashId(buffer, start, end)
}

/** Hexadecimal, 32 digits. */
export function hexOfBits(bits: Int32Array): string {
  return Array.from(bits, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

function packDashed(b: Uint8Array, s: number): boolean {
  if (b[s + 8] !== DASH || b[s + 13] !== DASH || b[s + 18] !== DASH || b[s + 23] !== DASH) return false
  return pack(halfWord(b, s), halfWord(b, s + 4), halfWord(b, s + 9), halfWord(b, s + 14), b, s + 19, s + 24)
}

function packPlain(b: Uint8Array, s: number): boolean {
  return pack(halfWord(b, s), halfWord(b, s + 4), halfWord(b, s + 8), halfWord(b, s + 12), b, s + 16, s + 20)
}

/** The last 64 bits are read here: four digits at `fifth`, twelve at `rest`. */
function pack(
  first: number,
  second: number,
  third: number,
  fourth: number,
  b: Uint8Array,
  fifth: number,
  rest: number,
): boolean {
  const four = halfWord(b, fifth)
  const five = halfWord(b, rest)
  const six = halfWord(b, rest + 4)
  const seven = halfWord(b, rest + 8)
  // A digit that is none makes its half word negative, and with it the lot.
  if ((first | second | third | fourth | four | five | six | seven) < 0) return false
  idBits[0] = (first << 16) | second
  idBits[1] = (third << 16) | fourth
  idBits[2] = (four << 16) | five
  idBits[3] = (six << 16) | seven
  return true
}

function halfWord(b: Uint8Array, s: number): number {
  return (
    ((HEX[b[s] as number] as number) << 12) |
    ((HEX[b[s + 1] as number] as number) << 8) |
    ((HEX[b[s + 2] as number] as number) << 4) |
    (HEX[b[s + 3] as number] as number)
  )
}

/**
 * MurmurHash3 x86_128. The top three bits of the third word are then set, which no UUID of RFC 9562 has there (variant 10): a hash and such
 * a UUID are never equal, and two hashes are, by chance, once in 2^125 pairs.
 * @source https://github.com/aappleby/smhasher, MurmurHash3.cpp
 */
function hashId(b: Uint8Array, start: number, end: number): void {
  let [h1, h2, h3, h4] = [SEED, SEED, SEED, SEED]
  const length = end - start
  const blocks = end - (length & 15)
  let i = start
  for (; i < blocks; i += 16) {
    h1 = (Math.imul(rotate(h1 ^ mixed(word(b, i), C1, 15, C2), 19) + h2, 5) + 0x561ccd1b) | 0
    h2 = (Math.imul(rotate(h2 ^ mixed(word(b, i + 4), C2, 16, C3), 17) + h3, 5) + 0x0bcaa747) | 0
    h3 = (Math.imul(rotate(h3 ^ mixed(word(b, i + 8), C3, 17, C4), 15) + h4, 5) + 0x96cd1c35) | 0
    h4 = (Math.imul(rotate(h4 ^ mixed(word(b, i + 12), C4, 18, C1), 13) + h1, 5) + 0x32ac3b17) | 0
  }
  h1 ^= mixed(tail(b, i, end), C1, 15, C2) ^ length
  h2 ^= mixed(tail(b, i + 4, end), C2, 16, C3) ^ length
  h3 ^= mixed(tail(b, i + 8, end), C3, 17, C4) ^ length
  h4 ^= mixed(tail(b, i + 12, end), C4, 18, C1) ^ length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = final((h2 + h1) | 0)
  h3 = final((h3 + h1) | 0)
  h4 = final((h4 + h1) | 0)
  h1 = (final(h1) + h2 + h3 + h4) | 0
  idBits[0] = h1
  idBits[1] = (h2 + h1) | 0
  idBits[2] = (h3 + h1) | 0 | NO_UUID
  idBits[3] = (h4 + h1) | 0
}

const SEED = 0
const NO_UUID = 0b111 << 29
const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

function mixed(k: number, by: number, turn: number, then: number): number {
  const product = Math.imul(k, by)
  return Math.imul((product << turn) | (product >>> (32 - turn)), then)
}

function rotate(h: number, turn: number): number {
  return (h << turn) | (h >>> (32 - turn))
}

function final(h: number): number {
  let mix = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35)
  return mix ^ (mix >>> 16)
}

function word(b: Uint8Array, i: number): number {
  return (
    (b[i] as number) |
    ((b[i + 1] as number) << 8) |
    ((b[i + 2] as number) << 16) |
    ((b[i + 3] as number) << 24)
  )
}

/** The word at `i` with zeros from `end` on. */
function tail(b: Uint8Array, i: number, end: number): number {
  let k = 0
  for (let n = Math.min(3, end - 1 - i); n >= 0; n -= 1) k = (k << 8) | (b[i + n] as number)
  return k
}
