import type { HttpClient } from '../core/http.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { OpenStore } from '../storage/objects/open-store.ts'

export type InventoryParts = {
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Log
  readonly baseDir: string
  /** A request, where the service's own default is not meant. */
  readonly timeoutMs?: number | undefined
  /** Opens buckets; tests hand in one that lies in memory. */
  readonly openStore?: OpenStore
  /** The type of the source that is compared (`infisical`): decides where its ids stand in the SIEM's rows. */
  readonly sourceType: string
  /** The sources whose events may be held, the compared one first: an archive may keep them apart by name. */
  readonly sourceNames?: readonly string[]
  /** `--late restamp`: rows may stand at the hour of the refill instead of at their own time. */
  readonly restamps?: boolean
}

/** `options` are the stream's settings as its destination's schema parsed them: search credentials live beside the delivery's. */
export type InventoryDefinition<Options = unknown> = {
  readonly provider: string
  /** Undefined when the settings hold no search credentials: then nothing can be looked up. */
  create(name: string, options: Options, parts: InventoryParts): Inventory | undefined
}

export function defineInventory<Options>(
  definition: InventoryDefinition<Options>,
): InventoryDefinition<Options> {
  return definition
}
