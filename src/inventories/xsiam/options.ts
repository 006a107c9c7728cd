import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'

/** What the stream's settings say about searching, as the destination's schema parsed them. */
export type XsiamSearchSettings = {
  readonly search?: XqlConnection | undefined
  readonly idField?: string | undefined
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}

export type XqlConnection = {
  readonly url: string
  readonly keyId: string
  readonly key: Secret
  readonly keyType?: 'standard' | 'advanced' | undefined
  readonly dataset: string
  readonly quotaFloor?: number | undefined
}
