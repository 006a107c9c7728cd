import type { Destination } from '../core/destination.ts'
import type { AuditEvent } from '../core/event.ts'
import { NO_FILTER } from '../core/filter.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { isoTime, SECOND_MS, type TimeRange } from '../core/time-range.ts'
import type { Ledger } from '../state/ledger.ts'
import { provenUntil } from './find-gaps.ts'
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

/**
 * The source is read once for all streams, a slice at a time. Our own reads of the log do not count: they would make a quiet source look
 * alive. Memory: the slices being read, and of each stream the ids of one piece.
 */
export async function streamStatuses(
  parts: StatusParts,
  options: StatusOptions,
): Promise<readonly StreamStatus[]> {
  const now = parts.clock.now()
  const window = { from: now - options.windowMs, to: now - options.settleMs }
  const looks: Look[] = []
  for (const stream of parts.streams) looks.push(await lookInto(parts, stream, window, now))
  let newestMs: number | undefined
  const isOwn = (event: AuditEvent): boolean => parts.source.traits.isOwnRead?.(event) === true
  for await (const slice of readSlices(parts.source, window, NO_FILTER, { ...parts, order: 'asc' })) {
    newestMs = slice.events.findLast((event) => !isOwn(event))?.occurredAtMs ?? newestMs
    for (const look of looks) await lookUp(look, slice.events, isOwn)
    slice.release()
  }
  return looks.map((look) => statusOf(parts, options, look, newestMs, now))
}

/** What is learned of one stream while the source is read. */
type Look = {
  readonly stream: string
  /** Undefined where it cannot be searched. */
  readonly held: HeldIds | undefined
  /** Events from here on are too young for this stream. */
  readonly untilMs: number
  oldestMissingMs: number | undefined
  newestHeldMs: number | undefined
  gaps: number
  isInGap: boolean
}

async function lookInto(
  { log, signal }: StatusParts,
  { destination, inventory }: StatusParts['streams'][number],
  window: TimeRange,
  now: number,
): Promise<Look> {
  const untilMs = Math.max(window.from, Math.min(window.to, now - destination.traits.graceMs))
  const held =
    inventory === undefined
      ? undefined
      : await HeldIds.over({ inventory, log, signal }, { from: window.from, to: untilMs })
  return {
    ...{ stream: destination.name, held, untilMs, oldestMissingMs: undefined, newestHeldMs: undefined },
    ...{ gaps: 0, isInGap: false },
  }
}

/** Whether an event is our own is only asked where that decides: it means reading the whole of it. */
async function lookUp(
  look: Look,
  events: readonly AuditEvent[],
  isOwn: (event: AuditEvent) => boolean,
): Promise<void> {
  const { held } = look
  if (held === undefined) return
  const isHeldAt: boolean[] = []
  for (const event of events) {
    if (event.occurredAtMs >= look.untilMs) break
    const isHeld = held.holdsPieceOf(event) ? held.hasNow(event) : await held.has(event)
    isHeldAt.push(isHeld)
    if (isHeld !== look.isInGap || isOwn(event)) continue
    look.isInGap = !isHeld
    if (isHeld) continue
    look.oldestMissingMs ??= event.occurredAtMs
    look.gaps += 1
  }
  const newest = events.findLast((event, i) => isHeldAt[i] === true && !isOwn(event))
  look.newestHeldMs = newest?.occurredAtMs ?? look.newestHeldMs
}

function statusOf(
  { source, ledger }: StatusParts,
  options: StatusOptions,
  look: Look,
  newestMs: number | undefined,
  now: number,
): StreamStatus {
  const base = {
    stream: look.stream,
    source: source.name,
    newestAtSource: newestMs === undefined ? null : isoTime(newestMs),
    provenUntil: provenUntil(ledger, source.name, look.stream),
    lastRun: ledger.runsOfPair(source.name, look.stream).at(-1)?.id ?? null,
  }
  if (look.held === undefined)
    return { ...base, newestHeld: null, lagSeconds: null, openGaps: null, state: 'unknown' }
  const lagMs = look.oldestMissingMs === undefined ? 0 : now - look.oldestMissingMs
  return {
    ...base,
    newestHeld: look.newestHeldMs === undefined ? null : isoTime(look.newestHeldMs),
    lagSeconds: Math.round(lagMs / SECOND_MS),
    openGaps: look.gaps,
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
