import { IncompleteError } from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { OpenOptions, OpenWindow, Order, Page, Slice } from '../../core/source.ts'
import { type EpochMs, isoTime, type TimeRange } from '../../core/time-range.ts'
import { Chain } from './chain.ts'
import type { PageReader } from './pages.ts'
import { SERVICE } from './problem.ts'
import { type Piece, readPieces } from './read-pieces.ts'

/** Pages of a slice. */
const PAGES = 4

export type WindowParts = {
  readonly reader: PageReader
  readonly window: TimeRange
  readonly pageSize: number
}

/** Opens a window: its first page is read at once, and tells how full it is and which way the pages run. */
export async function openWindow(parts: WindowParts, options: OpenOptions): Promise<OpenWindow> {
  const { reader, window, pageSize } = parts
  const { order, signal } = options
  const isNothing = window.to <= window.from
  const limit = firstRows(parts, options)
  const chain = new Chain(reader, window, { limit })
  const first = isNothing ? [] : await chain.next(signal)
  /** What was read before it was asked for, by the index of its slice; each is handed over once. */
  const held = new Map<number, readonly AuditEvent[]>()
  /** What was handed over, for as long as the reader holds on to the slice. */
  const handedOver = new WeakMap<Slice, readonly AuditEvent[]>()

  async function* pieces(): AsyncGenerator<Piece> {
    if (isNothing) return
    if (chain.hasEnded) yield { range: window, events: first }
    else if (chain.direction === 'mixed') yield { range: window, events: await rest(chain, first, signal) }
    else if ((chain.direction ?? 'desc') === order)
      yield* follow(chain, first, window, order, limit < pageSize ? 1 : PAGES, signal)
    else yield* readPieces({ reader, window, chain, first, order, pageSize, signal })
  }

  return {
    async *slices() {
      let index = 0
      for await (const { range, events } of pieces()) {
        held.set(index, events)
        // A slice that nobody read in its time is read again if it is asked for later.
        held.delete(index - 2 * (options.concurrency + 1))
        yield { index, range, label: `${isoTime(range.from)} to ${isoTime(range.to)}` }
        index += 1
      }
    },
    async *read(slice: Slice, readSignal: AbortSignal): AsyncGenerator<Page> {
      readSignal.throwIfAborted()
      const known = held.get(slice.index)
      held.delete(slice.index)
      if (known !== undefined) {
        handedOver.set(slice, known)
        yield known
        return
      }
      const again = new Chain(reader, slice.range, { limit: pageSize })
      while (!again.hasEnded) yield await again.next(readSignal)
    },
    release(slice) {
      reader.replies.giveBack(handedOver.get(slice) ?? [])
      // Given back twice, an event would become two others.
      handedOver.delete(slice)
    },
    warnings: () => [
      ...reader.warnings(),
      ...(chain.direction === 'mixed'
        ? [
            'the server’s pages are in no order of time: the whole window was read before the first event was given',
          ]
        : []),
    ],
    // The connections belong to whoever made the client.
    close: () => Promise.resolve(),
  }
}

/** Who wants a handful of events asks for little more than that, unless most of what comes may be left out here. */
function firstRows({ reader, pageSize }: WindowParts, { limit }: OpenOptions): number {
  if (limit === undefined || reader.pushdown.plan.local.length > 0) return pageSize
  return Math.min(pageSize, Math.ceil(limit * 1.2) + 20)
}

async function rest(chain: Chain, first: readonly AuditEvent[], signal: AbortSignal): Promise<AuditEvent[]> {
  const events = [...first]
  while (!chain.hasEnded) events.push(...(await chain.next(signal)))
  return events
}

/** The pages as they come, cut into slices where nothing earlier in the asked order can follow. */
async function* follow(
  chain: Chain,
  first: readonly AuditEvent[],
  window: TimeRange,
  order: Order,
  pagesOfSlice: number,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const isDescending = order === 'desc'
  let bound = isDescending ? window.to : window.from
  let events = [...first]
  let pages = 1
  while (!chain.hasEnded) {
    const cut = chain.settledAt()
    if (pages >= pagesOfSlice && cut !== undefined && (isDescending ? cut < bound : cut > bound)) {
      const { done, left } = parted(events, cut, isDescending)
      if (done.length > 0) {
        yield { range: isDescending ? { from: cut, to: bound } : { from: bound, to: cut }, events: done }
        events = left
        bound = cut
        pages = 0
      }
    }
    const page = await chain.next(signal)
    pages += 1
    const stray = parted(page, bound, isDescending).done[0]
    if (stray !== undefined) throw outOfOrder(stray, bound, order)
    events.push(...page)
  }
  yield { range: isDescending ? { from: window.from, to: bound } : { from: bound, to: window.to }, events }
}

/** The events that are done with once everything up to `cut` is, in the asked order, and the others. */
function parted(events: readonly AuditEvent[], cut: EpochMs, isDescending: boolean) {
  const done: AuditEvent[] = []
  const left: AuditEvent[] = []
  for (const event of events) {
    const ms = event.occurredAtMs
    if (isDescending ? ms >= cut : ms < cut) done.push(event)
    else left.push(event)
  }
  return { done, left }
}

function outOfOrder(event: AuditEvent, bound: EpochMs, order: Order): IncompleteError {
  return new IncompleteError(
    `${SERVICE} sent entries ${order === 'desc' ? 'newer' : 'older'} than ${isoTime(bound)} after that time was done with`,
    {
      service: SERVICE,
      hint: `report it with the id ${event.id}; a smaller window may be read all the same`,
    },
  )
}
