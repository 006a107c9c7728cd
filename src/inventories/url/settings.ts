import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'

/** An address that tells the held ids of a window, as the contract has it; JSON pointers. */
export type UrlInventory = {
  readonly url: string
  readonly headers?: Readonly<Record<string, Secret>> | undefined
  readonly items?: string | undefined
  readonly id?: string | undefined
  readonly next?: string | undefined
}

/** What the stream's settings say, as its destination's schema parsed them. */
export type UrlSettings = {
  readonly inventory?: UrlInventory | { readonly command: readonly string[] } | undefined
  readonly idField?: string | undefined
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}
