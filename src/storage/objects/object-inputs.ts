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
  readonly skipped: readonly string[]
  readonly files: number
}

const DATA_FILE =
  /\.(?:jsonl|ndjson|json|csv|tsv|log|txt)(?:\.(?:gz|gzip|zst|zstd))?$|\.(?:gz|gzip|zst|zstd)$/i
const NOT_DATA =
  /^(?:\..*|_.*|(?:.*[.-])?manifest\.json|.*\.(?:part|tmp|swp|bak|sha256|sha1|md5|md|crc|lock|sig))$/i
/** Small objects are fetched while earlier ones are read: a store answers slowly, but many at once. */
const AHEAD_OBJECTS = 16
const AHEAD_BYTES = 2 * 1024 * 1024

/**
 * The data objects that an object URL stands for, in the order of their keys; manifests, probes and the like are left out, an object named by
 * its own key is taken as it is. The store is closed once the inputs were read, or left.
 * @throws UserError when nothing is there; the store's errors
 */
export async function objectInputs(
  url: string,
  parts: OpenParts & { readonly signal: AbortSignal; readonly openStore?: OpenStore | undefined },
  isWanted: (name: string, bytes: number) => boolean = () => true,
): Promise<ObjectInputs> {
  const { signal } = parts
  const opened = await openObjects(url, parts)
  const found: ObjectEntry[] = []
  const skipped: string[] = []
  try {
    for await (const object of opened.list(signal)) {
      const name = object.key.slice(object.key.lastIndexOf('/') + 1)
      const isNamed = opened.urlOf(object.key) === url || object.key === opened.prefix
      if (isNamed || (!NOT_DATA.test(name) && (DATA_FILE.test(name) || digestedName(name))))
        found.push(object)
      else skipped.push(opened.urlOf(object.key))
    }
    if (found.length === 0) {
      throw new UserError(`${url} holds no data objects`, {
        hint: 'data objects end in .jsonl, .json or .csv, also with .gz or .zst, or are named as CircleCI names them',
        code: 'no-input',
      })
    }
  } catch (error) {
    await opened.close()
    throw error
  }
  const objects = found.filter(({ key, bytes }) => isWanted(opened.urlOf(key), bytes))
  return { inputs: inputsOf(opened, objects, signal), folder: undefined, skipped, files: found.length }
}

async function* inputsOf(
  opened: OpenedObjects,
  objects: readonly ObjectEntry[],
  signal: AbortSignal,
): AsyncGenerator<ObjectInput> {
  const ahead = new Map<string, Promise<Uint8Array>>()
  let next = 0
  try {
    for (const [at, { key }] of objects.entries()) {
      for (; next < Math.min(objects.length, at + AHEAD_OBJECTS); next += 1) {
        const object = objects[next]
        if (object === undefined || object.bytes > AHEAD_BYTES) continue
        const content = whole(opened.read(object.key, signal))
        content.catch(() => undefined)
        ahead.set(object.key, content)
      }
      const name = opened.urlOf(key)
      const blocks = () => fetched(ahead.get(key), () => opened.read(key, signal))
      yield {
        name,
        text: () => readText(blocks(), name),
        start: undefined,
        mayBeOther: objects.length > 1,
        hasObjects: () => hasObjects(readText(blocks(), name)),
      }
      ahead.delete(key)
    }
  } finally {
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
