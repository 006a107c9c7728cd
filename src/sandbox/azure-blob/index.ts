import { type Exchange, listen } from '../listen.ts'
import { cutBody, interrupted } from '../object-faults.ts'
import { archivedRows, archiveFiles } from '../s3/archived.ts'
import { Bucket } from '../s3/store.ts'
import { storeTrials } from '../s3/trials.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { type Answer, type Blocks, listBlobs, serveBlob } from './blobs.ts'
import { BlobError } from './errors.ts'
import { checkSas, hasSas } from './sas.ts'
import { checkSharedKey, checkVersion } from './shared-key.ts'

const SERVICE = 'azure-blob'
const ACCOUNT = 'auditctlsandbox'
const CONTAINER = 'audit-lake'
const KEY = Buffer.from('sandbox key of an Azure storage account, 64 bytes long as usual!').toString('base64')
const WRONG_KEY = Buffer.from('sandbox key of another account, which is refused as it has to be').toString(
  'base64',
)
const NONE = { contentType: 'application/x-ndjson', metadata: {}, encryption: undefined, checksums: {} }

/** A container on a strict Azure Blob Storage, as a receiver and an archive. */
export async function startAzureBlob(options: SandboxOptions): Promise<SandboxService> {
  const { faults } = options
  const bucket = new Bucket(options.now)
  const blocks: Blocks = new Map()
  const violations: { readonly request: number; readonly rule: string; readonly detail: string }[] = []

  const serve = (exchange: Exchange): Answer => {
    const newest = faults.standing(SERVICE, 'api-version', exchange.index)?.value
    checkVersion(exchange, newest)
    if (hasSas(exchange)) checkSas(exchange, ACCOUNT, KEY, Date.now())
    else checkSharedKey(exchange, ACCOUNT, KEY)
    const [, account, container, ...rest] = decodeURIComponent(exchange.path).split('/')
    if (account !== ACCOUNT || container !== CONTAINER)
      throw new BlobError(404, 'ContainerNotFound', 'The specified container does not exist.')
    const key = rest.join('/')
    if (key !== '') return serveBlob(bucket, blocks, key, exchange)
    if (exchange.query.get('comp') !== 'list')
      throw new BlobError(501, 'NotImplemented', 'this operation is not served here')
    return listBlobs(
      bucket,
      CONTAINER,
      exchange.query,
      faults.standing(SERVICE, 'lost-token', exchange.index) !== undefined,
    )
  }

  const handle = async (exchange: Exchange): Promise<void> => {
    const { index, method } = exchange
    if (await interrupted(exchange, SERVICE, faults)) return
    const reply = ({ status, body, headers = {} }: Answer): void => {
      const own = {
        'x-ms-version': String(exchange.headers['x-ms-version'] ?? ''),
        'x-ms-request-id': `sandbox-${index}`,
        ...headers,
      }
      if (method !== 'HEAD') exchange.reply(status, body ?? '', own)
      else
        exchange.response.writeHead(status, { ...own, 'content-length': Buffer.byteLength(body ?? '') }).end()
    }
    const fail = (error: BlobError): void =>
      reply({
        status: error.status,
        body: method === 'HEAD' ? '' : error.xml(),
        headers: { 'content-type': 'application/xml', 'x-ms-error-code': error.code },
      })
    if (faults.take(SERVICE, 'slow-down', index))
      return fail(new BlobError(503, 'ServerBusy', 'The server is currently unable to receive requests.'))
    try {
      const isReset = method === 'PUT' && faults.take(SERVICE, 'reset-after', index) !== undefined
      const isFailing = method === 'PUT' && faults.take(SERVICE, 'error-after', index) !== undefined
      let answer: Answer
      try {
        answer = serve(exchange)
      } catch (error) {
        // The answer is lost, whatever it was.
        if (!isReset && !isFailing) throw error
        answer = { status: 200 }
      }
      if (isReset) return exchange.reset()
      if (isFailing) throw new BlobError(500, 'InternalError', 'The server encountered an internal error.')
      if (method === 'GET' && Buffer.isBuffer(answer.body)) {
        if (faults.standing(SERVICE, 'cut-body', index)) return cutBody(exchange, answer.body, answer.headers)
        if (faults.standing(SERVICE, 'damaged', index))
          return reply({ ...answer, body: answer.body.subarray(0, -6) })
      }
      reply(answer)
    } catch (error) {
      if (!(error instanceof BlobError)) throw error
      if (error.status === 400 || error.status === 501)
        violations.push({
          request: index,
          rule: error.code,
          detail: `${method} ${exchange.path}: ${error.message}`,
        })
      fail(error)
    }
  }

  const listener = await listen({ ...(options.port ? { port: options.port } : {}), handle })
  const stream = {
    provider: SERVICE,
    container: CONTAINER,
    account: ACCOUNT,
    endpoint: `${listener.url}/${ACCOUNT}`,
    accountKey: KEY,
  }
  const rows = () =>
    bucket.arrivals.flatMap((key) => archivedRows(key, bucket.objects.get(key)?.body ?? Buffer.alloc(0)))
  return {
    name: SERVICE,
    urls: { azureBlob: listener.url },
    config: { streams: { lake: stream } },
    violations,
    receivedIds: () => rows().map(({ id }) => String(id)),
    rows,
    preload: (streamed) => {
      for (const { key, body } of archiveFiles(streamed)) bucket.put(key, body, NONE)
    },
    trials: storeTrials(
      SERVICE,
      stream,
      [KEY],
      { ...stream, accountKey: WRONG_KEY },
      { ...stream, container: 'no-such-container' },
    ),
    close: () => listener.close(),
  }
}
