import { isInside } from '../../core/time-range.ts'
import { serveS3 } from '../s3/server.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { deliveries, timeOf } from './deliveries.ts'
import { circleEvents } from './world.ts'

const BUCKET = 'circleci-audit'
const PREFIX = 'streams/acme'
const EVENTS = 2000
const KEY = {
  accessKeyId: 'AKIASANDBOX000000003',
  secretAccessKey: 'sandbox-circle-key-that-is-forty-chars-x',
}
const JSON_FILE = { contentType: 'application/json', metadata: {}, encryption: undefined, checksums: {} }

/**
 * The bucket of a CircleCI audit log stream on a strict S3. The faults `circleci:unpadded`, `circleci:gzip` and `circleci:small-files`, given at the start, change how it
 * is filled, and what lies inside `drop` was never delivered; those of the S3 server (`slow-down`, `cut-body`, `damaged`, `lost-token`, `status`) go by the same name.
 */
export async function startCircleci(options: SandboxOptions): Promise<SandboxService> {
  const isSet = (kind: string) =>
    options.faults.list().some((fault) => fault.service === 'circleci' && fault.kind === kind)
  const events = circleEvents({ ...options, events: options.events ?? EVENTS })
  const { listener, buckets, violations } = await serveS3({
    service: 'circleci',
    buckets: [BUCKET],
    keys: [KEY],
    denied: [],
    faults: options.faults,
    now: options.now,
    port: options.port,
  })
  const switches = {
    isPadded: !isSet('unpadded'),
    isGzip: isSet('gzip'),
    ...(isSet('small-files') ? { fileEvents: 4 } : {}),
  }
  const { drop } = options
  const delivered = drop === undefined ? events : events.filter((event) => !isInside(timeOf(event), drop))
  for (const { key, body } of deliveries(delivered, switches))
    buckets.get(BUCKET)?.put(`${PREFIX}/${key}`, body, JSON_FILE)
  return {
    name: 'circleci',
    urls: { circleci: listener.url },
    config: {
      sources: {
        ci: {
          type: 'circleci',
          bucket: BUCKET,
          prefix: PREFIX,
          region: 'us-east-1',
          endpoint: listener.url,
          ...KEY,
        },
      },
    },
    violations,
    events: () => events,
    close: () => listener.close(),
  }
}
