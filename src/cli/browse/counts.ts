import type { BrowserQuery, CountStep } from '../../core/browser.ts'
import type { AuditEvent, JsonObject } from '../../core/event.ts'
import { queryEvents } from '../../operations/query.ts'
import { collectReplies } from './collect.ts'
import type { EventReads } from './events.ts'

/** Events between two looks at the keyboard. */
const CHUNK = 500
/** Kinds that completion knows; the rarest of a log with more are left out. */
const MOST_KINDS = 2000
const MOST_OFFERED = 300

const utf8 = new TextDecoder('utf-8')

/** Reads the window once, newest first, on one connection; of each event only its place in time, its type and its actor are counted. */
export async function* countEvents(
  { source, warn }: EventReads,
  { window, filter }: BrowserQuery,
  cells: number,
  signal: AbortSignal,
): AsyncGenerator<CountStep> {
  const counts = new Float64Array(cells)
  const types = new Map<string, number>()
  const actors = new Map<string, number>()
  const perMs = cells / Math.max(1, window.to - window.from)
  const { reader } = source.shape
  let total = 0
  const stepAt = (countedFrom: number): CountStep => ({
    cells: counts.slice(),
    total,
    countedFrom,
    types: byCount(types),
    actors: byCount(actors),
  })
  const add = (event: AuditEvent): void => {
    const cell = Math.min(cells - 1, Math.max(0, Math.floor((event.occurredAtMs - window.from) * perMs)))
    counts[cell] = (counts[cell] ?? 0) + 1
    // Parsed here and forgotten: the event's own `record` would be kept with it.
    const record = JSON.parse(utf8.decode(event.bytes)) as JsonObject
    tally(types, reader.action(record))
    tally(actors, reader.actor(record))
  }
  const parts = { source, signal, concurrency: 1, onWarnings: warn }
  const options = { window, filter, order: 'desc', limit: undefined, after: undefined } as const
  for await (const events of queryEvents(parts, options)) {
    for (let from = 0; from < events.length; from += CHUNK) {
      const chunk = events.slice(from, from + CHUNK)
      for (const event of chunk) add(event)
      total += chunk.length
      await nextTurn()
      signal.throwIfAborted()
    }
    yield stepAt(events.at(-1)?.occurredAtMs ?? window.to)
    collectReplies()
  }
  yield stepAt(window.from)
}

function tally(counts: Map<string, number>, word: string | undefined): void {
  if (word === undefined || word === '') return
  const before = counts.get(word)
  if (before === undefined && counts.size >= MOST_KINDS) return
  counts.set(word, (before ?? 0) + 1)
}

function byCount(counts: ReadonlyMap<string, number>): readonly string[] {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_OFFERED)
    .map(([word]) => word)
}

/** A key that was pressed meanwhile is answered first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
