import { S3Error, xmlText } from './errors.ts'
import type { Bucket } from './store.ts'

const MAX_KEYS = 1000

/** ListObjectsV2. @source https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export function listXml(bucket: Bucket, name: string, query: URLSearchParams, isTokenLost: boolean): string {
  if (query.get('list-type') !== '2')
    throw new S3Error(501, 'NotImplemented', 'only version 2 of ListObjects is served here')
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const asked = Number(query.get('max-keys') ?? MAX_KEYS)
  if (!Number.isInteger(asked) || asked < 0)
    throw new S3Error(400, 'InvalidArgument', 'Provided max-keys not an integer or within integer range')
  // A listing that loses its way does so at its second key.
  const most = isTokenLost ? 1 : Math.min(asked, MAX_KEYS)
  const token = query.get('continuation-token')
  const after = token === null ? (query.get('start-after') ?? '') : readToken(token)
  const isEncoded = query.get('encoding-type') === 'url'
  // Slashes stay as they are.
  const encoded = isEncoded ? (text: string) => text.split('/').map(encodeURIComponent).join('/') : xmlText

  const contents: string[] = []
  const prefixes: string[] = []
  let last = ''
  let isTruncated = false
  for (const key of bucket.sortedKeys(prefix)) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : key.slice(0, cut + delimiter.length)
    // A prefix is one answer, however many keys it stands for.
    const place = common ?? key
    if (Buffer.compare(Buffer.from(place), Buffer.from(after)) <= 0 || place === last) continue
    if (contents.length + prefixes.length >= most) {
      isTruncated = most > 0
      break
    }
    last = place
    if (common !== undefined)
      prefixes.push(`<CommonPrefixes><Prefix>${encoded(common)}</Prefix></CommonPrefixes>`)
    else {
      const object = bucket.objects.get(key)
      contents.push(
        `<Contents><Key>${encoded(key)}</Key><LastModified>${new Date(object?.modifiedAt ?? 0).toISOString()}</LastModified><ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.body.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
      )
    }
  }
  const next =
    isTruncated && !isTokenLost ? `<NextContinuationToken>${makeToken(last)}</NextContinuationToken>` : ''
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Name>${xmlText(name)}</Name><Prefix>${encoded(prefix)}</Prefix><KeyCount>${contents.length + prefixes.length}</KeyCount><MaxKeys>${most}</MaxKeys>`,
    delimiter === '' ? '' : `<Delimiter>${encoded(delimiter)}</Delimiter>`,
    isEncoded ? '<EncodingType>url</EncodingType>' : '',
    `<IsTruncated>${isTruncated}</IsTruncated>${next}`,
    ...contents,
    ...prefixes,
    '</ListBucketResult>',
  ].join('')
}

/** Opaque: nobody may make one up. */
function makeToken(key: string): string {
  return Buffer.from(`1:${key}:${check(key)}`).toString('base64')
}

function readToken(token: string): string {
  const [, key = '', sum] = /^1:(.*):(\d+)$/s.exec(Buffer.from(token, 'base64').toString('utf8')) ?? []
  if (sum === undefined || Number(sum) !== check(key))
    throw new S3Error(400, 'InvalidArgument', 'The continuation token provided is incorrect')
  return key
}

function check(key: string): number {
  let sum = 7
  for (const byte of Buffer.from(key)) sum = (sum * 31 + byte) % 1_000_003
  return sum
}
