import { formatDuration } from '../../core/duration.ts'
import { RemoteError } from '../../core/errors.ts'
import { freeBytes } from '../../core/free-bytes.ts'
import type { OpenOptions, OpenWindow, Page, Slice } from '../../core/source.ts'
import { DAY_MS, isoTime, MINUTE_MS, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { PageReader } from './pages.ts'
import { ReadAhead, type ReadStretch } from './read-ahead.ts'
import { NO_BUDGET, type RangeEvents, readRange } from './read-range.ts'
import { SlicePlan } from './slice-plan.ts'

/** So many events just before an empty window make its silence suspicious. */
const BUSY_EVENTS = 20
/** The Date header has whole seconds, and takes its time on the way. */
const MOST_SKEW_MS = 5 * SECOND_MS
const CAUSES =
  'is storing the log disabled, does the plan or its retention leave it out, or does the identity see only a part of it?'

export type WindowParts = {
  readonly reader: PageReader
  readonly window: TimeRange
  readonly pageSize: number
  /** As configured; what events say themselves is used otherwise. */
  readonly retentionMs: number | undefined
  readonly now: number
}

/** Opens a window: the newest page is read at once, the rest as slices are asked for. */
export async function openWindow(parts: WindowParts, options: OpenOptions): Promise<OpenWindow> {
  const { reader, window, pageSize } = parts
  const { order, concurrency, signal, limit } = options
  // Nothing can be read of the time to come.
  const until = Math.min(window.to, parts.now)
  const plan = new SlicePlan({ pageSize, concurrency, wanted: limit })
  const ahead = new ReadAhead(reader, { from: window.from, to: until }, { order, concurrency, plan, signal })
  const isEmptyWindow = until <= window.from
  if (!isEmptyWindow) await ahead.probe(plan.limit())

  /** What was read before it was asked for, by the index of its slice; each is handed over once. */
  const held = new Map<number, ReadStretch>()
  /** What was handed over, for as long as the reader holds on to the slice. */
  const handedOver = new WeakMap<Slice, RangeEvents>()
  const notes: string[] = []

  const rangeOf = ({ range }: ReadStretch): TimeRange => ({
    from: range.from,
    to: range.to === until ? window.to : range.to,
  })

  return {
    async *slices() {
      let index = 0
      if (isEmptyWindow) {
        if (window.to > window.from) yield { index, range: window }
        return
      }
      for await (const stretch of ahead.stretches()) {
        held.set(index, stretch)
        // A slice that nobody read in its time is read again if it is asked for later.
        held.delete(index - 2 * (concurrency + 1))
        const range = rangeOf(stretch)
        yield { index, range, label: `${isoTime(range.from)} to ${isoTime(range.to)}` }
        index += 1
      }
      if (plan.rows === 0 && reader.pushdown.plan.pushed.length === 0)
        notes.push(...(await silence(parts, until, signal)))
    },

    async *read(slice: Slice, readSignal: AbortSignal): AsyncGenerator<Page> {
      readSignal.throwIfAborted()
      const stretch = held.get(slice.index)
      held.delete(slice.index)
      if (stretch?.error !== undefined) throw stretch.error
      let read: RangeEvents | undefined = stretch?.events
      if (read === undefined) {
        const range = { from: slice.range.from, to: Math.min(slice.range.to, until) }
        read = await readRange(reader, range, { limit: pageSize, budget: NO_BUDGET, signal: readSignal })
      }
      handedOver.set(slice, read)
      for (const page of read.pages) {
        readSignal.throwIfAborted()
        yield page
      }
    },

    release(slice: Slice): void {
      for (const page of handedOver.get(slice)?.pages ?? []) {
        const [first] = page
        // All events of a page lie in the one answer, but for those that had to be parsed.
        if (first !== undefined) freeBytes(first.buffer)
      }
    },

    warnings: () => [
      ...reader.pushdown.warnings(),
      ...expired(parts),
      ...stillToCome(parts, until),
      ...notes,
    ],
    close: () => ahead.close(),
  }
}

/** An empty answer is also what a server gives that stores nothing: looks at the time before. */
async function silence(parts: WindowParts, until: number, signal: AbortSignal): Promise<readonly string[]> {
  const { reader, window } = parts
  const span = until - window.from
  const words = `no events from ${isoTime(window.from)} to ${isoTime(until)}`
  if (span < MINUTE_MS) return []
  const before = { from: Math.max(0, window.from - Math.min(span, 30 * DAY_MS)), to: window.from }
  try {
    // Not at offset 0, where newer servers note each reading in the log.
    const { events } = await reader.read({ range: before, offset: BUSY_EVENTS, limit: 1 }, signal)
    if (events.length > 0) return [`${words}, although the log was busy just before: ${CAUSES}`]
  } catch (error) {
    // The window itself was read; a look beside it proves nothing and may fail.
    if (!(error instanceof RemoteError)) throw error
    reader.log.debug(`could not look at the time before the window: ${error.message}`)
  }
  return span >= DAY_MS ? [`${words}: ${CAUSES}`] : []
}

/** With our clock ahead, a window that has ended here goes on at the server: what comes there until its end was not read. */
function stillToCome({ reader, now }: WindowParts, until: number): readonly string[] {
  const skewMs = reader.facts.clockSkewMs ?? 0
  if (until <= now + skewMs + MOST_SKEW_MS) return []
  return [
    `the window ends at ${isoTime(until)}, and the server's clock is ${formatDuration(-skewMs)} behind ours: events up to that end may still come there; set both clocks by NTP, or end the window earlier`,
  ]
}

function expired({ reader, window, retentionMs, now }: WindowParts): readonly string[] {
  const kept = retentionMs ?? reader.facts.retentionMs
  if (kept === undefined || window.from >= now - kept) return []
  return [
    `the source keeps events for ${Math.round(kept / DAY_MS)} days: those before ${isoTime(now - kept)} are gone or about to be`,
  ]
}
