import type { InventoryDefinition } from './define-inventory.ts'

/** Searchable providers and where their search lives: one line each, loaded when a command needs one. */
export const INVENTORIES: Readonly<Record<string, () => Promise<InventoryDefinition>>> = {
  splunk: () => import('./splunk.ts').then((file) => file.splunk as InventoryDefinition),
}
