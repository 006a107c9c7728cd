import type { GcsSettings } from '../storage/objects/gcs.ts'
import { type ArchiveSettings, createArchiveInventory } from './archive.ts'
import { defineInventory } from './define-inventory.ts'

export const gcs = defineInventory<ArchiveSettings & GcsSettings>({
  provider: 'gcs',
  create: (name, settings, parts) =>
    createArchiveInventory(name, { ...settings, store: { kind: 'gcs', ...settings } }, parts),
})
