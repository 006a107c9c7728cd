import * as z from 'zod'
import { httpUrl, secret, sourceCommon } from '../../config/fields.ts'
import { RemoteError } from '../../core/errors.ts'
import type { EventFilter } from '../../core/filter.ts'
import type {
  AuditSource,
  EventShape,
  OpenOptions,
  Order,
  RemoteExports,
  SourcePlan,
  SummaryBy,
  TrailKind,
} from '../../core/source.ts'
import { DAY_MS, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { defineSource, type SourceParts } from '../define-source.ts'
import type { TrailAsked } from '../filtered-trail.ts'
import { testSource, whoami } from './checks.ts'
import { openWindow } from './open-window.ts'
import { minutePace, QUERIES_A_MINUTE } from './pace.ts'
import { boundsOf, LIST_PATH, MAX_ROWS, PageReader } from './pages.ts'
import { Pushdown, planFilters } from './pushdown.ts'
import { remoteExports } from './remote-exports.ts'
import { type Credentials, Session } from './session.ts'
import { scaivaultShape } from './shape.ts'
import { readSummary } from './summary.ts'
import { readTrail, trailFromLog } from './trails.ts'

const AUTHORITY = 'https://scaikey.scailabs.ai'

const options = z
  .strictObject({
    ...sourceCommon,
    url: httpUrl(),
    token: secret().optional(),
    clientId: secret().optional(),
    clientSecret: secret().optional(),
    authUrl: httpUrl().optional(),
    tenant: z.string().min(1).optional(),
  })
  .refine(
    ({ token, clientId, clientSecret }) =>
      token === undefined
        ? clientId !== undefined && clientSecret !== undefined
        : clientId === undefined && clientSecret === undefined,
    { message: 'needs token, or clientId and clientSecret, and not both', path: ['token'] },
  )

/** ScaiVault's audit log, by its query API. @source https://www.scailabs.ai/en/docs/scaivault/reference/audit */
export const scaivault = defineSource({
  type: 'scaivault',
  title: 'ScaiVault',
  options,
  shape: scaivaultShape(),
  notes: [
    'reads the audit log of one tenant by its query API, with a token or client credentials',
    'at most 50 queries a minute, the service’s own limit (about 50,000 events); set rate (queries a second) where yours differs',
    'expired cursors are replaced from the last instant reached; nothing is assumed about order and bounds, which are undocumented',
    'trails of secrets and identities and summaries come from the server, or from the log where it has none',
    'remote-export runs jobs at the server that write to a bucket',
  ],
  create: (name, settings, parts) => new ScaivaultSource(name, settings, parts),
})

type Settings = z.output<typeof options>

class ScaivaultSource implements AuditSource {
  readonly name: string
  readonly shape: EventShape
  readonly traits: AuditSource['traits']
  readonly streamedSettings: AuditSource['streamedSettings']
  readonly remoteExports: RemoteExports
  readonly #parts: SourceParts
  readonly #session: Session
  readonly #url: string
  readonly #pageSize: number
  readonly #requests: () => number
  #tenant: string | undefined
  #hasAskedTenant = false

  constructor(name: string, settings: Settings, parts: SourceParts) {
    this.name = name
    this.#parts = parts
    this.#url = settings.url.replace(/\/+$/, '').replace(/\/v1$/, '')
    this.#tenant = settings.tenant
    this.#pageSize = Math.min(settings.pageSize ?? MAX_ROWS, MAX_ROWS)
    this.shape = scaivaultShape(() => this.#tenant)
    const shared = { service: 'ScaiVault', tls: settings.tls, allowInsecureHttp: settings.allowInsecureHttp }
    const http = parts.http.service({ ...shared, baseUrl: this.#url, rate: settings.rate })
    // What is tried again is one more query for the server.
    const pace = minutePace(parts.clock, QUERIES_A_MINUTE)
    const queries =
      settings.rate === undefined ? parts.http.service({ ...shared, baseUrl: this.#url, pace }) : http
    const authority = parts.http.service({ ...shared, baseUrl: settings.authUrl ?? AUTHORITY })
    const services = new Set([http, queries, authority])
    this.#requests = () => [...services].reduce((sum, service) => sum + service.requests(), 0)
    this.#session = new Session({
      http,
      queries,
      authority,
      clock: parts.clock,
      credentials: credentialsOf(settings),
      tenant: settings.tenant,
    })
    this.remoteExports = remoteExports({
      session: this.#session,
      clock: parts.clock,
      shape: this.shape,
      name,
    })
    this.traits = {
      allowedLatenessMs: MINUTE_MS,
      liveRetryMs: settings.liveRetry ?? 0,
      retentionMs: settings.retentionDays === undefined ? undefined : settings.retentionDays * DAY_MS,
    }
    this.streamedSettings = { store: 'postgres', retentionDays: settings.retentionDays }
  }

  async open(window: TimeRange, filter: EventFilter, openOptions: OpenOptions) {
    const reader = new PageReader(
      { session: this.#session, shape: this.shape, log: this.#parts.log },
      new Pushdown(planFilters(filter)),
    )
    const opened = await openWindow({ reader, window, pageSize: this.#pageSize }, openOptions)
    await this.#learnTenant(openOptions.signal)
    return opened
  }

  plan(window: TimeRange, filter: EventFilter, { order }: { readonly order: Order }): SourcePlan {
    const { pushed, local } = planFilters(filter)
    const query = new URLSearchParams({
      ...Object.fromEntries(pushed.map(({ param, value }) => [param, value])),
      ...boundsOf(window),
      limit: String(this.#pageSize),
    })
    return {
      requests: [
        `GET ${this.#url}${LIST_PATH}?${query}`,
        `then by cursor, ${order === 'asc' ? 'oldest' : 'newest'} first; where the server's order is the other, in pieces of about four pages`,
      ],
      pushedDown: pushed.map(({ filter: name, param, value }) => `${name} as ${param}=${value}`),
      local,
      estimatedPages: undefined,
    }
  }

  async identify(signal: AbortSignal) {
    const { identity, tenant, scopes } = await whoami(this.#session, signal)
    this.#tenant ??= tenant
    return {
      url: this.#url,
      organization: this.#tenant,
      identity,
      scope: scopes === undefined ? 'tenant' : `tenant (${scopes.join(' ')})`,
      generation: undefined,
    }
  }

  async test(signal: AbortSignal) {
    return testSource(
      { session: this.#session, clock: this.#parts.clock, url: this.#url, tenant: this.#tenant },
      signal,
    )
  }

  requests(): number {
    return this.#requests()
  }

  async trail(kind: TrailKind, id: string, asked: TrailAsked) {
    const given = await readTrail(
      { session: this.#session, shape: this.shape, log: this.#parts.log },
      kind,
      id,
      asked,
    )
    if (given !== undefined) await this.#learnTenant(asked.signal)
    return given ?? trailFromLog(this, kind, id, asked)
  }

  summary(window: TimeRange, by: SummaryBy, signal: AbortSignal) {
    return readSummary({ session: this.#session, log: this.#parts.log }, window, by, signal)
  }

  async close(): Promise<void> {
    // The connections belong to whoever made the client.
  }

  /** Entries do not name their tenant, and the common shape does: asked once, after the first entries have shown that the token is good. */
  async #learnTenant(signal: AbortSignal): Promise<void> {
    if (this.#tenant !== undefined || this.#hasAskedTenant) return
    this.#hasAskedTenant = true
    try {
      this.#tenant = (await whoami(this.#session, signal)).tenant
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof RemoteError)) throw error
      this.#parts.log.debug(`${error.message}; the tenant stays unknown`)
    }
  }
}

function credentialsOf({ token, clientId, clientSecret }: Settings): Credentials {
  if (token !== undefined) return { kind: 'token', token }
  if (clientId === undefined || clientSecret === undefined) throw new Error('the settings were not checked')
  return { kind: 'client', clientId, clientSecret }
}
