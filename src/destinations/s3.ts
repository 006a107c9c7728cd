import { ARCHIVE, createArchive } from './archive.ts'
import { S3_GUIDE } from './archive-guides.ts'
import { type S3Options, s3Options } from './archive-options.ts'
import { type DestinationParts, defineDestination } from './define-destination.ts'

export const s3 = defineDestination({
  ...ARCHIVE,
  provider: 's3',
  title: 'Amazon S3, or a store that speaks S3',
  options: s3Options,
  guide: () => S3_GUIDE,
  create: (name: string, options: S3Options, parts: DestinationParts) =>
    createArchive(name, { options, store: { kind: 's3', ...options }, service: 'S3' }, parts),
})
