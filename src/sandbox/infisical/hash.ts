/** A bijection of 32-bit integers that looks random (the finalizer of MurmurHash3): equal seeds give equal worlds. */
export function mix(value: number): number {
  let h = value | 0
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return h >>> 0
}

/** In `[0, 1)`, the same for the same pair. */
export function chance(seed: number, index: number): number {
  return mix(mix(seed) + index) / 0x1_0000_0000
}

/** A seeded sequence in `[0, 1)`. */
export function dice(seed: number): () => number {
  let turn = 0
  return () => {
    turn += 1
    return chance(seed, turn)
  }
}

/** A version 4 UUID made from two numbers. */
export function uuidOf(seed: number, index: number): string {
  const words = [1, 2, 3, 4].map((salt) =>
    mix(mix(seed + salt * 0x9e3779b9) ^ index)
      .toString(16)
      .padStart(8, '0'),
  )
  const hex = words.join('')
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) & 3] ?? '8'
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
