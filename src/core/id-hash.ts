import { idBits } from './id-bits.ts'

/** Of the id packed last. The top bits choose the part, the others the place in its table. */
export function hashOfBits(): number {
  return spread(idBits[0] as number, idBits[1] as number, idBits[2] as number, idBits[3] as number)
}

/** Ids made in a row, or with a time in front, differ in few bits: all of them must reach all bits. */
export function spread(w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca77)
  h ^= Math.imul(w2 ^ (h >>> 15), 0xc2b2ae3d)
  h ^= Math.imul(w3 ^ (h >>> 13), 0x27d4eb2f)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return h ^ (h >>> 14)
}
