import * as z from 'zod'
import { httpUrl, secret, sourceCommon } from '../../config/fields.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { EventFilter } from '../../core/filter.ts'
import type {
  AuditSource,
  EventShape,
  OpenOptions,
  Order,
  SortedEvents,
  SourcePlan,
  Trail,
  TrailKind,
} from '../../core/source.ts'
import { DAY_MS, isInside, MINUTE_MS, type TimeRange } from '../../core/time-range.ts'
import { defineSource, type SourceParts } from '../define-source.ts'
import { filteredTrail, type TrailAsked } from '../filtered-trail.ts'
import { Api } from './api.ts'
import { newestEntry, testSource } from './checks.ts'
import { openWindow } from './open-window.ts'
import { planFilters } from './pushdown.ts'
import { actionOf, isUuid, userIdOf } from './read-record.ts'
import { Session } from './session.ts'
import { infrakitchenShape } from './shape.ts'
import { Times } from './times.ts'
import { joined, traceTrail } from './trace.ts'

/** The server has no bound of its own; its user interface asks for as many. */
const PAGE_ROWS = 1000
/** More rows are not sorted in one answer. */
const MOST_SORTED = 5000
const SORT_FIELDS = ['id', 'created_at', 'action', 'model', 'entity_id', 'user_id', 'revision_number']

const options = z.strictObject({
  ...sourceCommon,
  url: httpUrl(),
  auth: z.discriminatedUnion('method', [
    z.strictObject({
      method: z.literal('service-account'),
      identifier: z.string().min(1),
      password: secret(),
    }),
    z.strictObject({ method: z.literal('token'), token: secret() }),
    z.strictObject({ method: z.literal('guest'), scope: z.enum(['default', 'infra', 'super']).optional() }),
  ]),
  api: z.enum(['auto', 'rest', 'graphql']).optional(),
  timezone: z
    .string()
    .refine(isZone, { message: 'is not a time zone; write it like Europe/Berlin or UTC' })
    .optional(),
})

/** InfraKitchen's audit log, by REST up to 0.3 and GraphQL from 0.4. @source server/src/core/audit_logs of electrolux-oss/infrakitchen */
export const infrakitchen = defineSource({
  type: 'infrakitchen',
  title: 'InfraKitchen',
  options,
  shape: infrakitchenShape(),
  notes: [
    'reads the audit log by REST (releases up to 0.3) or GraphQL (0.4 and later), found out by itself; one shape for both',
    'with a service account, a token (personal ones from 0.5 on) or as a guest, whose log-in is itself an entry',
    'no release can filter by time: the window is found by binary search and stays right while entries arrive or vanish',
    'trail trace ID joins an entry with its execution log; entries tell no outcome, address or user agent',
    'query --sort is done by the server where the window is all it holds',
  ],
  create: (name, settings, parts) => new InfrakitchenSource(name, settings, parts),
})

type Settings = z.output<typeof options>

class InfrakitchenSource implements AuditSource {
  readonly name: string
  readonly shape: EventShape
  readonly traits: AuditSource['traits']
  readonly streamedSettings: AuditSource['streamedSettings']
  readonly #settings: Settings
  readonly #parts: SourceParts
  readonly #session: Session
  readonly #api: Api
  readonly #times: Times
  readonly #url: string
  readonly #pageSize: number
  readonly #requests: () => number

