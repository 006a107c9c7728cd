import { createHash, randomBytes } from 'node:crypto'
import type { JsonObject } from '../../core/event.ts'
import type { Exchange } from '../listen.ts'
import type { Bucket } from '../s3/store.ts'
import { crc32c } from './crc32c.ts'
import { GcsError } from './errors.ts'
import { metadataOf } from './metadata.ts'

const CHUNK_UNIT = 256 * 1024

type Session = {
  readonly key: string
  readonly resource: JsonObject
  readonly isNewOnly: boolean
  body: Buffer
}
type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }

/** Media, multipart and resumable uploads. @source https://cloud.google.com/storage/docs/uploads-downloads */
export class Uploads {
  readonly #bucket: Bucket
  readonly #sessions = new Map<string, Session>()

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  serve(exchange: Exchange, bucketName: string): Answer {
    const { method, query, headers, body } = exchange
    const id = query.get('upload_id')
    if (id !== null) return this.#resume(id, exchange, bucketName)
    if (method !== 'POST') throw new GcsError(405, 'methodNotAllowed', 'Method not allowed')
    const condition = query.get('ifGenerationMatch')
    if (condition !== null && condition !== '0')
      throw new GcsError(501, 'notImplemented', 'only ifGenerationMatch=0 is served here')
    const isNewOnly = condition === '0'
    const type = query.get('uploadType')
    if (type === 'media') {
      const resource = { name: query.get('name'), contentType: headers['content-type'] }
      return { status: 200, body: this.#store(resource, body, isNewOnly, bucketName) }
    }
    if (type === 'multipart') {
      const { resource, content } = multipartOf(exchange)
      return {
        status: 200,
        body: this.#store({ name: query.get('name'), ...resource }, content, isNewOnly, bucketName),
      }
    }
    if (type !== 'resumable') throw new GcsError(400, 'invalidParameter', 'Invalid value for uploadType')
    const resource: JsonObject = body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as JsonObject)
    const key = String(query.get('name') ?? resource['name'] ?? '')
    this.#checkAbsent(key, isNewOnly)
    const session = randomBytes(16).toString('hex')
    this.#sessions.set(session, {
      key,
      resource: { ...resource, name: key },
      isNewOnly,
      body: Buffer.alloc(0),
    })
    const location = `http://${headers.host}${exchange.path}?uploadType=resumable&upload_id=${session}`
    return { status: 200, headers: { location } }
  }

  #resume(id: string, { method, headers, body }: Exchange, bucketName: string): Answer {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new GcsError(404, 'notFound', 'No such upload session')
    if (method === 'DELETE') {
      this.#sessions.delete(id)
      return { status: 499 }
    }
    const range = headers['content-range']
    const match = /^bytes (?:\*|(\d+)-(\d+|\*))\/(\d+|\*)$/.exec(range ?? 'bytes 0-*/*')
    if (match === null) throw new GcsError(400, 'invalid', `Invalid Content-Range: ${range}`)
    const [, from, , total = '*'] = match
    if (from !== undefined) {
      if (Number(from) !== session.body.length)
        throw new GcsError(503, 'backendError', 'the chunk does not follow the last one')
      const isLast = total !== '*' && Number(total) === Number(from) + body.length
      const isWhole = range === undefined || match[2] === '*'
      if (!isLast && !isWhole && body.length % CHUNK_UNIT !== 0)
        throw new GcsError(400, 'invalid', 'Chunks must be multiples of 256 KiB')
      session.body = Buffer.concat([session.body, body])
      if (isLast || isWhole) {
        this.#sessions.delete(id)
        return {
          status: 200,
          body: this.#store(session.resource, session.body, session.isNewOnly, bucketName),
        }
      }
    } else if (total !== '*' && Number(total) === session.body.length) {
      this.#sessions.delete(id)
      return { status: 200, body: this.#store(session.resource, session.body, session.isNewOnly, bucketName) }
    }
    const headersOut: Record<string, string> =
      session.body.length === 0 ? {} : { range: `bytes=0-${session.body.length - 1}` }
    return { status: 308, headers: headersOut }
  }

  #store(resource: JsonObject, content: Buffer, isNewOnly: boolean, bucketName: string): unknown {
    const key = resource['name']
    if (typeof key !== 'string' || key === '') throw new GcsError(400, 'required', 'Required parameter: name')
    if (Buffer.byteLength(key) > 1024 || /[\r\n]/.test(key))
      throw new GcsError(400, 'invalid', 'Invalid object name')
    this.#checkAbsent(key, isNewOnly)
    const { md5Hash, crc32c: sum } = resource
    if (md5Hash !== undefined && md5Hash !== createHash('md5').update(content).digest('base64')) {
      throw new GcsError(
        400,
        'invalid',
        `Provided MD5 hash ${JSON.stringify(md5Hash)} doesn't match calculated MD5 hash.`,
      )
    }
    if (sum !== undefined && sum !== crc32c(content))
      throw new GcsError(
        400,
        'invalid',
        `Provided CRC32C ${JSON.stringify(sum)} doesn't match calculated CRC32C.`,
      )
    const metadata = (resource['metadata'] ?? {}) as Record<string, string>
    const contentType =
      typeof resource['contentType'] === 'string' ? resource['contentType'] : 'application/octet-stream'
    return metadataOf(
      this.#bucket.put(key, content, { contentType, metadata, encryption: undefined, checksums: {} }),
      bucketName,
    )
  }

  #checkAbsent(key: string, isNewOnly: boolean): void {
    if (isNewOnly && this.#bucket.objects.has(key))
      throw new GcsError(
        412,
        'conditionNotMet',
        'At least one of the pre-conditions you specified did not hold.',
      )
  }
}

/** The two parts of a `multipart/related` body: the resource, and the content to the byte. */
function multipartOf({ headers, body }: Exchange): {
  readonly resource: JsonObject
  readonly content: Buffer
} {
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1]
  if (boundary === undefined) throw new GcsError(400, 'badContent', 'Missing boundary')
  const marker = Buffer.from(`--${boundary}`)
  const parts: Buffer[] = []
  let from = body.indexOf(marker)
  while (from >= 0) {
    const start = from + marker.length
    const next = body.indexOf(marker, start)
    if (next < 0) break
    const head = body.indexOf('\r\n\r\n', start)
    // The line break before a boundary belongs to the boundary.
    parts.push(body.subarray(head + 4, next - 2))
    from = next
  }
  const [resource, content] = parts
  if (resource === undefined || content === undefined)
    throw new GcsError(400, 'badContent', 'Expected two parts')
  return { resource: JSON.parse(resource.toString('utf8')) as JsonObject, content }
}
