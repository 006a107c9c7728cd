import { createHash, randomBytes } from 'node:crypto'
import { S3Error } from './errors.ts'

export type StoredObject = {
  readonly key: string
  readonly body: Buffer
  readonly etag: string
  readonly contentType: string
  readonly metadata: Readonly<Record<string, string>>
  readonly encryption: string | undefined
  /** Lower-case header name to value, as verified on the way in. */
  readonly checksums: Readonly<Record<string, string>>
  readonly modifiedAt: number
}

type Part = { readonly body: Buffer; readonly md5: Buffer }
type Upload = { readonly key: string; readonly headers: ObjectHeaders; readonly parts: Map<number, Part> }
export type ObjectHeaders = Pick<StoredObject, 'contentType' | 'metadata' | 'encryption' | 'checksums'>

const MIN_PART_BYTES = 5 * 1024 * 1024

/** One bucket in memory. */
export class Bucket {
  readonly objects = new Map<string, StoredObject>()
  /** Keys in the order of their arrival. */
  readonly arrivals: string[] = []
  readonly #uploads = new Map<string, Upload>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  put(key: string, body: Buffer, headers: ObjectHeaders, etag = digest('md5', body)): StoredObject {
    const object = { key, body, etag, ...headers, modifiedAt: this.#now() }
    this.objects.set(key, object)
    this.arrivals.push(key)
    return object
  }

  sortedKeys(prefix: string): string[] {
    return [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  }

  get openUploads(): number {
    return this.#uploads.size
  }

  begin(key: string, headers: ObjectHeaders): string {
    const id = randomBytes(16).toString('hex')
    this.#uploads.set(id, { key, headers, parts: new Map() })
    return id
  }

  putPart(key: string, id: string, number: number, body: Buffer): string {
    if (!(number >= 1 && number <= 10_000))
      throw new S3Error(
        400,
        'InvalidArgument',
        'Part number must be an integer between 1 and 10000, inclusive',
      )
    const md5 = createHash('md5').update(body).digest()
    this.#upload(key, id).parts.set(number, { body, md5 })
    return md5.toString('hex')
  }

  complete(
    key: string,
    id: string,
    listed: readonly { readonly number: number; readonly etag: string }[],
  ): StoredObject {
    const { headers, parts } = this.#upload(key, id)
    if (listed.length === 0)
      throw new S3Error(400, 'MalformedXML', 'The XML you provided was not well-formed')
    const used = listed.map(({ number, etag }, i) => {
      if (i > 0 && number <= (listed[i - 1]?.number ?? 0))
        throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.')
      const part = parts.get(number)
      if (part === undefined || part.md5.toString('hex') !== etag.replaceAll('"', ''))
        throw new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.')
      if (i < listed.length - 1 && part.body.length < MIN_PART_BYTES)
        throw new S3Error(
          400,
          'EntityTooSmall',
          'Your proposed upload is smaller than the minimum allowed size',
        )
      return part
    })
    this.#uploads.delete(id)
    const tag = `${digest('md5', Buffer.concat(used.map(({ md5 }) => md5)))}-${used.length}`
    return this.put(key, Buffer.concat(used.map(({ body }) => body)), headers, tag)
  }

  abort(key: string, id: string): void {
    this.#upload(key, id)
    this.#uploads.delete(id)
  }

  #upload(key: string, id: string): Upload {
    const upload = this.#uploads.get(id)
    if (upload === undefined || upload.key !== key)
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.')
    return upload
  }
}

export function digest(algorithm: string, content: Uint8Array): string {
  return createHash(algorithm).update(content).digest('hex')
}
