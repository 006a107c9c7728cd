import { createHash } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { xmlText } from '../s3/errors.ts'
import type { Bucket, ObjectHeaders } from '../s3/store.ts'
import { BlobError } from './errors.ts'

const MAX_RESULTS = 5000

export type Answer = {
  readonly status: number
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

/** Blocks that were put and not yet committed, by key and block id. */
export type Blocks = Map<string, Map<string, Buffer>>

/**
 * One request to a blob, after its signature was checked. @throws BlobError as the service answers
 * @source https://learn.microsoft.com/rest/api/storageservices/put-blob, /put-block-list
 */
export function serveBlob(bucket: Bucket, blocks: Blocks, key: string, exchange: Exchange): Answer {
  const { method, query, headers, body } = exchange
  const comp = query.get('comp')
  if (method === 'PUT') {
    checkMd5(exchange)
    if (comp === 'block') {
      const id = query.get('blockid') ?? ''
      const own = blocks.get(key) ?? new Map<string, Buffer>()
      const [first] = own.keys()
      if (id === '' || (first !== undefined && first.length !== id.length))
        throw new BlobError(400, 'InvalidBlobOrBlock', 'The specified blob or block content is invalid.')
      blocks.set(key, own.set(id, body))
      return { status: 201 }
    }
    checkConditions(bucket, key, exchange)
    if (comp === 'blocklist') {
      const own = blocks.get(key)
      const ids = [...body.toString('utf8').matchAll(/<(?:Latest|Uncommitted|Committed)>(.*?)<\//g)].map(
        ([, id = '']) => id,
      )
      const parts = ids.map((id) => own?.get(id))
      if (parts.some((part) => part === undefined))
        throw new BlobError(400, 'InvalidBlockList', 'The specified block list is invalid.')
      blocks.delete(key)
      return created(bucket, key, Buffer.concat(parts as Buffer[]), exchange)
    }
    if (comp !== null) throw new BlobError(501, 'NotImplemented', 'this operation is not served here')
    if (headers['x-ms-blob-type'] !== 'BlockBlob')
      throw new BlobError(
        400,
        'MissingRequiredHeader',
        'An HTTP header that is mandatory for this request is not specified: x-ms-blob-type',
      )
    return created(bucket, key, body, exchange)
  }
  const blob = bucket.objects.get(key)
  if (blob === undefined) throw new BlobError(404, 'BlobNotFound', 'The specified blob does not exist.')
  if (method === 'DELETE') {
    bucket.objects.delete(key)
    return { status: 202 }
  }
  if (method !== 'GET' && method !== 'HEAD')
    throw new BlobError(405, 'UnsupportedHttpVerb', 'The resource does not support the specified HTTP verb.')
  return {
    status: 200,
    body: blob.body,
    headers: {
      etag: tagOf(blob),
      'last-modified': new Date(blob.modifiedAt).toUTCString(),
      'content-type': blob.contentType,
      'x-ms-blob-type': 'BlockBlob',
      // As it was given, not as it is.
      ...(blob.checksums['md5'] === undefined ? {} : { 'content-md5': blob.checksums['md5'] }),
      ...Object.fromEntries(
        Object.entries(blob.metadata).map(([name, value]) => [`x-ms-meta-${name}`, value]),
      ),
    },
  }
}

/** @source https://learn.microsoft.com/rest/api/storageservices/list-blobs */
export function listBlobs(
  bucket: Bucket,
  container: string,
  query: URLSearchParams,
  isMarkerLost: boolean,
): Answer {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const asked = Number(query.get('maxresults') ?? MAX_RESULTS)
  if (!Number.isInteger(asked) || asked < 1)
    throw new BlobError(
      400,
      'OutOfRangeQueryParameterValue',
      'A query parameter specified in the request URI is outside the permissible range.',
    )
  // A listing that loses its way does so at its second key.
  const most = isMarkerLost ? 1 : Math.min(asked, MAX_RESULTS)
  const marker = query.get('marker') ?? ''
  if (marker !== '' && !marker.startsWith('2!'))
    throw new BlobError(
      400,
      'InvalidQueryParameterValue',
      'Value for one of the query parameters specified in the request URI is invalid: marker',
    )
  const after = marker === '' ? '' : Buffer.from(marker.slice(2), 'base64').toString('utf8')
  const found: string[] = []
  let last = ''
  let next = ''
  for (const key of bucket.sortedKeys(prefix)) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length)
    const place = common ?? key
    if (Buffer.compare(Buffer.from(place), Buffer.from(after)) <= 0 || place === last) continue
    if (found.length >= most) {
      next = isMarkerLost ? 'lost' : `2!${Buffer.from(last).toString('base64')}`
      break
    }
    last = place
    const blob = bucket.objects.get(key)
    found.push(
      common !== undefined
        ? `<BlobPrefix><Name>${xmlText(common)}</Name></BlobPrefix>`
        : `<Blob><Name>${xmlText(key)}</Name><Properties><Last-Modified>${new Date(blob?.modifiedAt ?? 0).toUTCString()}</Last-Modified><Etag>0x${blob?.etag.slice(0, 15).toUpperCase()}</Etag><Content-Length>${blob?.body.length}</Content-Length><Content-Type>${blob?.contentType}</Content-Type><BlobType>BlockBlob</BlobType></Properties></Blob>`,
    )
  }
  const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://sandbox/" ContainerName="${container}"><Prefix>${xmlText(prefix)}</Prefix><MaxResults>${most}</MaxResults><Blobs>${found.join('')}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`
  return { status: 200, body, headers: { 'content-type': 'application/xml' } }
}

