import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { createArchive, FRAME } from './create.ts'
import { AZURE_GUIDE, GCS_GUIDE, S3_GUIDE } from './guides.ts'
import {
  type AzureBlobOptions,
  azureBlobOptions,
  DEFAULT_LIMITS,
  type GcsOptions,
  gcsOptions,
  HARD_LIMITS,
  type S3Options,
  s3Options,
} from './options.ts'

const SHARED = {
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  lateDefault: 'skip',
  graceMs: 0,
  searchable: 'ids, by reading the objects back',
} as const

/** Amazon S3, and stores that speak its dialect. */
export const s3 = defineDestination({
  ...SHARED,
  provider: 's3',
  title: 'Amazon S3, or a store that speaks S3',
  options: s3Options,
  guide: () => S3_GUIDE,
  create: (name: string, options: S3Options, parts: DestinationParts) =>
    createArchive(name, 's3', { options, store: { kind: 's3', ...options }, service: 'S3' }, parts),
})

export const gcs = defineDestination({
  ...SHARED,
  provider: 'gcs',
  title: 'Google Cloud Storage',
  options: gcsOptions,
  guide: () => GCS_GUIDE,
  create: (name: string, options: GcsOptions, parts: DestinationParts) =>
    createArchive(
      name,
      'gcs',
      { options, store: { kind: 'gcs', ...options }, service: 'Google Cloud Storage' },
      parts,
    ),
})

export const azureBlob = defineDestination({
  ...SHARED,
  provider: 'azure-blob',
  title: 'Azure Blob Storage',
  options: azureBlobOptions,
  guide: () => AZURE_GUIDE,
  create: (name: string, options: AzureBlobOptions, parts: DestinationParts) =>
    createArchive(
      name,
      'azure-blob',
      { options, store: { kind: 'azure-blob', ...options }, service: 'Azure Blob Storage' },
      parts,
    ),
})
