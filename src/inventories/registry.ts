import type { InventoryDefinition } from './define-inventory.ts'

/** Searchable providers and where their search lives: one line each, loaded when a command needs one. */
export const INVENTORIES: Readonly<Record<string, () => Promise<InventoryDefinition>>> = {
  splunk: () => import('./splunk/index.ts').then((file) => file.splunk as InventoryDefinition),
  datadog: () => import('./datadog/index.ts').then((file) => file.datadog as InventoryDefinition),
  azure: () => import('./azure/index.ts').then((file) => file.azure as InventoryDefinition),
  command: () => import('./command/index.ts').then((file) => file.command as InventoryDefinition),
  url: () => import('./url/index.ts').then((file) => file.url as InventoryDefinition),
  'better-stack': () =>
    import('./better-stack/index.ts').then((file) => file.betterStack as InventoryDefinition),
  xsiam: () => import('./xsiam/index.ts').then((file) => file.xsiam as InventoryDefinition),
  s3: () => import('./s3.ts').then((file) => file.s3 as InventoryDefinition),
  gcs: () => import('./gcs.ts').then((file) => file.gcs as InventoryDefinition),
  'azure-blob': () => import('./azure-blob.ts').then((file) => file.azureBlob as InventoryDefinition),
}
