import type { JsonObject } from '../../core/event.ts'
import { checkKinds } from '../faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { intake } from './intake.ts'
import type { DroppedLog } from './row.ts'
import { searchApi, shown } from './search.ts'
import { DATADOG_DEFAULTS, type DatadogSettings, datadogStore } from './store.ts'
import { datadogTrials } from './trials.ts'

export type DatadogSandbox = SandboxService & {
  /** May be turned while it runs. */
  readonly settings: DatadogSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
  /** Answered with 202 and thrown away. */
  dropped(): readonly DroppedLog[]
}

const FAULT_KINDS = [
  'hang',
  'reset-before',
  'forbidden',
  'throttle',
  'throttle-bare',
  'unavailable',
  'timeout',
  'html-200',
  'status',
  'poison',
  'quota-drop',
  'slow',
  'error-after',
  'reset-after',
  'cut',
  'remap',
  'index-delay',
  'search-slow',
  'search-reset',
  'search-forbidden',
  'search-busy',
  'search-unavailable',
  'search-html',
  'search-timeout',
  'search-warnings',
  'search-repeat',
  'aggregate-timeout',
  'aggregate-warnings',
  'restricted',
]
const API_KEY = '0123456789abcdef0123456789abcdef'
const APP_KEY = 'sandbox-application-key-0123456789abcdef'

/**
 * A strict Datadog: Logs intake v2 on one port, the API host on another.
 * Faults, service `datadog`. Intake, nothing stored: `hang`, `reset-before`, `forbidden`, `throttle=SECONDS`, `throttle-bare`, `unavailable`, `timeout`,
 * `html-200`, `status=CODE`, `poison=TEXT` (400 while the body holds it), `quota-drop` (202 all the same). Stored: `slow=MS`, `error-after`,
 * `reset-after`, `cut`. Standing: `poison`, `remap`, `index-delay=MS`. API host: `search-slow=MS`, `search-reset`, `search-forbidden`,
 * `search-busy[=RESET]`, `search-unavailable`, `search-html`, `search-timeout`, `search-warnings`, `search-repeat`, `aggregate-timeout`,
 * `aggregate-warnings`, `restricted[=N]` (standing: every Nth row hidden).
 */
export async function startDatadog(options: SandboxOptions): Promise<DatadogSandbox> {
  checkKinds(options.faults, 'datadog', FAULT_KINDS)
  const settings: DatadogSettings = {
    apiKeys: new Set([API_KEY]),
    appKeys: new Set([APP_KEY]),
    ...DATADOG_DEFAULTS,
    tooManyStatus: 413,
    requireMessage: false,
    zstd: false,
    rateLimit: { limit: 12_000, periodSeconds: 3_600, headers: true },
    tier: 'indexes',
    liveTimestamp: options.generation === '2026',
  }
  const violations: Violation[] = []
  const store = datadogStore(settings, options.now, options.generation)
  const { faults, now } = options
  const admin = receiverAdmin({
    service: 'datadog',
    faults,
    kinds: FAULT_KINDS,
    violations,
    settings,
    state: () => ({
      rows: store.sorted().length,
      received: store.arrivals.length,
      truncated: store.truncated(),
      dropped: store.dropped,
    }),
    reset: () => store.clear(),
  })
  const receiver = await listen({
    ...(options.port ? { port: options.port } : {}),
    admin,
    handle: (exchange) => intake(exchange, { settings, store, faults, violations }),
  })
  const api = await listen({
    ...(options.port ? { port: options.port + 1 } : {}),
    admin,
    handle: searchApi({ settings, store, faults, now }),
  })
  const stream = {
    provider: 'datadog',
    apiKey: API_KEY,
    appKey: APP_KEY,
    intakeUrl: receiver.url,
    apiUrl: api.url,
  }
  return {
    name: 'datadog',
    urls: { datadog: receiver.url, datadogSearch: api.url },
    config: { streams: { dd: stream } },
    violations,
    trials: datadogTrials(stream),
    settings,
    receivedIds: () => store.arrivals,
    rows: () => store.sorted().map(shown),
    preload: (streamed) => store.preload(streamed, options.drop),
    dropped: () => store.dropped,
    async close() {
      await Promise.all([receiver.close(), api.close()])
    },
  }
}
