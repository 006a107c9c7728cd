import { ARCHIVE, createArchive } from './archive.ts'
import { AZURE_GUIDE } from './archive-guides.ts'
import { type AzureBlobOptions, azureBlobOptions } from './archive-options.ts'
import { type DestinationParts, defineDestination } from './define-destination.ts'

export const azureBlob = defineDestination({
  ...ARCHIVE,
  provider: 'azure-blob',
  title: 'Azure Blob Storage',
  options: azureBlobOptions,
  guide: () => AZURE_GUIDE,
  create: (name: string, options: AzureBlobOptions, parts: DestinationParts) =>
    createArchive(
      name,
      { options, store: { kind: 'azure-blob', ...options }, service: 'Azure Blob Storage' },
      parts,
    ),
})
