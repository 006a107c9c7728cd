import { AuditctlError } from '../core/errors.ts'
import type { AuditEvent } from '../core/event.ts'
import { type EventFilter, isFiltered } from '../core/filter.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Gap, GapReport, WindowText } from '../core/report.ts'
import type { Clock, Log, Observer } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { DAY_MS, isoRange, isoTime, type TimeRange } from '../core/time-range.ts'
import type { Ledger } from '../state/ledger.ts'
import { compareWindow } from './compare.ts'
import { countGaps } from './count-gaps.ts'
import { readSlices } from './read-slices.ts'
import { retentionWarnings } from './window-warnings.ts'

export type GapOptions = {
  /** As asked; judging stops at `judgedTo`. */
  readonly window: TimeRange
  readonly judgedTo: number
  readonly filter: EventFilter
  readonly method: 'ids' | 'counts'
}

export type GapParts = {
  readonly source: AuditSource
  readonly inventory: Inventory
  readonly stream: string
  readonly ledger: Ledger | undefined
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly observe?: Observer
  /** Called for each judged event, in order. */
  readonly onEvent?: (event: AuditEvent, isMissing: boolean) => void
  /** Called instead where only counts are compared. */
  readonly onCell?: (range: TimeRange, events: number, held: number) => void
}

/**
 * Compares the source with the inventory over the window. A window that is found whole, unfiltered and by ids is recorded as proven.
 * @throws IncompleteError when either side could not be shown complete: never read as "nothing found"
 */
export async function findGaps(parts: GapParts, options: GapOptions): Promise<GapReport> {
  const judged = {
    from: options.window.from,
    to: Math.max(options.window.from, Math.min(options.judgedTo, options.window.to)),
  }
  const isWhole = judged.to >= options.window.to
  const found =
    options.method === 'ids'
      ? await compareIds(parts, judged, options.filter)
      : await countGaps(parts, judged, options.filter)
  const tooYoung = isWhole
    ? 0
    : await countYoung(parts, { from: judged.to, to: options.window.to }, options.filter)
  const complete = found.missing === 0 && isWhole && options.method === 'ids'
  const warnings = [...found.warnings, ...retentionWarnings(parts.source, options.window, parts.clock.now())]
  if (found.heldEvents === 0 && found.sourceEvents > 0)
    warnings.push(await emptyInventoryWarning(parts, judged))
  if (found.sourceEvents === 0 && found.heldRows > 0) {
    warnings.push(
      `the source reports no events for a window in which the SIEM holds ${found.heldRows}: storage disabled, retention, plan or missing permission?`,
    )
  }
  // A source that tells of nothing at all proves nothing: it may have lost its permission or its storage.
  if (complete && !isFiltered(options.filter) && found.sourceEvents > 0) {
    parts.ledger?.proven.add(parts.source.name, parts.stream, judged)
  }
  return {
    source: parts.source.name,
    stream: parts.stream,
    window: isoRange(options.window) as WindowText,
    judgedTo: isoTime(judged.to),
    method: options.method,
    sourceEvents: found.sourceEvents,
    heldEvents: found.heldEvents,
    missing: found.missing,
    tooYoung,
    unexpected: found.unexpected ?? null,
    duplicates: found.duplicates ?? null,
    complete,
    gaps: found.gaps,
    provenUntil: provenUntil(parts.ledger, parts.source.name, parts.stream),
    warnings,
  }
}

