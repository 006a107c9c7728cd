import type { FaultPlan } from '../faults.ts'
import type { Exchange, Handler } from '../listen.ts'
import { cutBody, interrupted } from '../object-faults.ts'
import type { Bucket } from '../s3/store.ts'
import { GcsError } from './errors.ts'
import { listObjects, metadataOf } from './metadata.ts'
import { Uploads } from './uploads.ts'

export type GcsParts = {
  readonly bucket: Bucket
  readonly name: string
  readonly tokens: readonly string[]
  /** Known, and without any permission. */
  readonly denied: readonly string[]
  readonly faults: FaultPlan
  violate(request: number, rule: string, detail: string): void
}

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }

/**
 * The part of the JSON API that an archive needs: list, get, download, media, multipart and resumable uploads with preconditions.
 * @source https://cloud.google.com/storage/docs/json_api/v1/objects
 */
export function gcsHandler(parts: GcsParts): Handler {
  const { faults, bucket } = parts
  const uploads = new Uploads(bucket)
  return async (exchange) => {
    const { index, method } = exchange
    const take = (kind: string) => faults.take('gcs', kind, index)
    if (await interrupted(exchange, 'gcs', faults)) return
    if (take('slow-down'))
      return exchange.reply(503, new GcsError(503, 'backendError', 'Backend Error').body())
    try {
      // The address of an upload session is its credential.
      if (!exchange.query.has('upload_id')) authorize(exchange, parts)
      const isWrite = method === 'POST' || method === 'PUT'
      const isReset = isWrite && take('reset-after') !== undefined
      const isFailing = isWrite && take('error-after') !== undefined
      let answer: Answer
      try {
        answer = await serve(exchange, parts, uploads)
      } catch (error) {
        // The answer is lost, whatever it was.
        if (!isReset && !isFailing) throw error
        answer = { status: 200 }
      }
      if (isReset) return exchange.reset()
      if (isFailing) throw new GcsError(500, 'internalError', 'We encountered an internal error.')
      if (Buffer.isBuffer(answer.body)) {
        if (faults.standing('gcs', 'cut-body', index)) return cutBody(exchange, answer.body)
        // Without digests: what was stored is damaged, not the way here.
        if (faults.standing('gcs', 'damaged', index)) return exchange.reply(200, answer.body.subarray(0, -6))
      }
      exchange.reply(answer.status, answer.body ?? '', answer.headers)
    } catch (error) {
      if (!(error instanceof GcsError)) throw error
      if (error.status === 400)
        parts.violate(index, error.reason, `${method} ${exchange.path}: ${error.message}`)
      exchange.reply(error.status, error.body())
    }
  }
}

function authorize({ headers }: Exchange, { tokens, denied }: GcsParts): void {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token === undefined)
    throw new GcsError(
      401,
      'required',
      'Anonymous caller does not have storage.objects.list access to the Google Cloud Storage bucket.',
    )
  if (denied.includes(token))
    throw new GcsError(
      403,
      'forbidden',
      'The caller does not have storage.objects access to the Google Cloud Storage bucket.',
    )
  if (!tokens.includes(token)) throw new GcsError(401, 'authError', 'Invalid Credentials')
}

async function serve(
  exchange: Exchange,
  { bucket, name, faults }: GcsParts,
  uploads: Uploads,
): Promise<Answer> {
  const { method, path, query, index } = exchange
  const found = /^\/(upload\/storage|storage|download\/storage)\/v1\/b\/([^/]+)(?:\/o(?:\/(.*))?)?$/.exec(
    path,
  )
  if (found === null) throw new GcsError(404, 'notFound', 'Not Found')
  const [, service, bucketName = '', encodedKey] = found
  if (decodeURIComponent(bucketName) !== name)
    throw new GcsError(404, 'notFound', 'The specified bucket does not exist.')
  if (service === 'upload/storage') return uploads.serve(exchange, name)
  if (encodedKey === undefined || encodedKey === '') {
    if (method !== 'GET') throw new GcsError(405, 'methodNotAllowed', 'Method not allowed')
    return {
      status: 200,
      body: listObjects(bucket, name, query, faults.standing('gcs', 'lost-token', index) !== undefined),
    }
  }
  const object = bucket.objects.get(decodeURIComponent(encodedKey))
  if (object === undefined)
    throw new GcsError(404, 'notFound', `No such object: ${name}/${decodeURIComponent(encodedKey)}`)
  if (method === 'DELETE') {
    bucket.objects.delete(object.key)
    return { status: 204 }
  }
  if (method !== 'GET') throw new GcsError(405, 'methodNotAllowed', 'Method not allowed')
  const metadata = metadataOf(object, name)
  if (query.get('alt') !== 'media') return { status: 200, body: metadata }
  return {
    status: 200,
    body: object.body,
    headers: {
      'content-type': object.contentType,
      'x-goog-hash': `crc32c=${metadata.crc32c},md5=${metadata.md5Hash}`,
      'x-goog-generation': metadata.generation,
      'x-goog-stored-content-length': metadata.size,
      'x-goog-stored-content-encoding': 'identity',
    },
  }
}
