import type { Destination } from '../core/destination.ts'
import type { AuditEvent } from '../core/event.ts'
import { NO_FILTER } from '../core/filter.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { isoTime, SECOND_MS, type TimeRange } from '../core/time-range.ts'
import type { Ledger } from '../state/ledger.ts'
import { gapRuns, provenUntil } from './find-gaps.ts'
import { HeldIds } from './held-ids.ts'
import { queryEvents } from './query.ts'
import { readSlices } from './read-slices.ts'

/** One line of `auditctl status`, contract 2.5. */
export type StreamStatus = {
  readonly stream: string
  readonly source: string
  readonly newestAtSource: string | null
  readonly newestHeld: string | null
  /** Age of the oldest settled event in the window that the stream lacks; 0 if none; null where it cannot be searched. */
  readonly lagSeconds: number | null
  readonly provenUntil: string | null
  readonly openGaps: number | null
  readonly lastRun: string | null
  readonly state: 'ok' | 'behind' | 'unknown'
}

export type StatusParts = {
  readonly source: AuditSource
  readonly streams: readonly {
    readonly destination: Destination
    readonly inventory: Inventory | undefined
  }[]
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
}

export type StatusOptions = {
  readonly windowMs: number
  readonly settleMs: number
  readonly maxLagMs: number | undefined
}

/** The source is read once for all streams. Our own reads of the log do not count: they would make a quiet source look alive. */
export async function streamStatuses(
  parts: StatusParts,
  options: StatusOptions,
): Promise<readonly StreamStatus[]> {
  const now = parts.clock.now()
  const window = { from: now - options.windowMs, to: now - options.settleMs }
  const events: AuditEvent[] = []
  for await (const slice of readSlices(parts.source, window, NO_FILTER, { ...parts, order: 'asc' })) {
    for (const event of slice.events) if (parts.source.traits.isOwnRead?.(event) !== true) events.push(event)
  }
  const newest = events.at(-1)
  const statuses: StreamStatus[] = []
  for (const stream of parts.streams)
    statuses.push(await statusOf(parts, options, stream, { events, window, now, newest }))
  return statuses
}

async function statusOf(
  parts: StatusParts,
  options: StatusOptions,
  { destination, inventory }: StatusParts['streams'][number],
  seen: {
    readonly events: readonly AuditEvent[]
    readonly window: TimeRange
    readonly now: number
    readonly newest: AuditEvent | undefined
  },
): Promise<StreamStatus> {
  const { source, ledger } = parts
  const base = {
    stream: destination.name,
    source: source.name,
    newestAtSource: seen.newest === undefined ? null : isoTime(seen.newest.occurredAtMs),
    provenUntil: provenUntil(ledger, source.name, destination.name),
    lastRun: ledger.runsOfPair(source.name, destination.name).at(-1)?.id ?? null,
  }
  if (inventory === undefined)
    return { ...base, newestHeld: null, lagSeconds: null, openGaps: null, state: 'unknown' }
  const until = Math.min(seen.window.to, seen.now - destination.traits.graceMs)
  const held = await HeldIds.over(
    { inventory, log: parts.log, signal: parts.signal },
    { from: seen.window.from, to: Math.max(until, seen.window.from) },
  )
  const runs = gapRuns()
  let oldestMissing: AuditEvent | undefined
  let newestHeld: AuditEvent | undefined
  for (const event of seen.events) {
    if (event.occurredAtMs >= until) break
    const isHeld = await held.has(event)
    runs.push(event, !isHeld)
    if (isHeld) newestHeld = event
    else oldestMissing ??= event
  }
  const lagMs = oldestMissing === undefined ? 0 : seen.now - oldestMissing.occurredAtMs
  return {
    ...base,
    newestHeld: newestHeld === undefined ? null : isoTime(newestHeld.occurredAtMs),
    lagSeconds: Math.round(lagMs / SECOND_MS),
    openGaps: runs.finish().length,
    state: lagMs > (options.maxLagMs ?? 0) ? 'behind' : 'ok',
  }
}

/** How old the newest event of the source is, looking back `withinMs`; undefined when it has none there. */
export async function sourceAge(
  parts: Pick<StatusParts, 'source' | 'clock' | 'signal' | 'concurrency'>,
  withinMs: number,
): Promise<number | undefined> {
  const now = parts.clock.now()
  const window = { from: now - withinMs, to: now - SECOND_MS }
  for await (const page of queryEvents(parts, {
    window,
    filter: NO_FILTER,
    order: 'desc',
    limit: undefined,
    after: undefined,
  })) {
    const event = page.find((candidate) => parts.source.traits.isOwnRead?.(candidate) !== true)
    if (event !== undefined) return now - event.occurredAtMs
  }
  return undefined
}
