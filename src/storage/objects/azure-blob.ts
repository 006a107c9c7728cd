import { UserError } from '../../core/errors.ts'
import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { checkedEndpoint } from './endpoint.ts'
import { classOf, type LoadedPackage, loadPackage } from './load-package.ts'
import { notTheStore } from './problem.ts'
import type { StoreParts } from './s3.ts'
import {
  type NewObject,
  type ObjectEntry,
  type ObjectHead,
  type ObjectStore,
  PART_BYTES,
  PARTS_IN_FLIGHT,
  SINGLE_PUT_BYTES,
} from './store.ts'

export type AzureBlobSettings = {
  readonly container: string
  /** Name of the storage account; its address is made of it unless `endpoint` says otherwise. */
  readonly account?: string | undefined
  /** `https://acme.blob.core.windows.net`. */
  readonly endpoint?: string | undefined
  readonly connectionString?: Secret | undefined
  readonly accountKey?: Secret | undefined
  readonly sasToken?: Secret | undefined
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Secret | undefined
  readonly rate?: number | undefined
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
}

type Item = {
  readonly name: string
  readonly kind?: string
  readonly properties: {
    readonly contentLength?: number
    readonly etag?: string
    readonly lastModified?: Date
  }
}
type Segment = {
  readonly segment: { readonly blobItems?: readonly Item[]; readonly blobPrefixes?: readonly Item[] }
}
type Paged = { byPage(options: { readonly maxPageSize: number }): AsyncIterable<Segment> }
type Options = Readonly<Record<string, unknown>>
type Container = {
  listBlobsFlat(options: Options): Paged
  listBlobsByHierarchy(delimiter: string, options: Options): Paged
  getBlockBlobClient(key: string): BlockBlob
}
type BlockBlob = {
  getProperties(options: Options): Promise<{
    readonly contentLength?: number
    readonly contentMD5?: Uint8Array
    readonly etag?: string
    readonly lastModified?: Date
    readonly metadata?: Readonly<Record<string, string>>
  }>
  download(
    offset: number,
    count: number | undefined,
    options: Options,
  ): Promise<{ readonly readableStreamBody?: AsyncIterable<Uint8Array> }>
  uploadData(content: Uint8Array, options: Options): Promise<{ readonly etag?: string }>
}
type Service = { getContainerClient(name: string): Container }

const PACKAGE = '@azure/storage-blob'
const IDENTITY_PACKAGE = '@azure/identity'
const PAGE_OBJECTS = 5000

/** Azure Blob Storage through the vendor's SDK. @throws UserError when the SDK is not installed */
export async function openAzureBlob(settings: AzureBlobSettings, parts: StoreParts): Promise<ObjectStore> {
  if (settings.tls !== undefined) {
    throw new UserError('"tls" means nothing for azure-blob: Microsoft\'s SDK has no such setting', {
      hint: 'set NODE_EXTRA_CA_CERTS to the file of the certificate authority',
      code: 'config',
    })
  }
  const sdk = await loadPackage(PACKAGE, 'Azure Blob Storage')
  const service = await serviceOf(settings, sdk, parts)
  return new AzureStore(settings.container, service.getContainerClient(settings.container))
}

async function serviceOf(
  settings: AzureBlobSettings,
  sdk: LoadedPackage,
  parts: StoreParts,
): Promise<Service> {
  const Client = classOf<Service>(sdk, 'BlobServiceClient', PACKAGE)
  // Repeating is decided above, where it is known what may be repeated.
  const options = { retryOptions: { maxTries: 1, tryTimeoutInMs: parts.timeoutMs } }
  const fromText = (Client as unknown as { fromConnectionString(text: string, options: Options): Service })
    .fromConnectionString
  const connection =
    (await settings.connectionString?.reveal()) ??
    ownText(settings, parts.env['AZURE_STORAGE_CONNECTION_STRING'])
  if (connection !== undefined) return fromText.call(Client, connection, options)
  const account = settings.account ?? parts.env['AZURE_STORAGE_ACCOUNT']
  const endpoint = checkedEndpoint(
    settings.endpoint ?? (account === undefined ? undefined : `https://${account}.blob.core.windows.net`),
    settings.allowInsecureHttp,
  )
  if (endpoint === undefined) {
    throw new UserError('azure-blob needs "account", "endpoint" or "connectionString"', {
      hint: '"account" is the name before .blob.core.windows.net',
      code: 'config',
    })
  }
  const sas = (await settings.sasToken?.reveal()) ?? parts.env['AZURE_STORAGE_SAS_TOKEN']
  if (sas !== undefined) return new Client(`${endpoint}?${sas.replace(/^\?/, '')}`, undefined, options)
  const key = (await settings.accountKey?.reveal()) ?? parts.env['AZURE_STORAGE_KEY']
  if (key !== undefined) {
    const name = account ?? new URL(endpoint).hostname.split('.')[0]
    const shared = new (classOf<object>(sdk, 'StorageSharedKeyCredential', PACKAGE))(name, key)
    return new Client(endpoint, shared, options)
  }
  return new Client(endpoint, await identityOf(settings), options)
}

