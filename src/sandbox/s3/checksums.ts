import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c } from '../gcs/crc32c.ts'
import type { Exchange } from '../listen.ts'
import { S3Error } from './errors.ts'

const PREFIX = 'x-amz-checksum-'

/** By the ends of their headers' names; each gives what the header holds. */
const ALGORITHMS: Readonly<Record<string, (body: Uint8Array) => string>> = {
  sha256: (body) => createHash('sha256').update(body).digest('base64'),
  sha1: (body) => createHash('sha1').update(body).digest('base64'),
  crc32: (body) => bigEndian(BigInt(crc32(body)), 4),
  crc32c,
  crc64nvme: (body) => bigEndian(crc64nvme(body), 8),
}

/** The checksums among the headers, by the whole names of these. */
export function checksumsOf(headers: Exchange['headers']): Record<string, string> {
  const found = Object.keys(ALGORITHMS).flatMap((name) => {
    const value = headers[`${PREFIX}${name}`]
    return typeof value === 'string' ? [[`${PREFIX}${name}`, value] as const] : []
  })
  return Object.fromEntries(found)
}

/**
 * Compares the digests that came along with the body.
 * @throws S3Error as S3 answers
 * @source https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function checkDigests(headers: Exchange['headers'], body: Uint8Array): void {
  const md5 = headers['content-md5']
  if (typeof md5 === 'string') {
    if (Buffer.from(md5, 'base64').length !== 16)
      throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified is not valid.')
    if (createHash('md5').update(body).digest('base64') !== md5)
      throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.')
  }
  for (const [name, value] of Object.entries(checksumsOf(headers))) {
    if (ALGORITHMS[name.slice(PREFIX.length)]?.(body) !== value)
      throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match what we received.`)
  }
}

const ONES = 0xffff_ffff_ffff_ffffn
const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let sum = BigInt(byte)
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 1n ? (sum >> 1n) ^ 0x9a6c_9329_ac4b_c9b5n : sum >> 1n
  return sum
})

/** CRC-64/NVME. @source NVM Express, NVM Command Set specification: polynomial AD93D23594C93659h, reflected */
function crc64nvme(body: Uint8Array): bigint {
  let sum = ONES
  for (const byte of body) sum = (TABLE[Number((sum ^ BigInt(byte)) & 0xffn)] ?? 0n) ^ (sum >> 8n)
  return sum ^ ONES
}

function bigEndian(sum: bigint, bytes: number): string {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(sum)
  return out.subarray(8 - bytes).toString('base64')
}
