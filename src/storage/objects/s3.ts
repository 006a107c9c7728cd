import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { agentOptions, checkedEndpoint } from './endpoint.ts'
import { classOf, loadPackage } from './load-package.ts'
import { notTheStore } from './problem.ts'
import { s3Credentials } from './s3-credentials.ts'
import { completeInParts } from './s3-parts.ts'
import {
  base64Of,
  entryOf,
  isMissing,
  isRefusedAsTaken,
  md5OfTag,
  nextToken,
  type Reply,
  textOf,
} from './s3-replies.ts'
import {
  type NewObject,
  type ObjectEntry,
  type ObjectHead,
  type ObjectStore,
  SINGLE_PUT_BYTES,
} from './store.ts'

export type S3Settings = {
  readonly bucket: string
  readonly region?: string | undefined
  /** A store that speaks S3; the bucket then stands in the path. */
  readonly endpoint?: string | undefined
  readonly pathStyle?: boolean | undefined
  readonly profile?: string | undefined
  readonly roleArn?: string | undefined
  readonly externalId?: string | undefined
  readonly accessKeyId?: Secret | undefined
  readonly secretAccessKey?: Secret | undefined
  readonly sessionToken?: Secret | undefined
  readonly kmsKeyId?: string | undefined
  /** Keys a page of a listing, at most 1,000. */
  readonly pageSize?: number | undefined
  /** Requests a second, at most. */
  readonly rate?: number | undefined
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
}

export type StoreParts = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly timeoutMs: number
}

type Build = { readonly request: { readonly headers: Record<string, string> } }
type Command = {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: Build) => unknown) => (args: Build) => unknown,
      place: { readonly step: 'build' },
    ): void
  }
}
export type S3Client = {
  send(command: object, options: { readonly abortSignal: AbortSignal }): Promise<Reply>
  destroy(): void
}
/** Sends one command of the SDK by its name, `PutObject`. `sha256`: of the body, lower-case hex, where it is known: the signature then covers it without a second pass. */
export type Send = (name: string, input: Reply, signal: AbortSignal, sha256?: string) => Promise<Reply>

const PACKAGE = '@aws-sdk/client-s3'
const CONNECT_TIMEOUT_MS = 10_000
const MAX_TAKEN = 64

/** Amazon S3 and whatever speaks its dialect, through the vendor's SDK. @throws UserError when the SDK is not installed */
export async function openS3(settings: S3Settings, parts: StoreParts): Promise<ObjectStore> {
  const endpoint = checkedEndpoint(settings.endpoint, settings.allowInsecureHttp)
  const sdk = await loadPackage(PACKAGE, 'S3')
  const Client = classOf<S3Client>(sdk, 'S3Client', PACKAGE)
  const isCustom =
    endpoint !== undefined ||
    (parts.env['AWS_ENDPOINT_URL_S3'] ?? parts.env['AWS_ENDPOINT_URL']) !== undefined
  const region =
    settings.region ??
    (isCustom && !parts.env['AWS_REGION'] && !parts.env['AWS_PROFILE'] ? 'us-east-1' : undefined)
  const agent = { ...agentOptions(settings.tls), maxSockets: 64, keepAlive: true }
  const client = new Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(isCustom
      ? { forcePathStyle: settings.pathStyle ?? true }
      : { forcePathStyle: settings.pathStyle ?? false }),
    // Other stores refuse or store the trailers that newer SDKs add. @source aws/aws-sdk-js-v3#6810, #6994
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Repeating is decided above, where it is known what may be repeated.
    maxAttempts: 1,
    followRegionRedirects: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: parts.timeoutMs,
      throwOnRequestTimeout: true,
      httpsAgent: agent,
      httpAgent: { maxSockets: 64, keepAlive: true },
    },
    ...(await s3Credentials(settings)),
  })
  let requests = 0
  const send: Send = (name, input, signal, sha256) => {
    requests += 1
    const Command = classOf<Command>(sdk, `${name}Command`, PACKAGE)
    const command = new Command({ Bucket: settings.bucket, ...input })
    if (sha256 !== undefined) {
      const sign = (next: (args: Build) => unknown) => (args: Build) => {
        args.request.headers['x-amz-content-sha256'] = sha256
        return next(args)
      }
      command.middlewareStack.add(sign, { step: 'build' })
    }
    return client.send(command, { abortSignal: signal })
  }
  return new S3Store(settings, send, {
    isCustom,
    requests: () => requests,
    close: () => client.destroy(),
  })
}

class S3Store implements ObjectStore {
  readonly kind = 's3'
  readonly url: string
  readonly #send: Send
  readonly #settings: S3Settings
  /** Tags of the objects that were created last, until they are looked at. */
  readonly #taken = new Map<string, string>()
  #wantsMd5 = false
  readonly #parts: { readonly isCustom: boolean; requests(): number; close(): void }