function created(bucket: Bucket, key: string, body: Buffer, exchange: Exchange): Answer {
  const blob = bucket.put(key, body, headersOf(exchange, body))
  return {
    status: 201,
    headers: {
      etag: tagOf(blob),
      'last-modified': new Date(blob.modifiedAt).toUTCString(),
    },
  }
}

/** Taken, where it must not be, is 409; another tag than the one expected is 412. */
function checkConditions(bucket: Bucket, key: string, { headers }: Exchange): void {
  const blob = bucket.objects.get(key)
  const [absent, same] = [headers['if-none-match'], headers['if-match']]
  if (absent === '*' && blob !== undefined)
    throw new BlobError(409, 'BlobAlreadyExists', 'The specified blob already exists.')
  const isOther = same !== undefined && (blob === undefined || (same !== '*' && same !== tagOf(blob)))
  if (isOther || (absent !== undefined && blob !== undefined && absent === tagOf(blob)))
    throw new BlobError(
      412,
      'ConditionNotMet',
      'The condition specified using HTTP conditional header(s) is not met.',
    )
}

function tagOf({ etag }: { readonly etag: string }): string {
  return `"0x${etag.slice(0, 15).toUpperCase()}"`
}

function checkMd5({ headers, body, query }: Exchange): void {
  // Of a list of blocks it is the digest of the blob, which is not checked.
  const md5 = headers['content-md5'] ?? (query.has('comp') ? undefined : headers['x-ms-blob-content-md5'])
  if (typeof md5 === 'string' && createHash('md5').update(body).digest('base64') !== md5) {
    throw new BlobError(
      400,
      'Md5Mismatch',
      'The MD5 value specified in the request did not match with the MD5 value calculated by the server.',
    )
  }
}

function headersOf({ headers }: Exchange, body: Buffer): ObjectHeaders {
  const metadata = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('x-ms-meta-') ? [[name.slice(10), String(value)] as const] : [],
  )
  const given = headers['x-ms-blob-content-md5']
  const md5 = typeof given === 'string' ? given : createHash('md5').update(body).digest('base64')
  return {
    contentType: String(
      headers['x-ms-blob-content-type'] ?? headers['content-type'] ?? 'application/octet-stream',
    ),
    metadata: Object.fromEntries(metadata),
    encryption: undefined,
    checksums: { md5 },
  }
}
