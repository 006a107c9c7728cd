import type { EpochMs } from '../../core/time-range.ts'

/** The stores that are known, by the names of the contract. */
export type StoreKind = 's3' | 'gcs' | 'azure-blob'

/** An object as a listing names it. `version` changes whenever its content does. */
export type ObjectEntry = {
  readonly key: string
  /** As stored, still packed. */
  readonly bytes: number
  readonly version: string | undefined
  readonly modifiedAt: EpochMs | undefined
}

/** What a store says of one object; digests in lower-case hex where it proves them. */
export type ObjectHead = ObjectEntry & {
  readonly md5: string | undefined
  readonly sha256: string | undefined
}

export type NewObject = {
  readonly key: string
  readonly content: Uint8Array
  readonly contentType: string
  /** Lower-case hex. */
  readonly sha256: string
  /** The same of MD5; made when it is first asked for, since it costs more than all the rest and not every store uses it. */
  readonly md5: string
}

/** One bucket or container behind one face; keys are whole, prefixes included. Every call is one attempt, `list` one a page. */
export interface ObjectStore {
  readonly kind: StoreKind
  /** For messages: `s3://acme-audit`. */
  readonly url: string
  /** Every object below the prefix, a page at a time, in the order of the keys' UTF-8. `after`: leave out keys up to it, where the store can. */
  list(prefix: string, signal: AbortSignal, after?: string): AsyncGenerator<readonly ObjectEntry[]>
  /** The prefixes one `/` further down that hold anything, each with its slash at the end. */
  folders(prefix: string, signal: AbortSignal): Promise<readonly string[]>
  /** Undefined when there is no such object. */
  head(key: string, signal: AbortSignal): Promise<ObjectHead | undefined>
  /** The bytes as stored, never unpacked on the way. @throws IncompleteError when the object is gone or ends early */
  read(key: string, signal: AbortSignal): AsyncGenerator<Uint8Array>
  /** Creates the object unless the key is taken: then nothing is changed. The store checks the content on its way. */
  create(object: NewObject, signal: AbortSignal): Promise<'created' | 'exists'>
  /** The cheapest proof that the bucket is there and may be listed. */
  probe(signal: AbortSignal): Promise<void>
  requests(): number
  close(): Promise<void>
}

/** Above this an object is sent in parts. */
export const SINGLE_PUT_BYTES = 64 * 1024 * 1024
export const PART_BYTES = 16 * 1024 * 1024
/** Parts of one object in flight. */
export const PARTS_IN_FLIGHT = 4
/** Keys that the three stores take alike. */
export const MAX_KEY_BYTES = 1024
