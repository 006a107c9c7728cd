import type { TlsSettings } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'

/** What the stream's settings say about searching, as the destination's schema parsed them. */
export type BetterStackSearchSettings = {
  readonly search?: BetterStackConnection | undefined
  readonly idField?: string | undefined
  readonly eventTime?: boolean | undefined
  readonly late?: string | undefined
  readonly acceptWindow?: unknown
  readonly tls?: TlsSettings | undefined
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}

export type BetterStackConnection = {
  readonly url: string
  readonly username: string
  readonly password: Secret
  readonly table: string
  readonly kind?: 'logs' | 'warehouse' | undefined
  readonly slack?: number | undefined
}
