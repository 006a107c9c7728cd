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

export type EventFields = { readonly id: string; readonly time: string }

/** Where id and time stand inside `event`: the live stream's shape for Infisical, the native one for the others. */
const FIELDS: Readonly<Record<string, EventFields>> = {
  infisical: { id: 'id', time: 'createdAt' },
  scaivault: { id: 'id', time: 'timestamp' },
  infrakitchen: { id: 'id', time: 'created_at' },
  circleci: { id: 'id', time: 'occurred_at' },
}

export function eventFields(sourceType: string, idField: string | undefined): EventFields {
  const known = FIELDS[sourceType] ?? { id: 'id', time: 'createdAt' }
  return { id: idField ?? known.id, time: known.time }
}
