import { ContractError, IncompleteError, RemoteError } from '../../core/errors.ts'
import type { AuditEvent, JsonObject } from '../../core/event.ts'
import { type EpochMs, isInside, isoTime, type TimeRange } from '../../core/time-range.ts'
import type { PageReader } from './pages.ts'
import { actorType, eventType } from './read-record.ts'

const LIMIT = 1000
/** Each pass has its page edges elsewhere, so that none parts the two copies of a row for ever. */
const LIMIT_STEP = 13
const MAX_PASSES = 25
/** Passes in a row without a new id, after which rows that are stored twice must explain the rest. */
const QUIET_PASSES = 8
const MAX_PAGES = 1000
/** The same page so often in a row is no chance. */
const LOOP_REPEATS = 3
const MAX_PIECES = 300

/** Filters that tell events of one instant apart, and where an event says what it would match. */
const DIMENSIONS: readonly (readonly [param: string, read: (record: JsonObject) => unknown])[] = [
  ['eventType', eventType],
  ['actorType', actorType],
  ['userAgentType', (record) => record['userAgentType']],
  ['projectId', (record) => record['projectId']],
]

/** What was seen of one instant. The server repeats some rows and loses others from pass to pass, but it always counts them all. */
type Sighting = {
  readonly range: TimeRange
  readonly found: Map<string, AuditEvent>
  /** Ids that one answer held more than once, and how often beyond the first: so many fewer ids than rows. */
  readonly copies: Map<string, number>
}

/**
 * All events of one displayed millisecond of which a page cannot hold all. Offsets mean nothing among rows that no order tells apart, yet
 * the pages of a pass add up to how many there are: complete is what has as many ids, but for rows that are stored twice, and is neither
 * more nor less in the next pass (a row that is pruned between two pages hides another, and the count looks right). Pieces by other
 * filters that fit one short page are certain; passes are repeated for the rest.
 * @throws IncompleteError when neither brings them all
 */
export async function readTies(
  reader: PageReader,
  instant: EpochMs,
  signal: AbortSignal,
): Promise<readonly AuditEvent[]> {
  const range = { from: instant, to: instant + 1 }
  const sighting: Sighting = { range, found: new Map(), copies: new Map() }
  const { found, copies } = sighting
  let quietPasses = 0
  let total = 0
  const isComplete = () => rowsSeen(sighting) >= total
  for (let pass = 1; pass <= MAX_PASSES; pass += 1) {
    const [seenBefore, totalBefore] = [found.size, total]
    const most = Math.min(LIMIT, reader.facts.maxLimit)
    const limit = most - (((pass - 1) * LIMIT_STEP) % Math.ceil(most / 2))
    total = await readPass(reader, sighting, limit, signal)
    if (!isComplete() && pass === 1) await readPieces(reader, sighting, signal, isComplete)
    quietPasses = found.size === seenBefore && total === totalBefore ? quietPasses + 1 : 0
    const isSettled = copies.size > 0 && quietPasses >= QUIET_PASSES
    if (rowsSeen(sighting) > total) {
      // Rows were pruned or merged meanwhile: the count must not be met by what is gone.
      found.clear()
      copies.clear()
    } else if (quietPasses > 0 && (isComplete() || isSettled)) {
      return [...found.values()].filter((event) => isInside(event.occurredAtMs, range))
    }
    reader.log.debug('events of one instant: reading it again', {
      pass,
      seen: found.size,
      counted: total,
    })
  }
  throw new IncompleteError(
    `${total} events share the instant ${isoTime(instant)} and only ${found.size} of them could be read`,
    {
      service: 'Infisical',
      hint: 'the server gives them in a new order each time; add --event, --actor-type or --project to split them',
    },
  )
}

/** Pages through the instant once. Gives the number of rows, whichever they were. */
async function readPass(
  reader: PageReader,
  sighting: Sighting,
  limit: number,
  signal: AbortSignal,
): Promise<number> {
  const loop = new LoopWatch()
  for (let offset = 0, pages = 1; ; pages += 1) {
    const { events, isFull } = await reader.read({ range: sighting.range, offset, limit }, signal)
    note(sighting, events)
    offset += events.length
    if (!isFull) return offset
    if (loop.isStuck(events) || pages === MAX_PAGES) throw pageLoop(sighting.range.from)
  }
}

/** Tells a server that heeds no offset from rows without an order, of which a short page may well come twice. */
export class LoopWatch {
  #previous = ''
  #repeats = 0

  /** Whether this is the same full page yet again. */
  isStuck(page: readonly AuditEvent[]): boolean {
    const ids = page.map((event) => event.id).join()
    this.#repeats = ids === this.#previous ? this.#repeats + 1 : 0
    this.#previous = ids
    return this.#repeats >= LOOP_REPEATS
  }
}

/** For a server that gives the same page whatever the offset. */
export function pageLoop(instant: EpochMs): ContractError {
  return new ContractError(`Infisical sends the same page again and again for ${isoTime(instant)}`, {
    service: 'Infisical',
    code: 'page-loop',
    hint: 'a proxy or cache may be ignoring the query; check what stands between',
  })
}

/** Asks for the events piece by piece: by each value seen of the first filter, and where that is still too much also of the next. */
async function readPieces(
  reader: PageReader,
  sighting: Sighting,
  signal: AbortSignal,
  isComplete: () => boolean,
): Promise<void> {
  let pieces = 0
  const usable = DIMENSIONS.filter(([param]) => reader.pushdown.params()[param] === undefined)
  const split = async (level: number, extra: Readonly<Record<string, string>>): Promise<void> => {
    const [param, read] = usable[level] ?? []
    if (param === undefined || read === undefined) return
    for (const value of valuesOf(sighting, read, usable, extra)) {
      if (isComplete() || pieces >= MAX_PIECES) return
      pieces += 1
      const piece = { ...extra, [param]: value }
      const page = await readPiece(reader, sighting.range, piece, signal)
      if (page === undefined) continue
      note(sighting, page.events)
      if (page.isFull) await split(level + 1, piece)
    }
  }
  await split(0, {})
}

async function readPiece(
  reader: PageReader,
  range: TimeRange,
  extra: Readonly<Record<string, string>>,
  signal: AbortSignal,
) {
  try {
    return await reader.read({ range, offset: 0, limit: LIMIT, extra }, signal)
  } catch (error) {
    // A stored value that this release does not take as a filter, or a project that is closed to us: the passes must do.
    if (error instanceof RemoteError && (error.status === 422 || error.status === 403)) return undefined
    throw error
  }
}

function valuesOf(
  { found }: Sighting,
  read: (record: JsonObject) => unknown,
  usable: typeof DIMENSIONS,
  extra: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const values = new Set<string>()
  for (const event of found.values()) {
    const record = event.record()
    const isPart = usable.every(([param, get]) => extra[param] === undefined || get(record) === extra[param])
    const value = isPart ? read(record) : undefined
    if (typeof value === 'string' && value !== '' && !value.includes(',')) values.add(value)
  }
  return values
}

function note({ found, copies }: Sighting, events: readonly AuditEvent[]): void {
  const here = new Map<string, number>()
  for (const event of events) {
    const times = here.get(event.id) ?? 0
    here.set(event.id, times + 1)
    if (times > (copies.get(event.id) ?? 0)) copies.set(event.id, times)
    if (!found.has(event.id)) found.set(event.id, event)
  }
}

/** Rows that are accounted for: every id, as often as it was seen at once. */
function rowsSeen({ found, copies }: Sighting): number {
  let rows = found.size
  for (const times of copies.values()) rows += times
  return rows
}
