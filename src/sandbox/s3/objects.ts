import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Exchange } from '../listen.ts'
import { S3Error, xmlText } from './errors.ts'
import { listXml } from './list.ts'
import type { Bucket, ObjectHeaders, StoredObject } from './store.ts'

const MAX_KEY_BYTES = 1024
const MAX_PUT_BYTES = 5 * 1024 * 1024 * 1024

export type Answer = {
  readonly status: number
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

export type ObjectSwitches = {
  /** An ETag that looks like an MD5 and is none, as with a customer's key. */
  readonly isKmsTag: boolean
  readonly isTokenLost: boolean
}

/** One request to a bucket, after its signature was checked. @throws S3Error as S3 answers */
export function serveBucket(
  bucket: Bucket,
  name: string,
  key: string,
  exchange: Exchange,
  switches: ObjectSwitches,
): Answer {
  const { method, query } = exchange
  if (key === '') {
    if (method === 'HEAD') return { status: 200 }
    if (method !== 'GET')
      throw new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
    return xml(listXml(bucket, name, query, switches.isTokenLost))
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new S3Error(400, 'KeyTooLongError', 'Your key is too long')
  const uploadId = query.get('uploadId')
  if (method === 'POST' && query.has('uploads')) {
    const id = bucket.begin(key, headersOf(exchange))
    return xml(
      `<InitiateMultipartUploadResult><Bucket>${xmlText(name)}</Bucket><Key>${xmlText(key)}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    )
  }
  if (uploadId !== null) return servePart(bucket, name, key, uploadId, exchange)
  switch (method) {
    case 'PUT': {
      checkAbsent(bucket, key, exchange)
      if (exchange.body.length > MAX_PUT_BYTES)
        throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size')
      checkBody(exchange)
      const tag = switches.isKmsTag
        ? createHash('md5').update(exchange.body).update('kms').digest('hex')
        : undefined
      const object = bucket.put(key, exchange.body, headersOf(exchange), tag)
      return { status: 200, headers: { etag: `"${object.etag}"` } }
    }
    case 'HEAD':
    case 'GET': {
      const object = bucket.objects.get(key)
      if (object === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
      return { status: 200, body: object.body, headers: replyHeaders(object, exchange) }
    }
    case 'DELETE':
      bucket.objects.delete(key)
      return { status: 204 }
    default:
      throw new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
  }
}

function servePart(bucket: Bucket, name: string, key: string, id: string, exchange: Exchange): Answer {
  const { method, query, body } = exchange
  if (method === 'PUT') {
    checkBody(exchange)
    return {
      status: 200,
      headers: { etag: `"${bucket.putPart(key, id, Number(query.get('partNumber')), body)}"` },
    }
  }
  if (method === 'DELETE') {
    bucket.abort(key, id)
    return { status: 204 }
  }
  if (method !== 'POST')
    throw new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
  checkAbsent(bucket, key, exchange)
  const parts = [...body.toString('utf8').matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/s.exec(part)?.[1] ?? '').replaceAll('&quot;', '').replaceAll('&#34;', ''),
  }))
  const { etag } = bucket.complete(key, id, parts)
  return xml(
    `<CompleteMultipartUploadResult><Bucket>${xmlText(name)}</Bucket><Key>${xmlText(key)}</Key><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`,
  )
}

function checkAbsent(bucket: Bucket, key: string, { headers }: Exchange): void {
  const condition = headers['if-none-match']
  if (condition !== undefined && condition !== '*')
    throw new S3Error(
      501,
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
    )
  if (condition === '*' && bucket.objects.has(key))
    throw new S3Error(
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
    )
}

/** The digests that came along. */
function checkBody({ headers, body }: Exchange): void {
  if (headers['content-encoding']?.includes('aws-chunked'))
    throw new S3Error(501, 'NotImplemented', 'aws-chunked is not implemented')
  const md5 = headers['content-md5']
  if (typeof md5 === 'string') {
    if (Buffer.from(md5, 'base64').length !== 16)
      throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified is not valid.')
    if (createHash('md5').update(body).digest('base64') !== md5)
      throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.')
  }
  for (const [name, value] of Object.entries(checksumsOf(headers))) {
    if (checksum(name, body) !== value)
      throw new S3Error(400, 'BadDigest', `The ${name} you specified did not match what we received.`)
  }
}

function checksumsOf(headers: Exchange['headers']): Record<string, string> {
  const found = ['x-amz-checksum-sha256', 'x-amz-checksum-sha1', 'x-amz-checksum-crc32'].flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return Object.fromEntries(found)
}

function checksum(name: string, body: Buffer): string {
  if (name.endsWith('crc32')) {
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    return sum.toString('base64')
  }
  return createHash(name.endsWith('sha1') ? 'sha1' : 'sha256')
    .update(body)
    .digest('base64')
}

function headersOf({ headers }: Exchange): ObjectHeaders {
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-amz-meta-') ? [[name.slice(11), String(value)] as const] : [],
  )
  const encryption = headers['x-amz-server-side-encryption']
  return {
    contentType: headers['content-type'] ?? 'binary/octet-stream',
    metadata: Object.fromEntries(metadata),
    encryption: typeof encryption === 'string' ? encryption : undefined,
    checksums: checksumsOf(headers),
  }
}

function replyHeaders(object: StoredObject, { headers }: Exchange): Record<string, string> {
  return {
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
    'content-type': object.contentType,
    ...(object.encryption === undefined ? {} : { 'x-amz-server-side-encryption': object.encryption }),
    ...Object.fromEntries(
      Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ),
    ...(headers['x-amz-checksum-mode'] === 'ENABLED' ? object.checksums : {}),
  }
}

function xml(body: string): Answer {
  return { status: 200, body, headers: { 'content-type': 'application/xml' } }
}
