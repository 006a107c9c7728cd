import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { S3Error, unsupportedHeader } from './errors.ts'

export type S3Key = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const SKEW_MS = 15 * 60_000

/**
 * Checks the AWS Signature Version 4 of a request, its clock and the digest of its body.
 * @throws S3Error as S3 answers
 * @source https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function checkSignature(
  exchange: Exchange,
  keys: readonly S3Key[],
  now: number,
  takesChunks: boolean,
): void {
  const header = exchange.headers['authorization']
  if (header === undefined) throw new S3Error(403, 'AccessDenied', 'Access Denied')
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      header,
    )
  if (match === null)
    throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed')
  const [, accessKeyId = '', day = '', region = '', signedHeaders = '', signature = ''] = match
  const key = keys.find((candidate) => candidate.accessKeyId === accessKeyId)
  if (key === undefined)
    throw new S3Error(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    )
  const date = String(exchange.headers['x-amz-date'] ?? '')
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (Number.isNaN(at) || !date.startsWith(day))
    throw new S3Error(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  if (Math.abs(at - now) > SKEW_MS)
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    )
  if (key.sessionToken !== undefined && exchange.headers['x-amz-security-token'] !== key.sessionToken) {
    throw new S3Error(400, 'ExpiredToken', 'The provided token has expired.')
  }
  const names = signedHeaders.split(';')
  for (const name of Object.keys(exchange.headers)) {
    // What S3 insists on: the host and all of its own headers.
    if ((name === 'host' || name.startsWith('x-amz-')) && !names.includes(name)) {
      throw new S3Error(
        403,
        'AccessDenied',
        `There were headers present in the request which were not signed: ${name}`,
      )
    }
  }
  const payload = checkPayload(exchange, takesChunks)
  const canonical = [
    exchange.method,
    exchange.path
      .split('/')
      .map((segment) => encode(decodeURIComponent(segment)))
      .join('/'),
    canonicalQuery(exchange.query),
    ...names.map(
      (name) =>
        `${name}:${String(exchange.headers[name] ?? '')
          .trim()
          .replaceAll(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders,
    payload,
  ].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`
  const signing = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  )
  const expected = hmac(signing, text)
  if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) {
    throw new S3Error(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    )
  }
}

function checkPayload(exchange: Exchange, takesChunks: boolean): string {
  const declared = String(exchange.headers['x-amz-content-sha256'] ?? '')
  if (declared === 'UNSIGNED-PAYLOAD') return declared
  if (takesChunks && declared === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return declared
  if (declared.startsWith('STREAMING-')) throw unsupportedHeader('aws-chunked')
  const actual = createHash('sha256').update(exchange.body).digest('hex')
  if (declared !== actual)
    throw new S3Error(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
  return declared
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
