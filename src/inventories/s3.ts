import type { S3Settings } from '../storage/objects/s3.ts'
import { type ArchiveSettings, createArchiveInventory } from './archive.ts'
import { defineInventory } from './define-inventory.ts'

export const s3 = defineInventory<ArchiveSettings & S3Settings>({
  provider: 's3',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 's3', ...settings } }, parts),
})
