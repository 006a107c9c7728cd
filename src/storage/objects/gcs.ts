import { UserError } from '../../core/errors.ts'
import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { checkedEndpoint } from './endpoint.ts'
import { gcsIdentity } from './gcs-identity.ts'
import { classOf, loadPackage } from './load-package.ts'
import { notTheStore } from './problem.ts'
import type { StoreParts } from './s3.ts'
import {
  type NewObject,
  type ObjectEntry,
  type ObjectHead,
  type ObjectStore,
  PART_BYTES,
  SINGLE_PUT_BYTES,
} from './store.ts'
import { untilAborted } from './until-aborted.ts'

export type GcsSettings = {
  readonly bucket: string
  readonly endpoint?: string | undefined
  /** The text of a key file: of a service account, or of a federated identity. */
  readonly credentials?: Secret | undefined
  readonly accessToken?: Secret | undefined
  readonly rate?: number | undefined
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
}

type Reply = Readonly<Record<string, unknown>>
type GcsFile = {
  /** What the store last said of it. */
  readonly metadata: Reply
  getMetadata(): Promise<readonly [Reply]>
  createReadStream(options: Reply): AsyncIterable<Uint8Array> & { destroy(error?: Error): void }
  createResumableUpload(options: Reply): Promise<readonly [string]>
  save(content: Uint8Array, options: Reply): Promise<void>
}
type GcsBucket = {
  getFiles(query: Reply): Promise<readonly [unknown, Reply | null | undefined, Reply]>
  file(key: string): GcsFile
}
type GcsClient = { bucket(name: string): GcsBucket }

const PACKAGE = '@google-cloud/storage'
const PAGE_OBJECTS = 1000

/** Google Cloud Storage through the vendor's SDK. @throws UserError when the SDK is not installed */
export async function openGcs(settings: GcsSettings, parts: StoreParts): Promise<ObjectStore> {
  if (settings.tls !== undefined) {
    throw new UserError('"tls" means nothing for gcs: Google\'s SDK has no such setting', {
      hint: 'set NODE_EXTRA_CA_CERTS to the file of the certificate authority',
      code: 'config',
    })
  }
  const endpoint = checkedEndpoint(settings.endpoint, settings.allowInsecureHttp)
  const sdk = await loadPackage(PACKAGE, 'Google Cloud Storage')
  const identity = await gcsIdentity(settings)
  const client = new (classOf<GcsClient>(sdk, 'Storage', PACKAGE))({
    ...(endpoint === undefined
      ? {}
      : { apiEndpoint: endpoint, useAuthWithCustomEndpoint: identity !== undefined }),
    ...identity,
    // Repeating is decided above, where it is known what may be repeated.
    retryOptions: { autoRetry: false, maxRetries: 0 },
    timeout: parts.timeoutMs,
  })
  return new GcsStore(settings.bucket, client.bucket(settings.bucket), parts.timeoutMs)
}

class GcsStore implements ObjectStore {
  readonly kind = 'gcs'
  readonly url: string
  readonly #bucket: GcsBucket
  readonly #timeoutMs: number
  #requests = 0

  constructor(name: string, bucket: GcsBucket, timeoutMs: number) {
    this.url = `gs://${name}`
    this.#bucket = bucket
    this.#timeoutMs = timeoutMs
  }

  async *list(prefix: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly ObjectEntry[]> {
    const query = { prefix, ...(after === undefined ? {} : { startOffset: after }) }
    for await (const reply of this.#pages(query, signal)) {
      yield ((reply['items'] ?? []) as readonly Reply[]).map(entryOf)
    }
  }

  async folders(prefix: string, signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    for await (const reply of this.#pages({ prefix, delimiter: '/' }, signal)) {
      found.push(...((reply['prefixes'] ?? []) as readonly string[]))
    }
    return found
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    try {
      const [metadata] = await this.#asked(this.#bucket.file(key).getMetadata(), signal)
      const md5 = metadata['md5Hash']
      const own = (metadata['metadata'] ?? {}) as Reply
      return {
        ...entryOf(metadata),
        md5: typeof md5 === 'string' ? Buffer.from(md5, 'base64').toString('hex') : undefined,
        sha256: typeof own['sha256'] === 'string' ? own['sha256'] : undefined,
      }
    } catch (error) {
      if (codeOf(error) === 404) return undefined
      throw error
    }
  }

  async *read(key: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted()
    this.#requests += 1
    // Packed objects stay packed: unpacked on the way, neither length nor checksum would fit.
    const stream = this.#bucket.file(key).createReadStream({ decompress: false })
    const abort = (): void =>
      stream.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    try {
      for await (const block of stream) yield block
    } finally {
      signal.removeEventListener('abort', abort)
      stream.destroy()
    }
  }

  async create(object: NewObject, signal: AbortSignal): Promise<'created' | 'exists'> {
    const file = this.#bucket.file(object.key)
    const own = {
      preconditionOpts: { ifGenerationMatch: 0 },
      metadata: {
        contentType: object.contentType,
        // The server compares: no second pass over the bytes here.
        md5Hash: Buffer.from(object.md5, 'hex').toString('base64'),
        metadata: { sha256: object.sha256 },
      },
    }
    const once = { ...own, contentType: object.contentType, validation: false, timeout: this.#timeoutMs }
    try {
      if (object.content.length <= SINGLE_PUT_BYTES) {
        await this.#asked(file.save(object.content, { ...once, resumable: false }), signal)
      } else {
        // The SDK leaves out the credentials where it opens a session of its own at a custom endpoint.
        const [uri] = await this.#asked(file.createResumableUpload(own), signal)
        const resumed = { ...once, resumable: true, uri, chunkSize: PART_BYTES }
        await this.#asked(file.save(object.content, resumed), signal)
      }
      if (file.metadata['generation'] === undefined) throw notTheStore()
      return 'created'
    } catch (error) {
      if (codeOf(error) === 412) return 'exists'
      throw error
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.#asked(this.#bucket.getFiles({ autoPaginate: false, maxResults: 1 }), signal)
  }

  requests(): number {
    return this.#requests
  }

  async close(): Promise<void> {}

  async *#pages(query: Reply, signal: AbortSignal): AsyncGenerator<Reply> {
    let next: Reply | null | undefined = { ...query, autoPaginate: false, maxResults: PAGE_OBJECTS }
    while (next) {
      const found: readonly [unknown, Reply | null | undefined, Reply] = await this.#asked(
        this.#bucket.getFiles(next),
        signal,
      )
      yield found[2]
      next = found[1]
    }
  }

  #asked<Value>(answer: Promise<Value>, signal: AbortSignal): Promise<Value> {
    this.#requests += 1
    return untilAborted(answer, signal)
  }
}

function entryOf(item: Reply): ObjectEntry {
  const updated = Date.parse(String(item['updated']))
  return {
    key: String(item['name']),
    bytes: Number(item['size'] ?? 0),
    version: item['generation'] === undefined ? undefined : String(item['generation']),
    modifiedAt: Number.isNaN(updated) ? undefined : updated,
  }
}

function codeOf(error: unknown): number {
  return Number((error as { readonly code?: unknown }).code)
}
