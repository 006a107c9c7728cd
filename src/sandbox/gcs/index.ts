import { listen } from '../listen.ts'
import { archivedRows, archiveFiles } from '../s3/archived.ts'
import { Bucket } from '../s3/store.ts'
import { storeTrials } from '../s3/trials.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { gcsHandler } from './handler.ts'

const BUCKET = 'audit-lake'
const TOKEN = 'ya29.sandbox-token-of-google-cloud-storage'
const DENIED = 'ya29.sandbox-token-without-permissions'
const NONE = { contentType: 'application/x-ndjson', metadata: {}, encryption: undefined, checksums: {} }

/** A bucket on a strict Google Cloud Storage (JSON API), as a receiver and an archive. */
export async function startGcs(options: SandboxOptions): Promise<SandboxService> {
  const bucket = new Bucket(options.now)
  const violations: SandboxService['violations'][number][] = []
  const listener = await listen({
    ...(options.port ? { port: options.port } : {}),
    handle: gcsHandler({
      bucket,
      name: BUCKET,
      tokens: [TOKEN],
      denied: [DENIED],
      faults: options.faults,
      violate: (request, rule, detail) => void violations.push({ request, rule, detail }),
    }),
  })
  const stream = { provider: 'gcs', bucket: BUCKET, endpoint: listener.url, accessToken: TOKEN }
  const rows = () =>
    bucket.arrivals.flatMap((key) => archivedRows(key, bucket.objects.get(key)?.body ?? Buffer.alloc(0)))
  return {
    name: 'gcs',
    urls: { gcs: listener.url },
    config: { streams: { lake: stream } },
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
