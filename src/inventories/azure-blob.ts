import type { AzureBlobSettings } from '../storage/objects/azure-blob.ts'
import { type ArchiveSettings, createArchiveInventory } from './archive.ts'
import { defineInventory } from './define-inventory.ts'

export const azureBlob = defineInventory<ArchiveSettings & AzureBlobSettings>({
  provider: 'azure-blob',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 'azure-blob', ...settings } }, parts),
})