  constructor(name: string, settings: Settings, parts: SourceParts) {
    this.name = name
    this.#settings = settings
    this.#parts = parts
    this.#url = settings.url.replace(/\/+$/, '').replace(/\/api$/, '')
    this.#pageSize = Math.max(2, settings.pageSize ?? PAGE_ROWS)
    this.#times = new Times(settings.timezone)
    this.shape = infrakitchenShape(this.#times, () => new URL(this.#url).host)
    const http = parts.http.service({
      service: 'InfraKitchen',
      baseUrl: this.#url,
      tls: settings.tls,
      allowInsecureHttp: settings.allowInsecureHttp,
      rate: settings.rate,
    })
    this.#requests = () => http.requests()
    this.#session = new Session(http, settings.auth)
    const { clock, log } = parts
    const page = { shape: this.shape, times: this.#times }
    const configured = settings.api === undefined || settings.api === 'auto' ? undefined : settings.api
    this.#api = new Api({ session: this.#session, page, clock, log }, configured)
    this.traits = {
      // An entry bears the time at which its transaction began, and is seen when that ends.
      allowedLatenessMs: MINUTE_MS,
      liveRetryMs: settings.liveRetry ?? 0,
      retentionMs: settings.retentionDays === undefined ? undefined : settings.retentionDays * DAY_MS,
      isOwnRead: (event) => this.#isOwnLogin(event),
    }
    this.streamedSettings = { store: 'postgres', retentionDays: settings.retentionDays }
  }

  open(window: TimeRange, filter: EventFilter, openOptions: OpenOptions) {
    const { clock } = this.#parts
    const plan = planFilters(filter)
    return openWindow(
      { api: this.#api, plan, window, pageSize: this.#pageSize, now: clock.now() },
      openOptions,
    )
  }

  plan(_window: TimeRange, filter: EventFilter, { order }: { readonly order: Order }): SourcePlan {
    const { filter: asked, pushed, local } = planFilters(filter)
    const query = `filter=${JSON.stringify(asked)}&sort=["created_at","ASC"]`
    return {
      requests: [
        `the newest entry, then about log2(all matching entries) single ones to find the ${order === 'asc' ? 'start' : 'end'} of the window`,
        `GET ${this.#url}/api/audit_logs?${query}&range=[n,n+${this.#pageSize}], or the same by POST ${this.#url}/api/graphql`,
      ],
      pushedDown: pushed,
      local: ['the window: no release can filter by time', ...local],
      estimatedPages: undefined,
    }
  }

  async identify(signal: AbortSignal) {
    await newestEntry(this.#api, signal)
    const { auth } = this.#settings
    return {
      url: this.#url,
      organization: new URL(this.#url).host,
      identity:
        auth.method === 'service-account' ? auth.identifier : (this.#session.claim('sub') ?? auth.method),
      scope: 'installation',
      generation: this.#api.generation,
    }
  }

  test(signal: AbortSignal) {
    return testSource(
      {
        session: this.#session,
        api: this.#api,
        clock: this.#parts.clock,
        url: this.#url,
        timezone: this.#settings.timezone,
      },
      signal,
    )
  }

  requests(): number {
    return this.#requests()
  }

  /** Of an entity, a user or an entry the log is the trail, asked for by id; a trace has the execution log besides. */
  async trail(kind: TrailKind, id: string, asked: TrailAsked): Promise<Trail | undefined> {
    const { fields } = asked.filter
    if (kind === 'trace') return traceTrail(this.#api, this.#times, id, asked.signal)
    if (kind === 'identity') {
      // What it did and what was done to it: the server takes conditions only together, so that it is asked twice.
      return isUuid(id) && fields.actor === undefined && fields.entity === undefined
        ? joined(
            await filteredTrail(this, 'actor', id, asked),
            await filteredTrail(this, 'entity', id, asked),
          )
        : undefined
    }
    const field = kind === 'request' ? 'request-id' : 'entity'
    return fields[field] === undefined ? filteredTrail(this, field, id, asked) : undefined
  }

  async sorted(
    window: TimeRange,
    filter: EventFilter,
    asked: {
      readonly field: string
      readonly order: Order
      readonly limit: number
      readonly signal: AbortSignal
    },
  ): Promise<SortedEvents | undefined> {
    const { field, order, limit, signal } = asked
    const { filter: pushed, local } = planFilters(filter)
    if (!SORT_FIELDS.includes(field) || local.length > 0 || limit > MOST_SORTED || limit < 1) return undefined
    // The server sorts all it holds: that is the window only where the window holds all.
    for (const direction of ['ASC', 'DESC'] as const) {
      const edge = { filter: pushed, start: 0, end: 1, isProbe: true, signal }
      const [event] = (await this.#api.page({ ...edge, sort: ['created_at', direction] })).events
      if (event !== undefined && !isInside(event.occurredAtMs, window)) return undefined
    }
    // One answer: under a single column most rows are tied, and pages would repeat some and lose others.
    const { events } = await this.#api.page({
      filter: pushed,
      sort: [field, order === 'asc' ? 'ASC' : 'DESC'],
      start: 0,
      end: limit + 1,
      signal,
    })
    return { events: events.slice(0, limit), hasMore: events.length > limit }
  }

  async close(): Promise<void> {
    // The connections belong to whoever made the client.
  }

  #isOwnLogin(event: AuditEvent): boolean {
    if (this.#settings.auth.method !== 'guest' || event.action !== 'login') return false
    const own = this.#session.claim('sub')
    return own !== undefined && userIdOf(event.record()) === own && actionOf(event.record()) === 'login'
  }
}

function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: text })
    return true
  } catch {
    return false
  }
}
