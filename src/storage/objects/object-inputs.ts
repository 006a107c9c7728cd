import { UserError } from '../../core/errors.ts'
import { readText } from '../files.ts'
import { digestedName } from './hour-keys.ts'
import { type OpenedObjects, openObjects } from './open-objects.ts'
import type { OpenParts, OpenStore } from './open-store.ts'
import type { ObjectEntry } from './store.ts'

/** One object to be passed over, as a file source sees a file that cannot be read in place. */
export type ObjectInput = {
  /** Its URL. */
  readonly name: string
  /** Its text from the beginning, unpacked. */
  text(): AsyncGenerator<Uint8Array>
  readonly start: undefined
  /** It was found below a prefix or by a pattern, where other objects may lie too. */
  readonly mayBeOther: boolean
  /** Whether any of its first lines begins like a JSON object. */
  hasObjects(): Promise<boolean>
}

export type ObjectInputs = {
  readonly inputs: AsyncIterable<ObjectInput>
  readonly folder: undefined
  /** The first of what holds no data, as far as the listing has come. */
  readonly skipped: readonly string[]
  /** Data objects, as far as the listing has come. */
  readonly files: number
}

const DATA_FILE =
  /\.(?:jsonl|ndjson|json|csv|tsv|log|txt)(?:\.(?:gz|gzip|zst|zstd))?$|\.(?:gz|gzip|zst|zstd)$/i
const NOT_DATA =
  /^(?:\..*|_.*|(?:.*[.-])?manifest\.json|.*\.(?:part|tmp|swp|bak|sha256|sha1|md5|md|crc|lock|sig))$/i
/** Small objects are fetched while earlier ones are read: a store answers slowly, but many at once. */
const AHEAD_OBJECTS = 16
const AHEAD_BYTES = 2 * 1024 * 1024
const MAX_SKIPPED = 1000

/**
 * The data objects that an object URL stands for, in the order of their keys; manifests, probes and the like are left out, an object named by
 * its own key is taken as it is. Listed as they are read: a bucket may hold a million. The store is closed once the inputs were read, or left.
 * @throws UserError when nothing is there; the store's errors
 */
export async function objectInputs(
  url: string,
  parts: OpenParts & { readonly signal: AbortSignal; readonly openStore?: OpenStore | undefined },
  isWanted: (name: string, bytes: number) => boolean = () => true,
): Promise<ObjectInputs> {
  const { signal } = parts
  const opened = await openObjects(url, parts)
  const listing = new Listing(opened, url, isWanted, signal)
  try {
    await listing.ahead(2)
    if (listing.files === 0) {
      throw new UserError(`${url} holds no data objects`, {
        hint: 'data objects end in .jsonl, .json or .csv, also with .gz or .zst, or are named as CircleCI names them',
        code: 'no-input',
      })
    }
  } catch (error) {
    await listing.close()
    await opened.close()
    throw error
  }
  return {
    inputs: inputsOf(opened, listing, signal),
    folder: undefined,
    skipped: listing.skipped,
    get files() {
      return listing.files
    },
  }
}

/** The data objects of a listing, of which a few are known ahead. */
class Listing {
  readonly skipped: string[] = []
  /** Found by now, wanted or not. */
  files = 0
  readonly waiting: ObjectEntry[] = []
  readonly #objects: AsyncGenerator<ObjectEntry>
  readonly #isWanted: (key: string, bytes: number) => boolean
  readonly #isData: (key: string) => boolean
  readonly #urlOf: (key: string) => string
  #isOver = false

  constructor(
    opened: OpenedObjects,
    url: string,
    isWanted: (name: string, bytes: number) => boolean,
    signal: AbortSignal,
  ) {
    this.#objects = opened.list(signal)
    this.#urlOf = opened.urlOf
    this.#isWanted = (key, bytes) => isWanted(opened.urlOf(key), bytes)
    this.#isData = (key) => {
      const name = key.slice(key.lastIndexOf('/') + 1)
      const isNamed = opened.urlOf(key) === url || key === opened.prefix
      return isNamed || (!NOT_DATA.test(name) && (DATA_FILE.test(name) || digestedName(name)))
    }
  }

  /** Lists until so many wait, or all is listed. */
  async ahead(count: number): Promise<void> {
    while (!this.#isOver && this.waiting.length < count) {
      const { value: object, done } = await this.#objects.next()
      if (done === true) this.#isOver = true
      else if (this.#isData(object.key)) {
        this.files += 1
        if (this.#isWanted(object.key, object.bytes)) this.waiting.push(object)
      } else if (this.skipped.length < MAX_SKIPPED) this.skipped.push(this.#urlOf(object.key))
    }
  }

  async close(): Promise<void> {
    await this.#objects.return(undefined)
  }
}

async function* inputsOf(
  opened: OpenedObjects,
  listing: Listing,
  signal: AbortSignal,
): AsyncGenerator<ObjectInput> {
  const ahead = new Map<string, Promise<Uint8Array>>()
  try {
    for (;;) {
      await listing.ahead(AHEAD_OBJECTS)
      for (const { key, bytes } of listing.waiting) {
        if (bytes > AHEAD_BYTES || ahead.has(key)) continue
        const content = whole(opened.read(key, signal))
        content.catch(() => undefined)
        ahead.set(key, content)
      }
      const object = listing.waiting.shift()
      if (object === undefined) return
      const { key } = object
      const name = opened.urlOf(key)
      const blocks = () => fetched(ahead.get(key), () => opened.read(key, signal))
      yield {
        name,
        text: () => readText(blocks(), name),
        start: undefined,
        mayBeOther: listing.files > 1,
        hasObjects: () => hasObjects(readText(blocks(), name)),
      }
      ahead.delete(key)
    }
  } finally {
    await listing.close()
    await Promise.allSettled(ahead.values())
    await opened.close()
  }
}

async function* fetched(
  content: Promise<Uint8Array> | undefined,
  read: () => AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (content === undefined) yield* read()
  else yield await content
}

async function whole(blocks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const block of blocks) parts.push(block)
  return Buffer.concat(parts)
}

async function hasObjects(text: AsyncGenerator<Uint8Array>): Promise<boolean> {
  for await (const block of text) return /^[ \t]*\{/m.test(Buffer.from(block).toString('latin1'))
  return false
}
