import { createHash } from 'node:crypto'
import type { OpenStore } from '../../src/storage/objects/open-store.ts'
import { retried } from '../../src/storage/objects/retried.ts'
import type { NewObject, ObjectEntry, ObjectStore } from '../../src/storage/objects/store.ts'

/** A bucket in memory, with the manners of the real ones: pages, order by bytes, refusals. */
export type MemoryBucket = {
  readonly objects: Map<string, Buffer>
  /** Every call, `list year=2026/`, `read key`. */
  readonly calls: string[]
  /** Thrown by the next calls whose name it returns something for. */
  fault: ((call: string) => unknown) | undefined
  /** Waited in every call. */
  delayMs: number
  /** The most calls that were in flight at once. */
  busiest: number
  readonly open: OpenStore
  readonly store: ObjectStore
}

/** An error as the SDK of S3 throws it. */
export function s3Error(status: number, name: string): Error {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status, requestId: 'req-1' } })
}

export function memoryBucket(
  options: { readonly pageObjects?: number; readonly kind?: 's3' | 'gcs' | 'azure-blob' } = {},
): MemoryBucket {
  const { pageObjects = 1000, kind = 's3' } = options
  const objects = new Map<string, Buffer>()
  let inFlight = 0
  const called = async (call: string): Promise<void> => {
    bucket.calls.push(call)
    const error = bucket.fault?.(call)
    if (error !== undefined) throw error
    inFlight += 1
    bucket.busiest = Math.max(bucket.busiest, inFlight)
    if (bucket.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, bucket.delayMs))
    inFlight -= 1
  }
  const keys = (prefix: string): string[] =>
    [...objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const entry = (key: string): ObjectEntry => {
    const content = objects.get(key) ?? Buffer.alloc(0)
    return { key, bytes: content.length, version: digest('md5', content), modifiedAt: undefined }
  }
  const store: ObjectStore = {
    kind,
    url: 's3://memory',
    async *list(prefix, _signal, after = '') {
      const found = keys(prefix).filter((key) => key > after)
      for (let at = 0; at === 0 || at < found.length; at += pageObjects) {
        await called(`list ${prefix}`)
        yield found.slice(at, at + pageObjects).map(entry)
      }
    },
    async folders(prefix) {
      await called(`folders ${prefix}`)
      const rests = keys(prefix).map((key) => key.slice(prefix.length))
      return [
        ...new Set(
          rests
            .filter((rest) => rest.includes('/'))
            .map((rest) => `${prefix}${rest.slice(0, rest.indexOf('/') + 1)}`),
        ),
      ]
    },
    async head(key) {
      await called(`head ${key}`)
      const content = objects.get(key)
      if (content === undefined) return undefined
      return { ...entry(key), md5: digest('md5', content), sha256: undefined }
    },
    async *read(key) {
      await called(`read ${key}`)
      const content = objects.get(key)
      if (content === undefined) throw s3Error(404, 'NoSuchKey')
      for (let at = 0; at < content.length; at += 65_536) yield content.subarray(at, at + 65_536)
    },
    async create({ key, content }: NewObject) {
      await called(`create ${key}`)
      if (objects.has(key)) return 'exists'
      objects.set(key, Buffer.from(content))
      return 'created'
    },
    probe: () => called('probe'),
    requests: () => bucket.calls.length,
    close: async () => {},
  }
  const bucket: MemoryBucket = {
    objects,
    calls: [],
    fault: undefined,
    delayMs: 0,
    busiest: 0,
    open: async (_settings, { clock }) => retried(store, clock),
    store,
  }
  return bucket
}

export function digest(algorithm: 'md5' | 'sha1' | 'sha256', content: Uint8Array | string): string {
  return createHash(algorithm).update(content).digest('hex')
}
