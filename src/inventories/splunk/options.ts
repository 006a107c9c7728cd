import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'

/** What the stream's settings say about searching, as the destination's schema parsed them. */
export type SplunkSearchSettings = {
  readonly search?:
    | { readonly url: string; readonly token: Secret; readonly index?: string | undefined }
    | undefined
  readonly index?: string | undefined
  readonly source?: string | undefined
  readonly sourcetype?: string | undefined
  readonly idField?: string | undefined
  readonly eventTime?: boolean | undefined
  readonly late?: string | undefined
  readonly acceptWindow?: unknown
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}
