import * as z from 'zod'
import { httpUrl, secret, sourceCommon } from '../../config/fields.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { EventFilter } from '../../core/filter.ts'
import type { AuditSource, OpenOptions, Order, SourcePlan } from '../../core/source.ts'
import { DAY_MS, isoTime, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { defineSource, type SourceParts } from '../define-source.ts'
import { openWindow } from './open-window.ts'
import { type Facts, LIST_PATH, PageReader } from './pages.ts'
import { Pushdown, planFilters } from './pushdown.ts'
import { MAX_WINDOW_MS } from './read-ahead.ts'
import { actorMetadata } from './read-record.ts'
import { Session } from './session.ts'
import { infisicalShape } from './shape.ts'
import { OWN_READ } from './vocabulary.ts'

/** The most that newer releases give in one answer; older ones have no bound, and gain nothing from more. */
const MAX_LIMIT = 1000

const options = z.strictObject({
  ...sourceCommon,
  url: httpUrl(),
  auth: z.discriminatedUnion('method', [
    z.strictObject({
      method: z.literal('universal-auth'),
      clientId: secret(),
      clientSecret: secret(),
    }),
    z.strictObject({ method: z.literal('token'), token: secret() }),
  ]),
  store: z.enum(['postgres', 'clickhouse']).optional(),
  organization: z.string().optional(),
})

/** Infisical's audit log, by its query API. @source backend/src/server/routes/v1/organization-router.ts of Infisical/infisical */
export const infisical = defineSource({
  type: 'infisical',
  title: 'Infisical',
  options,
  shape: infisicalShape,
  notes: [
    'reads the organization audit log by its query API, with universal auth or a token',
    'complete also while events arrive and when many share one millisecond; older and newer servers alike',
    '--path is checked here: the server matches whole paths only',
    'newer servers note each slice that is read as an event of their own (view-audit-logs)',
    'expiresAt is sometimes missing from the API; set retentionDays to rebuild it for backfills',
  ],
  create: (name, settings, parts) => new InfisicalSource(name, settings, parts),
})

type Settings = z.output<typeof options>

class InfisicalSource implements AuditSource {
  readonly name: string
  readonly shape = infisicalShape
  readonly traits: AuditSource['traits']
  readonly streamedSettings: AuditSource['streamedSettings']
  readonly #settings: Settings
  readonly #parts: SourceParts
  readonly #session: Session
  readonly #requests: () => number
  readonly #url: string
  readonly #pageSize: number
  readonly #facts: Facts

  constructor(name: string, settings: Settings, parts: SourceParts) {
    this.name = name
    this.#settings = settings
    this.#parts = parts
    // The product's own CLI takes URLs that end in /api, and so are they often copied.
    this.#url = settings.url.replace(/\/+$/, '').replace(/\/api$/, '')
    const http = parts.http.service({
      service: 'Infisical',
      baseUrl: this.#url,
      tls: settings.tls,
      allowInsecureHttp: settings.allowInsecureHttp,
      rate: settings.rate,
    })
    this.#requests = () => http.requests()
    this.#session = new Session(http, settings.auth, this.#url)
    this.#pageSize = Math.min(settings.pageSize ?? MAX_LIMIT, MAX_LIMIT)
    this.#facts = {
      organization: settings.organization,
      generation: undefined,
      retentionMs: undefined,
      maxLimit: MAX_LIMIT,
    }
    this.traits = {
      // The server stores what its consumer drains every five seconds, and tries a failed batch again later.
      allowedLatenessMs: MINUTE_MS,
      // Its streams retry for about nine minutes; a flapping receiver can take longer.
      liveRetryMs: settings.liveRetry ?? 20 * MINUTE_MS,
      retentionMs: retentionMsOf(settings),
      isOwnRead: (event) => this.#isOwnRead(event),
    }
    this.streamedSettings = { store: settings.store ?? 'postgres', retentionDays: settings.retentionDays }
  }

  open(window: TimeRange, filter: EventFilter, openOptions: OpenOptions) {
    const { clock, log } = this.#parts
    const pushdown = new Pushdown(planFilters(filter, this.#settings.store))
    const reader = new PageReader(
      { session: this.#session, shape: this.shape, clock, log, facts: this.#facts },
      pushdown,
    )
    const retentionMs = retentionMsOf(this.#settings)
    return openWindow(
      { reader, window, pageSize: this.#pageSize, retentionMs, now: clock.now() },
      openOptions,
    )
  }

  plan(window: TimeRange, filter: EventFilter, { order }: { readonly order: Order }): SourcePlan {
    const { pushed, local } = planFilters(filter, this.#settings.store)
    const to = Math.min(window.to, this.#parts.clock.now())
    const query = new URLSearchParams({
      ...Object.fromEntries(pushed.map(({ param, value }) => [param, value])),
      startDate: isoTime(Math.max(window.from, to - MAX_WINDOW_MS)),
      endDate: isoTime(to),
      limit: String(this.#pageSize),
      offset: '0',
    })
    return {
      requests: [
        `GET ${this.#url}${LIST_PATH}?${query}`,
        `then slices of about four pages, ${order === 'asc' ? 'oldest' : 'newest'} first, cut by what the first page shows`,
      ],
      pushedDown: pushed.map(({ filter: name, param, value }) => `${name} as ${param}=${value}`),
      local,
      // Only the answers tell how full the time is.
      estimatedPages: undefined,
      slices: widestSlices({ from: Math.min(window.from, to), to }, order),
    }
  }

  async identify(signal: AbortSignal) {
    await this.#session.start(signal)
    const { findGeneration } = await import('./checks.ts')
    const generation = await findGeneration(this.#checkParts(), signal)
    const claims = this.#session.claims()
    return {
      url: this.#url,
      organization: this.#facts.organization ?? claims.organizationId,
      identity: claims.identityId,
      scope: 'organization',
      generation,
      retentionMs: this.traits.retentionMs ?? this.#facts.retentionMs,
    }
  }

  async test(signal: AbortSignal) {
    const { testSource } = await import('./checks.ts')
    return testSource(this.#checkParts(), signal)
  }

  requests(): number {
    return this.#requests()
  }

  async close(): Promise<void> {
    // The connections belong to whoever made the client.
  }

  #checkParts() {
    return { session: this.#session, clock: this.#parts.clock, facts: this.#facts, url: this.#url }
  }

  #isOwnRead(event: AuditEvent): boolean {
    if (event.action !== OWN_READ) return false
    const own = this.#session.claims().identityId
    const metadata = actorMetadata(event.record())
    return own === undefined || [metadata['identityId'], metadata['userId']].includes(own)
  }
}

/** As wide as any release answers, from the newest end on. */
function widestSlices({ from, to }: TimeRange, order: Order): readonly TimeRange[] {
  const slices: TimeRange[] = []
  for (let end = to; end > from; end -= MAX_WINDOW_MS)
    slices.push({ from: Math.max(from, end - MAX_WINDOW_MS), to: end })
  return order === 'asc' ? slices.reverse() : slices
}

function retentionMsOf({ retentionDays }: Settings): number | undefined {
  return retentionDays === undefined ? undefined : retentionDays * DAY_MS
}
