import type { SandboxOptions, SandboxService } from '../service.ts'
import { archivedRows, archiveFiles } from './archived.ts'
import { serveS3 } from './server.ts'
import { storeTrials } from './trials.ts'

const BUCKET = 'audit-lake'
const KEY = {
  accessKeyId: 'AKIASANDBOX000000001',
  secretAccessKey: 'sandbox-secret-key-that-is-forty-chars-x',
}
const DENIED = {
  accessKeyId: 'AKIASANDBOX000000002',
  secretAccessKey: 'sandbox-denied-key-that-is-forty-chars-x',
}
const NONE = { contentType: 'application/x-ndjson', metadata: {}, encryption: undefined, checksums: {} }

/** A bucket on a strict S3, as a receiver and an archive. */
export async function startS3(options: SandboxOptions): Promise<SandboxService> {
  const { listener, buckets, violations } = await serveS3({
    service: 's3',
    buckets: [BUCKET],
    keys: [KEY, DENIED],
    denied: [DENIED.accessKeyId],
    faults: options.faults,
    now: options.now,
    port: options.port,
  })
  const bucket = buckets.get(BUCKET)
  if (bucket === undefined) throw new Error('the sandbox lost its bucket')
  const stream = { provider: 's3', bucket: BUCKET, region: 'us-east-1', endpoint: listener.url, ...KEY }
  const rows = () =>
    bucket.arrivals.flatMap((key) => archivedRows(key, bucket.objects.get(key)?.body ?? Buffer.alloc(0)))
  return {
    name: 's3',
    urls: { s3: listener.url },
    config: { streams: { lake: stream } },
    violations,
    receivedIds: () => rows().map(({ id }) => String(id)),
    rows,
    preload: (streamed) => {
      for (const { key, body } of archiveFiles(streamed)) bucket.put(key, body, NONE)
    },
    trials: storeTrials(
      's3',
      stream,
      [KEY.secretAccessKey],
      { ...stream, ...DENIED },
      { ...stream, bucket: 'no-such-bucket' },
    ),
    close: () => listener.close(),
  }
}
