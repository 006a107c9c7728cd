import type { Clock } from '../../core/runtime.ts'
import type { AzureBlobSettings } from './azure-blob.ts'
import type { GcsSettings } from './gcs.ts'
import type { ObjectLocation } from './location.ts'
import { retried } from './retried.ts'
import type { S3Settings } from './s3.ts'
import type { ObjectStore } from './store.ts'

export type StoreSettings =
  | ({ readonly kind: 's3' } & S3Settings)
  | ({ readonly kind: 'gcs' } & GcsSettings)
  | ({ readonly kind: 'azure-blob' } & AzureBlobSettings)

export type OpenParts = {
  readonly clock: Clock
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** A request. */
  readonly timeoutMs?: number | undefined
}

/** Opens a bucket; tests hand in one that lies in memory. */
export type OpenStore = (settings: StoreSettings, parts: OpenParts) => Promise<ObjectStore>

const TIMEOUT_MS = 120_000

/**
 * A bucket or container by its settings; reads are repeated while that may help, writes never.
 * @throws UserError when the vendor's SDK is not installed: the hint is the command that installs it
 */
export const openStore: OpenStore = async (
  settings,
  { clock, env = process.env, timeoutMs = TIMEOUT_MS },
) => {
  const parts = { env, timeoutMs }
  const open = async (): Promise<ObjectStore> => {
    if (settings.kind === 's3') return (await import('./s3.ts')).openS3(settings, parts)
    if (settings.kind === 'gcs') return (await import('./gcs.ts')).openGcs(settings, parts)
    return (await import('./azure-blob.ts')).openAzureBlob(settings, parts)
  }
  return retried(await open(), clock, { rate: settings.rate, timeoutMs })
}

/** The settings that an object URL stands for; credentials come from the vendor's own chain. */
export function settingsOf({ kind, bucket, account, endpoint }: ObjectLocation): StoreSettings {
  if (kind === 'azure-blob') return { kind, container: bucket, account, endpoint }
  return { kind, bucket }
}