  constructor(
    settings: S3Settings,
    send: Send,
    parts: { readonly isCustom: boolean; requests(): number; close(): void },
  ) {
    this.url = `s3://${settings.bucket}`
    this.#settings = settings
    this.#send = send
    this.#parts = parts
  }

  async *list(prefix: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly ObjectEntry[]> {
    let token: unknown
    do {
      const reply = await this.#send(
        'ListObjectsV2',
        {
          Prefix: prefix,
          MaxKeys: this.#settings.pageSize,
          StartAfter: token === undefined ? after : undefined,
          ContinuationToken: token,
        },
        signal,
      )
      yield ((reply['Contents'] ?? []) as readonly Reply[]).map(entryOf)
      token = nextToken(reply, token)
    } while (token !== undefined)
  }

  async folders(prefix: string, signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    let token: unknown
    do {
      const reply = await this.#send(
        'ListObjectsV2',
        { Prefix: prefix, Delimiter: '/', ContinuationToken: token },
        signal,
      )
      for (const item of (reply['CommonPrefixes'] ?? []) as readonly Reply[])
        found.push(String(item['Prefix']))
      token = nextToken(reply, token)
    } while (token !== undefined)
    return found
  }

  async head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
    try {
      const reply = await this.#send('HeadObject', { Key: key, ChecksumMode: 'ENABLED' }, signal)
      const metadata = (reply['Metadata'] ?? {}) as Reply
      const checksum = reply['ChecksumSHA256']
      // Of an object in parts the checksum is one of checksums, and ends with their number.
      const isWhole = typeof checksum === 'string' && !checksum.includes('-')
      // What the store itself compared or summed up needs no second proof.
      const isProved = isWhole || this.#taken.get(key) === reply['ETag']
      this.#taken.delete(key)
      return {
        ...entryOf({ ...reply, Key: key, Size: reply['ContentLength'] }),
        md5: isProved || reply['ServerSideEncryption'] === 'aws:kms' ? undefined : md5OfTag(reply['ETag']),
        sha256: isWhole ? Buffer.from(checksum, 'base64').toString('hex') : textOf(metadata['sha256']),
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async *read(key: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const reply = await this.#send('GetObject', { Key: key }, signal)
    for await (const block of reply['Body'] as AsyncIterable<Uint8Array>) yield block
  }

  async create(object: NewObject, signal: AbortSignal): Promise<'created' | 'exists'> {
    const { kmsKeyId } = this.#settings
    const own = {
      Key: object.key,
      ContentType: object.contentType,
      Metadata: { sha256: object.sha256 },
      ...(kmsKeyId === undefined
        ? {}
        : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId, BucketKeyEnabled: true }),
    }
    try {
      if (object.content.length > SINGLE_PUT_BYTES) {
        // Some stores overwrite when the parts of an object that exists are put together.
        if ((await this.head(object.key, signal)) !== undefined) return 'exists'
        await completeInParts(this.#send, own, object, signal)
      } else {
        const tag = textOf((await this.#put(own, object, signal))['ETag'])
        if (tag === undefined) throw notTheStore()
        this.#remember(object.key, tag)
      }
      return 'created'
    } catch (error) {
      if (isRefusedAsTaken(error)) return 'exists'
      throw error
    }
  }

  #remember(key: string, tag: string): void {
    this.#taken.set(key, tag)
    const [oldest = ''] = this.#taken.keys()
    if (this.#taken.size > MAX_TAKEN) this.#taken.delete(oldest)
  }

  /** The signature covers the SHA-256 of the content, so the store compares it on the way in. */
  async #put(own: Reply, object: NewObject, signal: AbortSignal): Promise<Reply> {
    const input = { ...own, Body: object.content, IfNoneMatch: '*' }
    // Amazon keeps the checksum for later looks; other stores may refuse what it is called.
    const sum = this.#parts.isCustom ? {} : { ChecksumSHA256: base64Of(object.sha256) }
    const put = (more: Reply) => this.#send('PutObject', { ...input, ...more }, signal, object.sha256)
    if (this.#wantsMd5) return put({ ContentMD5: base64Of(object.md5) })
    try {
      return await put(sum)
    } catch (error) {
      // Some stores want it where objects are locked; it costs more than all the rest.
      if (!/Content-?MD5/i.test(String((error as Error).message))) throw error
      this.#wantsMd5 = true
      return put({ ContentMD5: base64Of(object.md5) })
    }
  }

  async probe(signal: AbortSignal): Promise<void> {
    await this.#send('ListObjectsV2', { MaxKeys: 1 }, signal)
  }

  requests(): number {
    return this.#parts.requests()
  }

  async close(): Promise<void> {
    this.#parts.close()
  }
}
