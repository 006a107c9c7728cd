import { AuthError, ContractError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { compileFilter, type EventFilter } from '../../core/filter.ts'
import type { Log } from '../../core/runtime.ts'
import type { AuditSource, EventShape, Page, Trail, TrailKind } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { EnvelopeReader, type Listing } from './envelope.ts'
import { boundsOf, listingOf, MAX_ROWS, refusal } from './pages.ts'
import { SERVICE } from './problem.ts'
import { planFilters } from './pushdown.ts'
import { firstAt, hasPrefix } from './read-record.ts'
import type { Session } from './session.ts'
import { plainPath } from './shape.ts'

const OPERATION = 'read the trail'
const MOST_PAGES = 200

export type TrailParts = { readonly session: Session; readonly shape: EventShape; readonly log: Log }

export type TrailAsked = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly signal: AbortSignal
}

/**
 * The server's trail of a secret or an identity. What its answer looks like is documented nowhere: resolves with undefined when there is
 * none, or it cannot be read, since the log itself holds the same entries.
 */
export async function readTrail(
  parts: TrailParts,
  kind: TrailKind,
  id: string,
  asked: TrailAsked,
): Promise<Trail | undefined> {
  const path = addressOf(kind, id)
  if (path === undefined) return undefined
  const { session, shape, log } = parts
  const envelopes = new EnvelopeReader(shape, (place) =>
    log.debug(`${SERVICE} answers with the trail under ${place}`, { place }),
  )
  const action = planFilters(asked.filter).pushed.find(({ param }) => param === 'action')?.value
  const page = async (cursor: string | undefined): Promise<Listing | undefined> => {
    const query = { ...boundsOf(asked.window), action, limit: MAX_ROWS, cursor }
    const reply = await session.send({
      method: 'GET',
      path,
      query,
      operation: OPERATION,
      signal: asked.signal,
    })
    if (reply.status === 200) return listingOf(envelopes, reply, OPERATION)
    const error = refusal(reply, OPERATION)
    if (error instanceof AuthError) throw error
    log.debug(`${error.message}; the trail is put together from the log`)
    return undefined
  }
  const pages: Page[] = []
  let summary: JsonObject | undefined
  try {
    let cursor: string | undefined
    for (let count = 0; count < MOST_PAGES; count += 1) {
      const listing = await page(cursor)
      // A trail that ends in the middle is none.
      if (listing === undefined) return undefined
      pages.push(listing.events)
      const said = firstAt(listing.envelope, 'summary', 'data.summary', 'stats')
      if (summary === undefined && said !== null && typeof said === 'object') summary = said as JsonObject
      if (!listing.hasMore) break
      if (listing.cursor === undefined || listing.cursor === cursor) return undefined
      cursor = listing.cursor
      if (count + 1 === MOST_PAGES) return undefined
    }
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    log.debug(`${error.message}; the trail is put together from the log`)
    return undefined
  }
  return {
    events: (async function* () {
      yield* pages
    })(),
    lines: () => [],
    summary: () => summary,
    warnings: () => [],
  }
}

/** The same from the log itself, by filters that the server applies; undefined where it has none for that kind. */
export async function filteredTrail(
  source: AuditSource,
  kind: TrailKind,
  id: string,
  asked: TrailAsked,
): Promise<Trail | undefined> {
  const field = (
    { secret: 'path', identity: 'actor', request: 'request-id', entity: undefined, trace: undefined } as const
  )[kind]
  if (field === undefined || asked.filter.fields[field] !== undefined) return undefined
  const { window, signal } = asked
  const filter = { ...asked.filter, fields: { ...asked.filter.fields, [field]: id } }
  const matches = compileFilter(filter, source.shape.filters, source.name)
  const opened = await source.open(window, filter, { order: 'asc', concurrency: 1, signal })
  async function* events(): AsyncGenerator<Page> {
    try {
      for await (const slice of opened.slices())
        for await (const page of opened.read(slice, signal)) yield page.filter(matches)
    } finally {
      await opened.close()
    }
  }
  return { events: events(), lines: () => [], summary: () => undefined, warnings: () => opened.warnings() }
}

/** Slashes stay, everything else that a path may not hold is encoded; dots alone would lead elsewhere. */
function addressOf(kind: TrailKind, id: string): string | undefined {
  if (kind === 'secret') {
    const segments = plainPath(id).split('/')
    if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return undefined
    return `/v1/audit/secrets/${segments.map(encodeURIComponent).join('/')}`
  }
  if (kind !== 'identity' || !hasPrefix(id)) return undefined
  return `/v1/audit/identities/${encodeURIComponent(id).replaceAll('%3A', ':').replaceAll('%40', '@')}`
}