/** The environment's connection string belongs to its own account: settings that name another one win. */
function ownText(settings: AzureBlobSettings, text: string | undefined): string | undefined {
  const isNamed =
    settings.account !== undefined || settings.endpoint !== undefined || settings.sasToken !== undefined
  return isNamed ? undefined : text
}

async function identityOf({ tenantId, clientId, clientSecret }: AzureBlobSettings): Promise<object> {
  const identity = await loadPackage(
    IDENTITY_PACKAGE,
    'Azure Blob Storage without a key, SAS or connection string',
  )
  if (tenantId !== undefined && clientId !== undefined && clientSecret !== undefined) {
    const Credential = classOf<object>(identity, 'ClientSecretCredential', IDENTITY_PACKAGE)
    return new Credential(tenantId, clientId, await clientSecret.reveal())
  }
  return new (classOf<object>(identity, 'DefaultAzureCredential', IDENTITY_PACKAGE))({
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(clientId === undefined
      ? {}
      : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
  })
}

class AzureStore implements ObjectStore {
  readonly kind = 'azure-blob'
  readonly url: string
  readonly #container: Container
  #requests = 0

  constructor(name: string, container: Container) {
    this.url = `azblob://${name}`
    this.#container = container
  }

  async *list(prefix: string, abortSignal: AbortSignal): AsyncGenerator<readonly ObjectEntry[]> {
    this.#requests += 1
    for await (const page of this.#container
      .listBlobsFlat({ prefix, abortSignal })
      .byPage({ maxPageSize: PAGE_OBJECTS })) {
      yield (page.segment.blobItems ?? []).map(entryOf)
      this.#requests += 1
    }
  }

  async folders(prefix: string, abortSignal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    const pages = this.#container
      .listBlobsByHierarchy('/', { prefix, abortSignal })
      .byPage({ maxPageSize: PAGE_OBJECTS })
    for await (const page of pages) {
      this.#requests += 1
      for (const { name } of page.segment.blobPrefixes ?? []) found.push(name)
    }
    return found
  }

  async head(key: string, abortSignal: AbortSignal): Promise<ObjectHead | undefined> {
    this.#requests += 1
    try {
      const found = await this.#container.getBlockBlobClient(key).getProperties({ abortSignal })
      const { contentMD5, metadata } = found
      return {
        ...entryOf({ name: key, properties: found }),
        md5: contentMD5 === undefined ? undefined : Buffer.from(contentMD5).toString('hex'),
        sha256: metadata?.['sha256'],
      }
    } catch (error) {
      const { statusCode, code } = error as { readonly statusCode?: number; readonly code?: string }
      if (statusCode === 404 && code !== 'ContainerNotFound') return undefined
      throw error
    }
  }

  async *read(key: string, abortSignal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.#requests += 1
    const { readableStreamBody } = await this.#container
      .getBlockBlobClient(key)
      .download(0, undefined, { abortSignal, maxRetryRequests: 0 })
    for await (const block of readableStreamBody ?? []) yield block
  }

  async create(object: NewObject, abortSignal: AbortSignal): Promise<'created' | 'exists'> {
    this.#requests += 1
    try {
      const reply = await this.#container.getBlockBlobClient(object.key).uploadData(object.content, {
        abortSignal,
        maxSingleShotSize: SINGLE_PUT_BYTES,
        blockSize: PART_BYTES,
        concurrency: PARTS_IN_FLIGHT,
        conditions: { ifNoneMatch: '*' },
        // Kept with the blob, so that later looks prove the content.
        blobHTTPHeaders: {
          blobContentType: object.contentType,
          blobContentMD5: Buffer.from(object.md5, 'hex'),
        },
        metadata: { sha256: object.sha256 },
      })
      if (reply.etag === undefined) throw notTheStore()
      return 'created'
    } catch (error) {
      const { statusCode, code } = error as { readonly statusCode?: number; readonly code?: string }
      if (
        statusCode === 412 ||
        (statusCode === 409 && (code === 'BlobAlreadyExists' || code === 'UnauthorizedBlobOverwrite'))
      )
        return 'exists'
      throw error
    }
  }

  async probe(abortSignal: AbortSignal): Promise<void> {
    this.#requests += 1
    for await (const _ of this.#container.listBlobsFlat({ abortSignal }).byPage({ maxPageSize: 1 })) return
  }

  requests(): number {
    return this.#requests
  }

  async close(): Promise<void> {}
}

function entryOf({ name, properties }: Item): ObjectEntry {
  return {
    key: name,
    bytes: properties.contentLength ?? 0,
    version: properties.etag,
    modifiedAt: properties.lastModified?.getTime(),
  }
}
