import { AuthError, RemoteError } from '../../core/errors.ts'
import type { AuditEvent, JsonObject } from '../../core/event.ts'
import type { Log } from '../../core/runtime.ts'
import type { AuditSource, EventShape, Page, Trail, TrailKind } from '../../core/source.ts'
import { filteredTrail, type TrailAsked } from '../filtered-trail.ts'
import { EnvelopeReader, type Listing } from './envelope.ts'
import { boundsOf, listingOf, MAX_ROWS, refusal } from './pages.ts'
import { SERVICE } from './problem.ts'
import { planFilters } from './pushdown.ts'
import { firstAt, hasPrefix, secretPathOf } from './read-record.ts'
import type { Session } from './session.ts'
import { plainPath } from './shape.ts'

const OPERATION = 'read the trail'
const MOST_PAGES = 200

export type TrailParts = { readonly session: Session; readonly shape: EventShape; readonly log: Log }

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
  const page = async (cursor: string | undefined): Promise<Listing> => {
    const query = { ...boundsOf(asked.window), action, limit: MAX_ROWS, cursor }
    const reply = await session.send({
      method: 'GET',
      path,
      query,
      operation: OPERATION,
      signal: asked.signal,
    })
    if (reply.status === 200) return listingOf(envelopes, reply, OPERATION)
    throw refusal(reply, OPERATION)
  }
  const pages: Page[] = []
  let summary: JsonObject | undefined
  try {
    let cursor: string | undefined
    for (let count = 0; count < MOST_PAGES; count += 1) {
      const listing = await page(cursor)
      pages.push(listing.events)
      const said = firstAt(listing.envelope, 'summary', 'data.summary', 'stats')
      if (summary === undefined && said !== null && typeof said === 'object') summary = said as JsonObject
      if (!listing.hasMore) break
      // A trail that ends in the middle is none.
      if (listing.cursor === undefined || listing.cursor === cursor) return undefined
      cursor = listing.cursor
      if (count + 1 === MOST_PAGES) return undefined
    }
  } catch (error) {
    if (!(error instanceof RemoteError) || error instanceof AuthError) throw error
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
export async function trailFromLog(
  source: AuditSource,
  kind: TrailKind,
  id: string,
  asked: TrailAsked,
): Promise<Trail | undefined> {
  const field = (
    { secret: 'path', identity: 'actor', request: 'request-id', entity: undefined, trace: undefined } as const
  )[kind]
  if (field === undefined || asked.filter.fields[field] !== undefined) return undefined
  const trail = await filteredTrail(source, field, id, asked)
  return kind === 'secret' ? { ...trail, events: ofSecret(trail, id) } : trail
}

/** As the server's own trail: of a secret what is its alone, unless the path is of a folder. */
async function* ofSecret({ events }: Trail, id: string): AsyncGenerator<Page> {
  const below: AuditEvent[] = []
  for await (const page of events) below.push(...page)
  const own = below.filter((event) => secretPathOf(event.record()) === plainPath(id))
  yield own.length > 0 ? own : below
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
