import { createHash } from 'node:crypto'
import { IncompleteError } from '../../core/errors.ts'
import type { NewObject, ObjectHead, ObjectStore } from './store.ts'

/** An object on its way, with its digests; `sha256` where it is known already. */
export function newObject(
  key: string,
  content: Uint8Array,
  contentType: string,
  sha256 = digestOf('sha256', content),
): NewObject & { readonly knownMd5: string | undefined } {
  let md5: string | undefined
  return {
    key,
    content,
    contentType,
    sha256,
    get md5() {
      md5 ??= digestOf('md5', content)
      return md5
    },
    /** Undefined where the store had no use for it. */
    get knownMd5() {
      return md5
    },
  }
}

export function digestOf(algorithm: 'md5' | 'sha1' | 'sha256', content: Uint8Array): string {
  return createHash(algorithm).update(content).digest('hex')
}

export type Written = {
  /** False: it was there before, with the same content. */
  readonly isNew: boolean
}

/**
 * Creates the object if its key is free, and looks whether what lies there is what was sent: an object of the same content counts as written,
 * so that a repeat does no harm.
 * @throws IncompleteError when something else lies there; what the store threw as it came
 */
export async function writeOnce(
  store: ObjectStore,
  object: NewObject,
  signal: AbortSignal,
): Promise<Written> {
  const outcome = await store.create(object, signal)
  const head = await store.head(object.key, signal)
  if (head === undefined) {
    throw new IncompleteError(`${store.url}/${object.key} was written, and is not there`, {
      hint: 'a lifecycle rule may have removed it, or the store does not keep its promises',
      code: 'object-vanished',
    })
  }
  if (isSame(head, object) ?? (await isSameByReading(store, object, signal)))
    return { isNew: outcome === 'created' }
  throw new IncompleteError(
    `${store.url}/${object.key} holds something else: ${head.bytes} bytes, ${object.content.length} were sent`,
    {
      hint: 'its key names the digest of its content: somebody else wrote there; move that object away and look into it',
      code: 'object-differs',
    },
  )
}

/** Undefined when the store's own word is not enough. */
function isSame(head: ObjectHead, object: NewObject): boolean | undefined {
  if (head.bytes !== object.content.length) return false
  if (head.sha256 !== undefined && head.sha256 !== object.sha256) return false
  if (head.md5 === undefined) return head.sha256 === object.sha256 ? true : undefined
  // An ETag may look like an MD5 and be none: only the bytes decide.
  return head.md5 === object.md5 ? true : undefined
}

async function isSameByReading(store: ObjectStore, object: NewObject, signal: AbortSignal): Promise<boolean> {
  const hash = createHash('sha256')
  for await (const block of store.read(object.key, signal)) hash.update(block)
  return hash.digest('hex') === object.sha256
}
