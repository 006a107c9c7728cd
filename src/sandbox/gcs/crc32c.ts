const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
  return sum >>> 0
})

/** CRC-32C (Castagnoli), big-endian, base64: as Google spells it. */
export function crc32c(bytes: Uint8Array): string {
  let sum = 0xffffffff
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] as number) ^ (sum >>> 8)
  const out = Buffer.alloc(4)
  out.writeUInt32BE((sum ^ 0xffffffff) >>> 0)
  return out.toString('base64')
}
