import type { AuditEvent } from '../../core/event.ts'
import type { Order } from '../../core/source.ts'
import { DAY_MS, type TimeRange } from '../../core/time-range.ts'
import { Chain } from './chain.ts'
import type { PageReader } from './pages.ts'

/** A slice that was read while it was planned. */
export type Piece = { readonly range: TimeRange; readonly events: readonly AuditEvent[] }

/** A little less than whole pages: one event too many would cost another query, and those are counted. */
const PLANNED_PAGES = 3.8
/** A piece that is longer is handed over in parts. */
const MOST_PAGES = 12
/** Nothing is ruled out by an empty piece: the next may be that much wider. */
const MOST_GROWTH = 8
const WIDEST_MS = 400 * DAY_MS

type Stretch = { readonly range: TimeRange; readonly events: readonly AuditEvent[] | undefined }

export type PiecesAsked = {
  readonly reader: PageReader
  readonly window: TimeRange
  /** Has read the first page, at the far end of the asked order. */
  readonly chain: Chain
  readonly first: readonly AuditEvent[]
  readonly order: Order
  readonly pageSize: number
  readonly signal: AbortSignal
}

/**
 * Where the server's pages run against the asked order: the window in pieces of about four pages, from the asked end on, each read to its
 * own end. A piece that turns out too full is read again in part: what was read of it is kept for its turn.
 */
export async function* readPieces(asked: PiecesAsked): AsyncGenerator<Piece> {
  const { reader, window, chain, first, order, pageSize, signal } = asked
  const isAscending = order === 'asc'
  const { direction } = chain
  let stretches: Stretch[] = [{ range: window, events: undefined }]
  let density = 0

  /** What was read at the far end of the stretch stays; the rest of it comes first. */
  const keepRead = ({ range }: Stretch, cut: number, events: readonly AuditEvent[]): Stretch[] => {
    const read = isAscending ? { from: cut, to: range.to } : { from: range.from, to: cut }
    const left = isAscending ? { from: range.from, to: cut } : { from: cut, to: range.to }
    const inside = events.filter(({ occurredAtMs }) =>
      isAscending ? occurredAtMs >= cut : occurredAtMs < cut,
    )
    return [
      { range: left, events: undefined },
      { range: read, events: inside },
    ]
  }
  const learn = (rows: number, widthMs: number): void => {
    const seen = Math.max(rows, 1) / Math.max(1, widthMs)
    density =
      density === 0
        ? seen
        : Math.min(density * MOST_GROWTH, Math.max(density / MOST_GROWTH, (density + 3 * seen) / 4))
  }

  const cut = chain.settledAt()
  if (cut !== undefined && cut > window.from && cut < window.to)
    stretches = keepRead(stretches[0] as Stretch, cut, first)
  const times = first.map(({ occurredAtMs }) => occurredAtMs)
  learn(first.length, Math.max(...times) - Math.min(...times) + 1)

  for (let head = stretches[0]; head !== undefined; head = stretches[0]) {
    if (head.events !== undefined) {
      stretches.shift()
      yield { range: head.range, events: head.events }
      continue
    }
    const { from, to } = head.range
    const width = Math.max(1, Math.min(WIDEST_MS, Math.floor((PLANNED_PAGES * pageSize) / density)))
    let piece: Stretch = head
    if (to - from > width * 1.3) {
      const range = isAscending ? { from, to: from + width } : { from: to - width, to }
      const left = isAscending ? { from: range.to, to } : { from, to: range.from }
      piece = { range, events: undefined }
      stretches.splice(0, 1, piece, { range: left, events: undefined })
    }
    const own = new Chain(reader, piece.range, { limit: pageSize, direction })
    const events: AuditEvent[] = []
    let settled: number | undefined
    for (let pages = 1; !own.hasEnded; pages += 1) {
      events.push(...(await own.next(signal)))
      settled = own.settledAt()
      const isCut = settled !== undefined && settled > piece.range.from && settled < piece.range.to
      if (pages >= MOST_PAGES && isCut) break
    }
    if (own.hasEnded || settled === undefined) {
      learn(events.length, piece.range.to - piece.range.from)
      stretches[0] = { range: piece.range, events }
    } else {
      const parts = keepRead(piece, settled, events)
      const read = parts[1]?.range ?? piece.range
      learn(parts[1]?.events?.length ?? 0, read.to - read.from)
      stretches.splice(0, 1, ...parts)
    }
  }
}
