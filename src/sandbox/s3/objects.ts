import { createHash } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { checkDigests, checksumsOf } from './checksums.ts'
import { bodyOf } from './chunked.ts'
import { checkWrite, isUnchanged } from './conditions.ts'
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
  /** A bucket whose objects are locked: what is put must come with a digest. */
  readonly isLocked: boolean
  /** Bodies in `aws-chunked` framing are taken; other stores refuse them. */
  readonly takesChunks: boolean
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
  if (uploadId !== null) return servePart(bucket, name, key, uploadId, exchange, switches)
  switch (method) {
    case 'PUT': {
      checkWrite(bucket.objects.get(key), exchange)
      const body = bodyOf(exchange, switches.takesChunks)
      if (body.length > MAX_PUT_BYTES)
        throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size')
      checkDigests(exchange.headers, body)
      const isSummed =
        exchange.headers['content-md5'] !== undefined || Object.keys(checksumsOf(exchange.headers)).length > 0
      if (switches.isLocked && !isSummed)
        throw new S3Error(
          400,
          'InvalidRequest',
          'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
        )
      const md5 = exchange.headers['content-md5']
      const tag = switches.isKmsTag
        ? createHash('md5').update(body).update('kms').digest('hex')
        : typeof md5 === 'string'
          ? Buffer.from(md5, 'base64').toString('hex')
          : undefined
      const object = bucket.put(key, body, headersOf(exchange), tag)
      return { status: 200, headers: { etag: `"${object.etag}"`, ...object.checksums } }
    }
    case 'HEAD':
    case 'GET': {
      const object = bucket.objects.get(key)
      if (object === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.')
      const headers = replyHeaders(object, exchange)
      return isUnchanged(object, exchange)
        ? { status: 304, headers }
        : { status: 200, body: object.body, headers }
    }
    case 'DELETE':
      bucket.objects.delete(key)
      return { status: 204 }
    default:
      throw new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
  }
}

function servePart(
  bucket: Bucket,
  name: string,
  key: string,
  id: string,
  exchange: Exchange,
  { takesChunks }: ObjectSwitches,
): Answer {
  const { method, query, headers, body } = exchange
  if (method === 'PUT') {
    const part = bodyOf(exchange, takesChunks)
    checkDigests(headers, part)
    const etag = bucket.putPart(key, id, Number(query.get('partNumber')), part)
    return { status: 200, headers: { etag: `"${etag}"`, ...checksumsOf(headers) } }
  }
  if (method === 'DELETE') {
    bucket.abort(key, id)
    return { status: 204 }
  }
  if (method !== 'POST')
    throw new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.')
  checkWrite(bucket.objects.get(key), exchange)
  const parts = [...body.toString('utf8').matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
    etag: (/<ETag>(.*?)<\/ETag>/s.exec(part)?.[1] ?? '').replaceAll('&quot;', '').replaceAll('&#34;', ''),
  }))
  const { etag } = bucket.complete(key, id, parts)
  return xml(
    `<CompleteMultipartUploadResult><Bucket>${xmlText(name)}</Bucket><Key>${xmlText(key)}</Key><ETag>&quot;${etag}&quot;</ETag></CompleteMultipartUploadResult>`,
  )
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
