import { isProbe } from './hour-keys.ts'
import { fixedPrefix, keyMatcher, objectLocation } from './location.ts'
import { type OpenParts, type OpenStore, openStore, settingsOf } from './open-store.ts'
import { PERMISSIONS, repeated, SERVICES } from './retried.ts'
import type { ObjectEntry, ObjectHead, ObjectStore } from './store.ts'
import { newObject, type Written, writeOnce } from './write-once.ts'

/** What an object URL names, opened: keys are whole, as the store has them. */
export type OpenedObjects = {
  readonly store: ObjectStore
  /** The part of the URL's path before its first wildcard. */
  readonly prefix: string
  /** Objects that fit the URL and hold anything, in the order of their keys. */
  list(signal: AbortSignal): AsyncGenerator<ObjectEntry>
  read(key: string, signal: AbortSignal): AsyncGenerator<Uint8Array>
  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined>
  /** Creates the object, or finds that the same content lies there: so it is repeated while that may help. @throws IncompleteError when something else does */
  putIfAbsent(key: string, content: Uint8Array, contentType: string, signal: AbortSignal): Promise<Written>
  /** `s3://bucket/key`, for messages. */
  urlOf(key: string): string
  close(): Promise<void>
}

/**
 * Opens what an object URL names: an object, everything below a prefix, or what fits a glob. Credentials come from the vendor's own chain.
 * @throws UserError for an address that is none, or when the vendor's SDK is not installed
 */
export async function openObjects(
  url: string,
  parts: OpenParts & { readonly openStore?: OpenStore | undefined },
): Promise<OpenedObjects> {
  const location = objectLocation(url)
  const store = await (parts.openStore ?? openStore)(settingsOf(location), parts)
  const prefix = fixedPrefix(location.pattern)
  const isWanted = keyMatcher(location.pattern)
  return {
    store,
    prefix,
    async *list(signal) {
      for await (const page of store.list(prefix, signal)) {
        for (const object of page)
          if (isWanted(object.key) && !isProbe(object.key, object.bytes)) yield object
      }
    },
    read: (key, signal) => store.read(key, signal),
    head: (key, signal) => store.head(key, signal),
    putIfAbsent(key, content, contentType, signal) {
      const { kind } = store
      const attempted = {
        service: SERVICES[kind],
        operation: `write ${store.url}/${key}`,
        permission: PERMISSIONS[kind].write,
      }
      const object = newObject(key, content, contentType)
      return repeated(attempted, signal, parts.clock, () => writeOnce(store, object, signal))
    },
    urlOf: (key) => `${store.url}/${key}`,
    close: () => store.close(),
  }
}
