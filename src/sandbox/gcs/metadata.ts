import { createHash } from 'node:crypto'
import type { Bucket, StoredObject } from '../s3/store.ts'
import { crc32c } from './crc32c.ts'
import { GcsError } from './errors.ts'

const MAX_RESULTS = 1000

export function metadataOf(object: StoredObject, bucket: string) {
  const md5Hash = createHash('md5').update(object.body).digest('base64')
  const at = new Date(object.modifiedAt).toISOString()
  return {
    kind: 'storage#object',
    name: object.key,
    bucket,
    generation: String(Math.max(1, Math.floor(object.modifiedAt * 1000))),
    metageneration: '1',
    contentType: object.contentType,
    size: String(object.body.length),
    md5Hash,
    crc32c: crc32c(object.body),
    etag: object.etag,
    timeCreated: at,
    updated: at,
    ...(Object.keys(object.metadata).length === 0 ? {} : { metadata: object.metadata }),
  }
}

/** @throws GcsError for parameters that Google refuses */
export function listObjects(
  bucket: Bucket,
  name: string,
  query: URLSearchParams,
  isTokenLost: boolean,
): unknown {
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const asked = Number(query.get('maxResults') ?? MAX_RESULTS)
  if (!Number.isInteger(asked) || asked < 1)
    throw new GcsError(400, 'invalidParameter', 'Invalid value for maxResults')
  // A listing that loses its way does so at its second key.
  const most = isTokenLost ? 1 : Math.min(asked, MAX_RESULTS)
  const token = query.get('pageToken')
  const after = token === null ? '' : readToken(token)
  const [start, end] = [query.get('startOffset') ?? '', query.get('endOffset')]
  const items: unknown[] = []
  const prefixes: string[] = []
  let last = ''
  let isMore = false
  for (const key of bucket.sortedKeys(prefix)) {
    if (compare(key, start) < 0 || (end !== null && compare(key, end) >= 0)) continue
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length)
    const place = common ?? key
    if (compare(place, after) <= 0 || place === last) continue
    if (items.length + prefixes.length >= most) {
      isMore = true
      break
    }
    last = place
    const object = bucket.objects.get(key)
    if (common !== undefined) prefixes.push(common)
    else if (object !== undefined) items.push(metadataOf(object, name))
  }
  return {
    kind: 'storage#objects',
    ...(items.length > 0 ? { items } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(isMore
      ? { nextPageToken: isTokenLost ? 'lost' : Buffer.from(`gcs:${last}`).toString('base64') }
      : {}),
  }
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8')
  if (!text.startsWith('gcs:')) throw new GcsError(400, 'invalid', 'Invalid argument: pageToken')
  return text.slice(4)
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
