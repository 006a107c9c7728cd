import type { AuditEvent } from '../core/event.ts'
import { type EventFilter, isFiltered } from '../core/filter.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import type { TimeRange } from '../core/time-range.ts'
import { HeldIds } from './held-ids.ts'
import { readSlices, type SliceEvents } from './read-slices.ts'

export type CompareParts = {
  readonly source: AuditSource
  readonly inventory: Inventory
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
}

/** A slice of the source, and for each of its events whether the inventory holds it. */
export type ComparedSlice = SliceEvents & {
  readonly missing: readonly AuditEvent[]
  /** Distinct held ids among the slice's events. */
  readonly held: number
}

export type CompareTotals = {
  /** Rows of the window whose id the source lacks; undefined where that cannot be told. */
  readonly unexpected: number | undefined
  /** Rows beyond the first of an id; undefined where a search cannot tell. */
  readonly duplicates: number | undefined
  readonly heldRows: number
  readonly warnings: readonly string[]
}

/**
 * Reads the window from the source once, oldest first, and looks every event up in what the inventory holds. Ids are compared, never
 * counts, so that neither a duplicate nor a foreign event can hide a loss. Memory: the ids of one piece of the inventory, and the slices
 * being read.
 * @throws IncompleteError when a part of either side could not be shown complete
 */
export async function* compareWindow(
  parts: CompareParts,
  window: TimeRange,
  filter: EventFilter,
): AsyncGenerator<ComparedSlice, CompareTotals> {
  const held = await HeldIds.over(parts, window)
  const warnings: string[] = []
  const slices = readSlices(parts.source, window, filter, {
    ...parts,
    order: 'asc',
    onWarnings: (given) => warnings.push(...given),
  })
  for await (const slice of slices) {
    const missing: AuditEvent[] = []
    for (const event of slice.events) {
      const isHeld = held.holdsPieceOf(event) ? held.hasNow(event) : await held.has(event)
      if (!isHeld) missing.push(event)
    }
    yield { ...slice, missing, held: slice.events.length - missing.length }
  }
  await held.finish()
  const { tellsDuplicates, tellsTime } = parts.inventory.traits
  const canTellForeign = tellsTime && !isFiltered(filter)
  return {
    unexpected: canTellForeign ? held.unexpected : undefined,
    duplicates: tellsDuplicates ? held.duplicates : undefined,
    heldRows: held.rows,
    warnings,
  }
}
