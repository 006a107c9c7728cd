import { UserError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { TimeRange } from '../../core/time-range.ts'
import type { ScanProgress } from '../../state/run-record.ts'
import { type ComparedSlice, compareWindow } from '../compare.ts'
import { readSlices } from '../read-slices.ts'
import { retentionWarnings } from '../window-warnings.ts'
import { earlierFates } from './dead-letters.ts'
import { LostRanges } from './lost-ranges.ts'
import type { Work } from './types.ts'

/** What a scan learned beyond what the ledger keeps. */
export type ScanFindings = { readonly heldRows: number; readonly progress: ScanProgress }

type TakenSlice = {
  readonly range: TimeRange
  readonly events: readonly AuditEvent[]
  readonly missing: readonly AuditEvent[]
}

/** A commit waits for the disk twice. So much is worth one, and so is what took so long to read. */
const COMMIT_BYTES = 32 * 1024 * 1024
const COMMIT_MS = 1000

/**
 * Reads the windows from the source once and spools what is selected. After some slices the spool is synced and the ledger told, so that a
 * killed scan goes on about where it was; one that fails or is interrupted, exactly there.
 */
export async function scan(work: Work): Promise<ScanFindings> {
  const { parts, options, run, spool } = work
  const { ledger, source, destination, observe } = parts
  const earlier =
    options.mode === 'missing'
      ? await earlierFates(ledger, source.name, destination.name, options.windows, source.shape, run.id)
      : undefined
  const totals = {
    scanned: run.scanned,
    held: run.held,
    spooled: run.spooled,
  }
  const carried = { ...run.carried }
  // `--all` compares nothing: all of its window is sent, and none of it is known to be lost.
  const lost = options.mode === 'missing' ? new LostRanges(ledger.gaps(run.id)) : undefined
  for (const window of options.windows.slice(0, 1))
    work.warnings.push(...retentionWarnings(source, window, parts.clock.now()))
  let heldRows = 0
  const progress = (doneThrough: number): ScanProgress => ({
    doneThrough,
    scanned: totals.scanned,
    held: totals.held,
    spooled: totals.spooled,
    spoolBytes: spool.length,
    carried: { ...carried },
  })
  /** What the slices so far have come to; undefined while one is being taken. */
  let due: ScanProgress | undefined
  let committed = { bytes: spool.length, atMs: parts.clock.monotonic() }
  const commit = (): void => {
    if (due === undefined) return
    if (spool.length > committed.bytes) spool.sync()
    ledger.commitScan(run.id, due, lost?.take())
    committed = { bytes: spool.length, atMs: parts.clock.monotonic() }
    due = undefined
  }
  const takeMissing = (slice: TakenSlice): void => {
    let at = 0
    for (const event of slice.missing) {
      if (slice.events[at] !== event) {
        lost?.held()
        at = slice.events.indexOf(event, at)
      }
      at += 1
      const position = totals.spooled
      if (earlier?.rejected.has(event.id)) carried.rejected += 1
      else if (earlier?.late.has(event.id)) carried.late += 1
      else if (earlier?.archived.has(event.id)) carried.archived += 1
      else {
        spool.append(event)
        totals.spooled += 1
      }
      lost?.missing(event, position, totals.spooled > position)
    }
    if (at < slice.events.length) lost?.held()
  }
  const take = (slice: TakenSlice): void => {
    due = undefined
    if (options.mode === 'all') {
      spool.appendAll(slice.events)
      totals.spooled += slice.events.length
    } else takeMissing(slice)
    totals.scanned += slice.events.length
    totals.held += slice.events.length - slice.missing.length
    due = progress(slice.range.to)
    const { bytes, atMs } = committed
    if (spool.length - bytes >= COMMIT_BYTES || parts.clock.monotonic() - atMs >= COMMIT_MS) commit()
    observe?.({ phase: 'scan', done: slice.range.to, events: totals.scanned })
  }
  try {
    for (const asked of options.windows) {
      const window = { from: Math.max(asked.from, run.doneThrough), to: asked.to }
      if (window.to <= window.from) continue
      if (options.mode === 'all') {
        const slices = readSlices(source, window, options.filter, {
          ...parts,
          order: 'asc',
          onWarnings: (given) => work.warnings.push(...given),
        })
        for await (const slice of slices) {
          take({ ...slice, missing: slice.events })
          slice.release()
        }
      } else heldRows += await scanMissing(work, window, take)
      lost?.held()
      due = progress(asked.to)
    }
  } finally {
    commit()
  }
  if (totals.scanned === 0 && heldRows > 0) {
    work.warnings.push(
      `the source reports no events for a window in which the SIEM holds ${heldRows}: storage disabled, retention, plan or missing permission?`,
    )
  }
  return { heldRows, progress: progress(options.windows.at(-1)?.to ?? run.doneThrough) }
}

async function scanMissing(
  work: Work,
  window: TimeRange,
  take: (slice: ComparedSlice) => void,
): Promise<number> {
  const { parts, options } = work
  const { inventory } = parts
  if (inventory === undefined) throw new UserError('--missing needs an inventory')
  const slices = compareWindow({ ...parts, inventory }, window, options.filter)
  for (;;) {
    const step = await slices.next()
    if (!step.done) {
      take(step.value)
      continue
    }
    work.warnings.push(...step.value.warnings)
    return step.value.heldRows
  }
}