/** Reports of several windows (ascending, disjoint) as one over all of them. */
export function mergeGapReports(reports: readonly GapReport[]): GapReport {
  const [first, last] = [reports[0], reports.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('there is no report to merge')
  const sum = (of: (report: GapReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0)
  const sumOrNull = (of: (report: GapReport) => number | null): number | null =>
    reports.some((report) => of(report) === null) ? null : sum((report) => of(report) ?? 0)
  return {
    ...last,
    window: { from: first.window.from, to: last.window.to },
    sourceEvents: sum((report) => report.sourceEvents),
    heldEvents: sum((report) => report.heldEvents),
    missing: sum((report) => report.missing),
    tooYoung: sum((report) => report.tooYoung),
    unexpected: sumOrNull((report) => report.unexpected),
    duplicates: sumOrNull((report) => report.duplicates),
    complete: reports.every((report) => report.complete),
    gaps: reports.flatMap((report) => report.gaps),
    warnings: [...new Set(reports.flatMap((report) => report.warnings))],
  }
}

export type Found = {
  readonly sourceEvents: number
  readonly heldEvents: number
  readonly heldRows: number
  readonly missing: number
  readonly unexpected: number | undefined
  readonly duplicates: number | undefined
  readonly gaps: readonly Gap[]
  readonly warnings: readonly string[]
}

async function compareIds(parts: GapParts, window: TimeRange, filter: EventFilter): Promise<Found> {
  const runs = gapRuns()
  let [sourceEvents, heldEvents] = [0, 0]
  const slices = compareWindow(parts, window, filter)
  for (;;) {
    const step = await slices.next()
    if (step.done)
      return {
        sourceEvents,
        heldEvents,
        missing: sourceEvents - heldEvents,
        gaps: runs.finish(),
        ...step.value,
      }
    const { range, events, missing, held } = step.value
    let next = 0
    for (const event of events) {
      const isMissing = missing[next] === event
      if (isMissing) next += 1
      parts.onEvent?.(event, isMissing)
      runs.push(event, isMissing)
    }
    sourceEvents += events.length
    heldEvents += held
    parts.observe?.({ phase: 'scan', done: range.to, events: sourceEvents })
  }
}

/** Collects maximal runs of missing events from events in ascending order. A gap ends one millisecond after its last event. */
export function gapRuns(): { push(event: AuditEvent, isMissing: boolean): void; finish(): readonly Gap[] } {
  const gaps: Gap[] = []
  let first: AuditEvent | undefined
  let last: AuditEvent | undefined
  let missing = 0
  const close = (): void => {
    if (first === undefined || last === undefined) return
    gaps.push({
      from: isoTime(first.occurredAtMs),
      to: isoTime(last.occurredAtMs + 1),
      missing,
      firstId: first.id,
      lastId: last.id,
    })
    first = undefined
    missing = 0
  }
  return {
    push(event, isMissing) {
      if (!isMissing) return close()
      first ??= event
      last = event
      missing += 1
    },
    finish() {
      close()
      return gaps
    },
  }
}

async function countYoung(parts: GapParts, window: TimeRange, filter: EventFilter): Promise<number> {
  // A source's requests must end in the past; what has not happened yet is not there to be counted.
  const to = Math.min(window.to, parts.clock.now() - 1)
  let count = 0
  for await (const slice of readSlices(parts.source, { from: window.from, to }, filter, {
    ...parts,
    order: 'asc',
  }))
    count += slice.events.length
  return count
}

/** The positive control: does the SIEM hold anything near the window at all? */
async function emptyInventoryWarning(parts: GapParts, window: TimeRange): Promise<string> {
  const around = [
    { from: window.from - DAY_MS, to: window.from },
    { from: window.to, to: Math.min(window.to + DAY_MS, parts.clock.now()) },
  ]
  for (const range of around) {
    if (range.to <= range.from || !parts.inventory.traits.tellsTime) continue
    if (await holdsAnything(parts, range)) {
      return 'the inventory holds nothing of this window, but it does hold events around it: an outage, or a filter on the SIEM’s side'
    }
  }
  return 'the inventory holds nothing of this window nor of the days around it: wrong index, table or idField, a role that hides rows, or a stream that never worked? No known event was found, so the search itself is not proven'
}

/** False too when it cannot be told: this is about a warning only. */
async function holdsAnything({ inventory, signal }: GapParts, range: TimeRange): Promise<boolean> {
  try {
    for await (const rows of inventory.ids(range, { signal })) if (rows.ids.length > 0) return true
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof AuditctlError)) throw error
  }
  return false
}

/** The end of the earliest proven stretch that is followed by a hole. */
export function provenUntil(ledger: Ledger | undefined, source: string, stream: string): string | null {
  const first = ledger?.proven.stretches(source, stream)[0]
  return first === undefined ? null : isoTime(first.to)
}
