import { UserError } from '../core/errors.ts'
import { type EventFilter, isFiltered } from '../core/filter.ts'
import type { Gap } from '../core/report.ts'
import { HOUR_MS, isoTime, type TimeRange } from '../core/time-range.ts'
import type { Found, GapParts } from './find-gaps.ts'
import { readSlices } from './read-slices.ts'

const MAX_CELLS = 500

/**
 * A quick look: the source's and the SIEM's counts per cell of time. Names the cells with fewer events held than recorded; equal counts
 * prove nothing, so it never proves a window.
 * @throws UserError where the inventory cannot count
 */
export async function countGaps(parts: GapParts, window: TimeRange, filter: EventFilter): Promise<Found> {
  const { inventory, signal } = parts
  if (inventory.count === undefined) {
    throw new UserError(`${inventory.name} cannot count`, {
      hint: 'leave --method counts out: ids are compared then',
    })
  }
  if (isFiltered(filter)) {
    throw new UserError('--method counts cannot be combined with filters: the SIEM counts every event', {
      hint: 'leave --method counts out: ids are compared then, filtered or not',
    })
  }
  const cells = cellsOf(window)
  const counts = new Array<number>(cells.length).fill(0)
  const width = cells[0] === undefined ? 1 : cells[0].to - cells[0].from
  const warnings: string[] = ['counts were compared, not ids: a duplicate can hide a loss']
  const slices = readSlices(parts.source, window, filter, {
    ...parts,
    order: 'asc',
    onWarnings: (given) => warnings.push(...given),
  })
  let read = 0
  for await (const slice of slices) {
    read += slice.events.length
    for (const event of slice.events) {
      const cell = Math.min(counts.length - 1, Math.floor((event.occurredAtMs - window.from) / width))
      counts[cell] = (counts[cell] ?? 0) + 1
    }
    parts.observe?.({ phase: 'scan', done: slice.range.to, events: read })
  }
  const gaps: Gap[] = []
  let [heldEvents, heldRows, sourceEvents] = [0, 0, 0]
  for (const [i, cell] of cells.entries()) {
    const recorded = counts[i] ?? 0
    const held = await inventory.count(cell, { signal })
    sourceEvents += recorded
    heldRows += held
    heldEvents += Math.min(held, recorded)
    parts.onCell?.(cell, recorded, Math.min(held, recorded))
    if (held < recorded)
      gaps.push({
        from: isoTime(cell.from),
        to: isoTime(cell.to),
        missing: recorded - held,
        firstId: null,
        lastId: null,
      })
  }
  return {
    sourceEvents,
    heldEvents,
    heldRows,
    missing: sourceEvents - heldEvents,
    unexpected: undefined,
    duplicates: undefined,
    gaps,
    warnings,
  }
}

/** Hours, or wider where the window would make too many. */
function cellsOf(window: TimeRange): readonly TimeRange[] {
  const width = HOUR_MS * Math.ceil((window.to - window.from) / HOUR_MS / MAX_CELLS)
  const cells: TimeRange[] = []
  for (let from = window.from; from < window.to; from += width)
    cells.push({ from, to: Math.min(from + width, window.to) })
  return cells
}
