import type { OpenOptions, OpenWindow, Page, Slice } from '../../core/source.ts'
import { type EpochMs, isoTime, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import type { Api } from './api.ts'
import { countRows, findEdge, type TimeAt } from './edges.ts'
import type { Plan } from './pushdown.ts'
import { OVERLAP, readSpan } from './read-span.ts'

/** Pages of a slice. */
const PAGES = 4
const FEW_ROWS = 50

export type WindowParts = {
  readonly api: Api
  readonly plan: Plan
  readonly window: TimeRange
  readonly pageSize: number
  readonly now: EpochMs
}

/** What a slice knows of its place: a guess that reading verifies. */
type Place = { readonly offset: number; readonly rows: number }

/**
 * No release has a filter for times: the window's near edge is found by binary search over the offsets of the ascending list, and slices
 * are cut from there, each bounded by the time of one probed row. Entries are only ever added at the list's far end, so places stay.
 */
export async function openWindow(parts: WindowParts, options: OpenOptions): Promise<OpenWindow> {
  const { api, plan, window, pageSize, now } = parts
  const { order, signal, limit } = options
  const timeAt: TimeAt = async (offset) =>
    (await rowsAt(offset, offset + 1, signal, true)).events[0]?.occurredAtMs
  const rowsAt = (start: number, end: number, readSignal: AbortSignal, isProbe = false) =>
    api.page({ filter: plan.filter, sort: ['created_at', 'ASC'], start, end, isProbe, signal: readSignal })

  // Also finds out which generation answers, and how many rows there are.
  const newest = await api.page({
    filter: plan.filter,
    sort: ['created_at', 'DESC'],
    start: 0,
    end: 1,
    isProbe: true,
    signal,
  })
  const newestMs = newest.events[0]?.occurredAtMs ?? Number.NEGATIVE_INFINITY
  const isEmpty = newestMs < window.from
  const total = newest.events.length === 0 ? 0 : (newest.total ?? (await countRows(timeAt)))

  const most = Math.max(1, PAGES * pageSize - Math.min(2 * OVERLAP, pageSize))
  /** Who wants a handful of events gets small slices first. */
  const sizes = function* (): Generator<number> {
    let rows = limit === undefined ? most : Math.min(most, Math.max(limit, FEW_ROWS))
    for (;;) {
      yield rows
      rows = Math.min(most, rows * 2)
    }
  }

  const sliceOf = (index: number, range: TimeRange, key: Place): Slice => ({
    index,
    range,
    key,
    label: `${isoTime(range.from)} to ${isoTime(range.to)}, from row ${key.offset}`,
  })

  /** From the window's start on, oldest first. */
  async function* ascending(): AsyncGenerator<Slice> {
    const lengths = sizes()
    let index = 0
    let from = window.from
    let start = await findEdge(timeAt, total, window.from)
    let end = start
    for (;;) {
      const rows = lengths.next().value ?? most
      end += rows
      const ms = end >= total ? undefined : await timeAt(end)
      if (ms === undefined || ms >= window.to) {
        // What lies between here and the end of the window was not counted; a page more is asked for if need be.
        yield sliceOf(index, { from, to: window.to }, { offset: start, rows: Math.min(end, total) - start })
        return
      }
      // One instant is never cut in two.
      if (ms <= from) continue
      yield sliceOf(index, { from, to: ms }, { offset: start, rows: end - start })
      index += 1
      from = ms
      start = end
    }
  }

  /** From the window's end on, newest first. */
  async function* descending(): AsyncGenerator<Slice> {
    const lengths = sizes()
    let index = 0
    let to = window.to
    let end = newestMs < window.to ? total : await findEdge(timeAt, total, window.to)
    let start = end
    for (;;) {
      start = Math.max(0, start - (lengths.next().value ?? most))
      const ms = start === 0 ? undefined : await timeAt(start)
      if (start === 0 || (ms !== undefined && ms <= window.from)) {
        yield sliceOf(index, { from: window.from, to }, { offset: start, rows: end - start })
        return
      }
      if (ms === undefined || ms >= to) continue
      yield sliceOf(index, { from: ms, to }, { offset: start, rows: end - start })
      index += 1
      to = ms
      end = start
    }
  }

  return {
    async *slices() {
      if (isEmpty || window.to <= window.from) {
        if (window.to > window.from) yield { index: 0, range: window }
      } else yield* order === 'asc' ? ascending() : descending()
    },
    async *read(slice: Slice, readSignal: AbortSignal): AsyncGenerator<Page> {
      readSignal.throwIfAborted()
      const place = slice.key as Place | undefined
      if (place === undefined) return
      const { range } = slice
      const readRows = (start: number, end: number) => rowsAt(start, end, readSignal)
      yield* readSpan(readRows, { range, offset: place.offset, expected: place.rows, pageSize })
    },
    warnings: () => [
      ...(newestMs > now + 5 * MINUTE_MS
        ? [
            `the newest entry is dated ${isoTime(newestMs)}, which is yet to come: if the server's times have no zone, set timezone to that of its database`,
          ]
        : []),
      ...(plan.needsNames && !api.tellsNames
        ? ['the entries of this release tell no names of what was acted on: ask for it by its id']
        : []),
    ],
    // The connections belong to whoever made the client.
    close: () => Promise.resolve(),
  }
}
