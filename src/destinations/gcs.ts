import { ARCHIVE, createArchive } from './archive.ts'
import { GCS_GUIDE } from './archive-guides.ts'
import { type GcsOptions, gcsOptions } from './archive-options.ts'
import { type DestinationParts, defineDestination } from './define-destination.ts'

export const gcs = defineDestination({
  ...ARCHIVE,
  provider: 'gcs',
  title: 'Google Cloud Storage',
  options: gcsOptions,
  guide: () => GCS_GUIDE,
  create: (name: string, options: GcsOptions, parts: DestinationParts) =>
    createArchive(
      name,
      { options, store: { kind: 'gcs', ...options }, service: 'Google Cloud Storage' },
      parts,
    ),
})
