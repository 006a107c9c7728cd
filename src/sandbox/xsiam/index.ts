import type { JsonObject } from '../../core/event.ts'
import { checkKinds } from '../faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { type CollectorSettings, collector } from './collector.ts'
import { type ApiSettings, publicApi } from './public-api.ts'
import { type StoreSettings, shown, xsiamStore } from './store.ts'
import { xsiamTrials } from './trials.ts'

export type XsiamSandbox = SandboxService & {
  /** May be turned while it runs. */
  readonly settings: CollectorSettings & ApiSettings & StoreSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
}

const FAULT_KINDS = [
  'hang',
  'reset-before',
  'forbidden',
  'throttle',
  'status',
  'html-200',
  'other-door',
  'error-true',
  'drop',
  'slow',
  'error-after',
  'reset-after',
  'index-delay',
  'one-row',
  'xql-pending',
  'xql-slow',
  'xql-reset',
  'xql-503',
  'xql-500',
  'xql-html',
  'xql-busy',
  'xql-fail',
  'xql-partial',
  'xql-short',
  'xql-stream',
  'stream-cut',
  'stream-reset',
  'stream-plain',
]
const COLLECTOR_KEY = 'sandboxCollectorKey0123456789abcdef'
const API_KEY = 'sandboxApiKey0123456789abcdefABCDEF'

/**
 * A strict XSIAM: a custom HTTP Log Collector and the public API for XQL, behind one address as at a tenant.
 * Faults, service `xsiam`. Collector (`@N` counts its requests), nothing stored: `hang`, `reset-before`, `forbidden`, `throttle=SECONDS`, `status=CODE`,
 * `html-200`, `other-door` (400), `error-true` (200), `drop` (200 all the same). Stored: `slow=MS`, `error-after`, `reset-after`. Standing:
 * `index-delay=MS`, `one-row` (of a request's records only the first becomes one), `xql-pending`. API: `xql-slow=MS`, `xql-reset`, `xql-503`, `xql-500`, `xql-html`, `xql-busy` (four run already), `xql-fail`,
 * `xql-partial`, `xql-short=ROWS` (fewer inline than told), `xql-stream` (a stream for few rows too), `stream-cut=ROWS`, `stream-reset`,
 * `stream-plain` (no gzip though asked).
 */
export async function startXsiam(options: SandboxOptions): Promise<XsiamSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'xsiam', FAULT_KINDS)
  const settings: XsiamSandbox['settings'] = {
    key: COLLECTOR_KEY,
    format: 'json',
    gzip: false,
    enabled: true,
    arrayHandling: 'reject',
    requestsPerSecond: 400,
    keyId: '7',
    apiKey: API_KEY,
    keyType: 'standard',
    dataset: 'infisical_audit_logs_raw',
    licenseQuota: 5,
    usedQuota: 0,
    costPerQuery: 0.001,
    hasRawLog: true,
    maxRows: 1_000_000,
    timeField: undefined,
  }
  const violations: Violation[] = []
  const store = xsiamStore(settings, now)
  const collect = collector({ settings, store, faults, violations, now })
  const api = publicApi({ settings, store, faults, violations, now })
  let posts = 0
  let calls = 0
  const tenant = await listen({
    ...(options.port ? { port: options.port } : {}),
    admin: receiverAdmin({
      service: 'xsiam',
      faults,
      kinds: FAULT_KINDS,
      violations,
      settings,
      state: () => ({ rows: store.rows.length, received: store.arrivals.length, posts, calls }),
      reset: () => store.clear(),
    }),
    handle(exchange) {
      if (exchange.path.startsWith('/public_api/v1/')) {
        calls += 1
        return api(exchange, calls)
      }
      if (exchange.path !== '/logs/v1/event' || exchange.method !== 'POST') return exchange.reply(404, '')
      posts += 1
      return collect(exchange, posts)
    },
  })
  const stream = {
    provider: 'xsiam',
    url: `${tenant.url}/logs/v1/event`,
    token: COLLECTOR_KEY,
    search: { url: tenant.url, keyId: settings.keyId, key: API_KEY, dataset: settings.dataset },
  }
  return {
    name: 'xsiam',
    urls: { xsiam: tenant.url },
    config: { streams: { xsiam: stream } },
    violations,
    trials: xsiamTrials(stream),
    settings,
    receivedIds: () => store.arrivals,
    rows: () => store.rows.map(shown),
    preload: (streamed) => store.preload(streamed, options.drop),
    close: () => tenant.close(),
  }
}
