import type { Check } from './check.ts'
import type { IdSpill } from './id-diff.ts'
import type { IdSet } from './id-set.ts'
import type { EpochMs, TimeRange } from './time-range.ts'

/** Rows of a SIEM: an id each, as it stands there, and the event's own time where the row tells it (NaN where it does not). */
export type HeldRows = { readonly ids: readonly string[]; readonly atMs?: readonly EpochMs[] }

/** Whether the answer was exhausted. An answer that ended early, was cut or narrowed is not; `reason` says how it was noticed. */
export type InventoryEnd = { readonly exhausted: boolean; readonly reason?: string }

/** `rows`: those inside the window or without a time, repeats included. */
export type FilledEnd = InventoryEnd & { readonly rows: number }

export type InventoryTraits = {
  /** A row held twice comes back twice. */
  readonly tellsDuplicates: boolean
  /** Rows carry the event's own time, so that a row outside the asked window can be told from one inside. */
  readonly tellsTime: boolean
  /** Searches the API allows an hour, where it says so: the plan tells how long that takes. */
  readonly queriesPerHour?: number
}

/** What a SIEM already holds in a window. */
export interface Inventory {
  /** The stream's name, or the file's. */
  readonly name: string
  readonly traits: InventoryTraits
  /**
   * Cuts the window into pieces, ascending and without gaps, each small enough that its ids fit in memory (about 250,000) and inside the
   * search API's own caps. May ask the SIEM for counts, which size pieces and prove nothing.
   */
  plan(window: TimeRange, options: { readonly signal: AbortSignal }): Promise<readonly TimeRange[]>
  /**
   * Rows the SIEM holds for events of the window, in any order, repeats as they come. The window is of the events' own times: where the
   * SIEM dates by arrival, the inventory widens its question by itself, so rows outside the window are no surprise.
   * @throws AuthError, UnavailableError, RemoteConfigError; a partial answer ends with `exhausted: false` instead
   */
  ids(window: TimeRange, options: { readonly signal: AbortSignal }): AsyncGenerator<HeldRows, InventoryEnd>
  /**
   * The same rows as `ids`, put into `set` without a string for each: optional, for inventories that have them as bytes. The number kept
   * with an id is the row's time, NaN where it tells none. When it ends `exhausted: false` the set may hold some of the rows.
   */
  fill?(
    window: TimeRange,
    set: IdSet,
    options: {
      readonly signal: AbortSignal
      /** A row whose id was in the set before. */
      readonly onRepeat?: (id: string, atMs: EpochMs) => void
    },
  ): Promise<FilledEnd>
  /**
   * Where the ids of a piece go that are too many for memory: optional, for inventories that cannot cut their window into small ones. `close` of the
   * inventory removes what is left.
   */
  readonly spilling?: { open(): IdSpill; readonly maxBytes?: number | undefined }
  /** For `--method counts` only; equal counts prove nothing. */
  count?(window: TimeRange, options: { readonly signal: AbortSignal }): Promise<number>
  /** The provider's own query text for a person to run, and how to feed its result back. */
  queryText?(window: TimeRange): { readonly query: string; readonly where: string; readonly feed: string }
  /** How long the far side keeps an event, by its own time, before it deletes it; undefined where it does not tell. One request. */
  keepsMs?(signal: AbortSignal): Promise<number | undefined>
  test(signal: AbortSignal): Promise<readonly Check[]>
  /** Searches made so far, for reports. */
  queries(): number
  close(): Promise<void>
}
