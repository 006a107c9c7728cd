import { type EventPage, type HeldEvent, heldAt, pageOfHeld } from '../../core/event-page.ts'
import type { EpochMs } from '../../core/time-range.ts'

/** What the list may hold at once; beyond it the far end is dropped, and read again when one comes back to it. */
export const MOST_EVENTS = 100_000
export const MOST_BYTES = 20 * 1024 * 1024

/** A run of neighbouring events without holes, newest first, in pages. Nothing in it is changed; a change makes a new one. */
export type Loaded = {
  readonly pages: readonly EventPage[]
  readonly count: number
  readonly bytes: number
}

export const NOTHING: Loaded = { pages: [], count: 0, bytes: 0 }

export type Limits = { readonly events: number; readonly bytes: number }
export const LIMITS: Limits = { events: MOST_EVENTS, bytes: MOST_BYTES }

export function loadedOf(pages: readonly EventPage[]): Loaded {
  const filled = pages.filter((page) => page.ids.length > 0)
  return {
    pages: filled,
    count: filled.reduce((sum, page) => sum + page.ids.length, 0),
    bytes: filled.reduce((sum, page) => sum + page.bytes.length, 0),
  }
}

/** Undefined beyond the ends. */
export function eventAt(loaded: Loaded, index: number): HeldEvent | undefined {
  let rest = index
  if (rest < 0) return undefined
  for (const page of loaded.pages) {
    if (rest < page.ids.length) return heldAt(page, rest)
    rest -= page.ids.length
  }
  return undefined
}

/** Up to `count` events from `from` on: what stands on the screen. */
export function eventsFrom(loaded: Loaded, from: number, count: number): readonly HeldEvent[] {
  const events: HeldEvent[] = []
  let skipped = 0
  for (const page of loaded.pages) {
    const length = page.ids.length
    for (let i = Math.max(0, from - skipped); i < length && events.length < count; i += 1)
      events.push(heldAt(page, i))
    if (events.length >= count) break
    skipped += length
  }
  return events
}

/** The first event (the newest one) that is older than the instant; the count when all are newer. */
export function indexBefore(loaded: Loaded, ms: EpochMs): number {
  let index = 0
  for (const { atMs } of loaded.pages) {
    const last = atMs.at(-1) ?? 0
    if (last >= ms) {
      index += atMs.length
      continue
    }
    let [low, high] = [0, atMs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((atMs[middle] ?? 0) < ms) high = middle
      else low = middle + 1
    }
    return index + low
  }
  return index
}

/** With a page behind the older end; as many newer events dropped as the limits ask. `dropped`: how far every index moves down. */
export function appendOlder(
  loaded: Loaded,
  page: EventPage,
  limits: Limits,
): { readonly loaded: Loaded; readonly dropped: number } {
  const pages = [...loaded.pages, page]
  const kept = withinLimits(pages, limits, 'newer')
  return { loaded: loadedOf(pages.slice(kept.dropped)), dropped: countOf(pages.slice(0, kept.dropped)) }
}

/** With a page before the newer end; `added`: how far every index moves up. `lostOlder`: events were dropped at the older end. */
export function prependNewer(
  loaded: Loaded,
  page: EventPage,
  limits: Limits,
): { readonly loaded: Loaded; readonly added: number; readonly lostOlder: boolean } {
  const pages = [page, ...loaded.pages]
  const kept = withinLimits(pages, limits, 'older')
  return {
    loaded: loadedOf(pages.slice(0, pages.length - kept.dropped)),
    added: page.ids.length,
    lostOlder: kept.dropped > 0,
  }
}

function withinLimits(
  pages: readonly EventPage[],
  limits: Limits,
  dropAt: 'newer' | 'older',
): { readonly dropped: number } {
  let [events, bytes] = [0, 0]
  const fromKept = dropAt === 'newer' ? pages.toReversed() : pages
  for (const [i, page] of fromKept.entries()) {
    events += page.ids.length
    bytes += page.bytes.length
    // The page that was just read stays, however large it is.
    if (i > 0 && (events > limits.events || bytes > limits.bytes)) return { dropped: pages.length - i }
  }
  return { dropped: 0 }
}

function countOf(pages: readonly EventPage[]): number {
  return pages.reduce((sum, page) => sum + page.ids.length, 0)
}

/**
 * With events that turned up, late ones among them, each at its place. Those older than the loaded run are left out unless its older end is
 * the window's; ids that are there already too.
 */
export function mergeFresh(
  loaded: Loaded,
  fresh: EventPage,
  isWholeToTheEnd: boolean,
): { readonly loaded: Loaded; readonly places: readonly number[] } {
  const known = new Set<string>()
  const oldest = fresh.atMs.at(-1) ?? Number.POSITIVE_INFINITY
  const touched = loaded.pages.filter((page) => (page.atMs[0] ?? 0) >= oldest)
  for (const page of touched) for (const id of page.ids) known.add(id)
  const end = eventAt(loaded, loaded.count - 1)?.ms ?? Number.NEGATIVE_INFINITY
  const added = Array.from(fresh.ids, (_, i) => heldAt(fresh, i)).filter(
    ({ id, ms }) => !known.has(id) && (isWholeToTheEnd || ms >= end),
  )
  if (added.length === 0) return { loaded, places: [] }
  const places = added.map((event) => indexBefore(loaded, event.ms + 1))
  if (places.every((place) => place === 0))
    return { loaded: loadedOf([pageOfHeld(added), ...loaded.pages]), places }
  const own = touched.flatMap((page) => Array.from(page.ids, (_, i) => heldAt(page, i)))
  const merged = [...own, ...added].sort(newestFirst)
  return { loaded: loadedOf([pageOfHeld(merged), ...loaded.pages.slice(touched.length)]), places }
}

function newestFirst(a: HeldEvent, b: HeldEvent): number {
  if (a.ms !== b.ms) return b.ms - a.ms
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0
}

/** Without what the limits have no room for, at the older end. */
export function trimOlder(
  loaded: Loaded,
  limits: Limits,
): { readonly loaded: Loaded; readonly lostOlder: boolean } {
  if (loaded.count <= limits.events && loaded.bytes <= limits.bytes) return { loaded, lostOlder: false }
  const { dropped } = withinLimits(loaded.pages, limits, 'older')
  return { loaded: loadedOf(loaded.pages.slice(0, loaded.pages.length - dropped)), lostOlder: dropped > 0 }
}
