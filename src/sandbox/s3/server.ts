import type { FaultPlan } from '../faults.ts'
import { type Exchange, type Listener, listen, type Violation } from '../listen.ts'
import { cutBody, interrupted } from '../object-faults.ts'
import { errorXml, S3Error } from './errors.ts'
import { type Answer, serveBucket } from './objects.ts'
import { checkSignature, type S3Key } from './signature.ts'
import { Bucket } from './store.ts'

export type S3Server = {
  readonly listener: Listener
  readonly buckets: ReadonlyMap<string, Bucket>
  readonly violations: Violation[]
}

/** An S3 endpoint on loopback, path-style and virtual-host style, that refuses what S3 refuses. */
export async function serveS3(options: {
  readonly service: string
  readonly buckets: readonly string[]
  readonly keys: readonly S3Key[]
  /** May do nothing: a policy that refuses listing and the rest. */
  readonly denied: readonly string[]
  readonly faults: FaultPlan
  readonly now: () => number
  readonly port?: number | undefined
}): Promise<S3Server> {
  const buckets = new Map(options.buckets.map((name) => [name, new Bucket(options.now)]))
  const violations: Violation[] = []
  const { service, faults } = options

  const handle = async (exchange: Exchange): Promise<void> => {
    const { index } = exchange
    const take = (kind: string) => faults.take(service, kind, index)
    const requestId = `SANDBOX${String(index).padStart(9, '0')}`
    const reply = ({ status, body, headers = {} }: Answer): void => {
      const own = { server: 'AmazonS3', 'x-amz-request-id': requestId, ...headers }
      if (exchange.method !== 'HEAD') exchange.reply(status, body ?? '', own)
      else
        exchange.response.writeHead(status, { ...own, 'content-length': Buffer.byteLength(body ?? '') }).end()
    }
    if (await interrupted(exchange, service, faults)) return
    if (take('slow-down'))
      return reply(
        asXml(new S3Error(503, 'SlowDown', 'Please reduce your request rate.'), exchange, requestId),
      )
    try {
      const takesChunks = faults.standing(service, 'chunked', index) !== undefined
      checkSignature(exchange, options.keys, Date.now(), takesChunks)
      const { name, key } = placeOf(exchange)
      if (options.denied.some((id) => exchange.headers['authorization']?.includes(`Credential=${id}/`)))
        throw new S3Error(403, 'AccessDenied', 'Access Denied')
      const bucket = buckets.get(name)
      if (bucket === undefined) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist')
      const isCompletion = exchange.method === 'POST' && exchange.query.has('uploadId')
      if ((exchange.method === 'PUT' || isCompletion) && take('conflict'))
        throw new S3Error(
          409,
          'ConditionalRequestConflict',
          'A conflicting conditional operation is currently in progress against this resource.',
        )
      const isWrite = exchange.method === 'PUT'
      const isReset = isWrite && take('reset-after') !== undefined
      const isFailing = isWrite && take('error-after') !== undefined
      let answer: Answer
      try {
        answer = serveBucket(bucket, name, key, exchange, {
          isKmsTag: faults.standing(service, 'kms-etag', index) !== undefined,
          isTokenLost: faults.standing(service, 'lost-token', index) !== undefined,
          isLocked: faults.standing(service, 'locked', index) !== undefined,
          takesChunks,
        })
      } catch (error) {
        // The answer is lost, whatever it was.
        if (!isReset && !isFailing) throw error
        answer = { status: 200 }
      }
      if (isReset) return exchange.reset()
      if (isFailing)
        throw new S3Error(500, 'InternalError', 'We encountered an internal error. Please try again.')
      if (exchange.method === 'GET' && key !== '' && answer.body !== undefined) {
        if (faults.standing(service, 'cut-body', index))
          return cutBody(exchange, Buffer.from(answer.body), answer.headers)
        if (faults.standing(service, 'damaged', index))
          return reply({ ...answer, body: Buffer.from(answer.body).subarray(0, -6) })
      }
      reply(answer)
    } catch (error) {
      if (!(error instanceof S3Error)) throw error
      if (error.status === 400 || error.status === 501 || error.code === 'SignatureDoesNotMatch') {
        violations.push({
          request: index,
          rule: error.code,
          detail: `${exchange.method} ${exchange.path}: ${error.message}`,
        })
      }
      reply(asXml(error, exchange, requestId))
    }
  }
  const listener = await listen({ ...(options.port ? { port: options.port } : {}), handle })
  return { listener, buckets, violations }
}

function asXml(error: S3Error, exchange: Exchange, requestId: string): Answer {
  const body = exchange.method === 'HEAD' ? '' : errorXml(error, exchange.path, requestId)
  return { status: error.status, body, headers: { 'content-type': 'application/xml' } }
}

/** `/bucket/key`, or `bucket.localhost` and `/key`. */
function placeOf({ path, headers }: Exchange): { readonly name: string; readonly key: string } {
  const host = /^([a-z0-9.-]+)\.localhost(?::\d+)?$/.exec(headers.host ?? '')?.[1]
  const whole = decodeURIComponent(path.slice(1))
  if (host !== undefined) return { name: host, key: whole }
  const slash = whole.indexOf('/')
  return slash < 0 ? { name: whole, key: '' } : { name: whole.slice(0, slash), key: whole.slice(slash + 1) }
}
