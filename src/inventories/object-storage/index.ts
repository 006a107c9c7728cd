import type { AzureBlobSettings } from '../../storage/objects/azure-blob.ts'
import type { GcsSettings } from '../../storage/objects/gcs.ts'
import type { S3Settings } from '../../storage/objects/s3.ts'
import { defineInventory } from '../define-inventory.ts'
import { type ArchiveSettings, createArchiveInventory } from './create.ts'

export const s3 = defineInventory<ArchiveSettings & S3Settings>({
  provider: 's3',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 's3', ...settings } }, parts),
})

export const gcs = defineInventory<ArchiveSettings & GcsSettings>({
  provider: 'gcs',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 'gcs', ...settings } }, parts),
})

export const azureBlob = defineInventory<ArchiveSettings & AzureBlobSettings>({
  provider: 'azure-blob',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 'azure-blob', ...settings } }, parts),
})
