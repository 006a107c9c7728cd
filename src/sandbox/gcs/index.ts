import { listen } from '../listen.ts'
import { archivedRows, archiveFiles } from '../s3/archived.ts'
import { Bucket } from '../s3/store.ts'
import { storeTrials } from '../s3/trials.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { gcsHandler } from './handler.ts'
import { tokenEndpoint } from './tokens.ts'

const BUCKET = 'audit-lake'
const TOKEN = 'ya29.sandbox-token-of-google-cloud-storage'
/** Where a service account's signed claims are changed for a token. */
const TOKEN_PATH = '/token'
const DENIED = 'ya29.sandbox-token-without-permissions'
const NONE = { contentType: 'application/x-ndjson', metadata: {}, encryption: undefined, checksums: {} }

/** A bucket on a strict Google Cloud Storage (JSON API), as a receiver and an archive. */
export async function startGcs(options: SandboxOptions): Promise<SandboxService> {
  const bucket = new Bucket(options.now)
  const violations: SandboxService['violations'][number][] = []
  const tokens = tokenEndpoint(TOKEN, options.now)
  const handle = gcsHandler({
    bucket,
    name: BUCKET,
    tokens: [TOKEN],
    denied: [DENIED],
    faults: options.faults,
    violate: (request, rule, detail) => void violations.push({ request, rule, detail }),
  })
  const listener = await listen({
    ...(options.port ? { port: options.port } : {}),
    handle: (exchange) =>
      exchange.path === TOKEN_PATH
        ? tokens.serve(exchange, `http://${exchange.headers.host}${TOKEN_PATH}`)
        : handle(exchange),
  })
  const place = { provider: 'gcs', bucket: BUCKET, endpoint: listener.url }
  const stream = { ...place, accessToken: TOKEN }
  const signed = { ...place, credentials: tokens.keyFile(`${listener.url}${TOKEN_PATH}`) }
  const rows = () =>
    bucket.arrivals.flatMap((key) => archivedRows(key, bucket.objects.get(key)?.body ?? Buffer.alloc(0)))
  return {
    name: 'gcs',
    urls: { gcs: listener.url },
    config: { streams: { lake: stream, 'lake-by-key': signed } },
    violations,
    receivedIds: () => rows().map(({ id }) => String(id)),
    rows,
    preload: (streamed) => {
      for (const { key, body } of archiveFiles(streamed)) bucket.put(key, body, NONE)
    },
    trials: storeTrials(
      'gcs',
      stream,
      [TOKEN],
      { ...stream, accessToken: DENIED },
      { ...stream, bucket: 'no-such-bucket' },
    ),
    close: () => listener.close(),
  }
}
