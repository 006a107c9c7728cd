import type { JsonObject } from '../../core/event.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { checkKinds } from '../faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { type IngestSettings, ingest } from './ingest.ts'
import { type SqlSettings, sqlApi } from './sql-api.ts'
import { betterStackStore, type DroppedEvent, type StoreSettings, shown } from './store.ts'
import { betterStackTrials } from './trials.ts'

export type BetterStackSandbox = SandboxService & {
  /** May be turned while it runs. */
  readonly settings: IngestSettings & SqlSettings & StoreSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
  /** Answered with 202 and thrown away. */
  dropped(): readonly DroppedEvent[]
}

const FAULT_KINDS = [
  'hang',
  'reset-before',
  'forbidden',
  'throttle',
  'status',
  'html-200',
  'drop',
  'slow',
  'error-after',
  'reset-after',
  'quota',
  'poison',
  'index-delay',
  'hot-gone',
  'archive-gone',
  'sql-slow',
  'sql-reset',
  'sql-503',
  'sql-html',
  'sql-memory',
  'sql-timeout',
  'sql-busy',
  'sql-empty',
  'sql-exception',
  'sql-cut',
  'sql-cut-mid',
  'sql-repeat',
]
const TOKEN = 'sandboxSourceToken0123456'
const PASSWORD = 'sandbox-sql-password-0123456789'

/**
 * A strict Better Stack: the HTTP source on one port, the SQL API over hot and archive store on another.
 * Faults, service `better-stack`. Source, nothing stored: `hang`, `reset-before`, `forbidden`, `throttle=SECONDS`, `status=CODE`, `html-200`, `drop`
 * (202 all the same). Stored: `slow=MS`, `error-after`, `reset-after`. Standing: `quota` (402), `poison=TEXT` (406 while the body holds it),
 * `index-delay=MS`, `hot-gone` (Code 701), `archive-gone` (Code 669). SQL: `sql-slow=MS`, `sql-reset`, `sql-503`, `sql-html`, `sql-memory`,
 * `sql-timeout`, `sql-busy`, `sql-empty`; pages of ids: `sql-exception=ROWS` (after that many rows of a 200), `sql-cut=ROWS`, `sql-cut-mid`,
 * `sql-repeat`.
 */
export async function startBetterStack(options: SandboxOptions): Promise<BetterStackSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'better-stack', FAULT_KINDS)
  const settings: BetterStackSandbox['settings'] = {
    tokens: new Set([TOKEN]),
    maxCompressedBytes: 10_485_760,
    maxEvents: 100_000,
    username: 'usandbox0123',
    password: PASSWORD,
    table: 't123456_infisical',
    hotMs: 40 * MINUTE_MS,
    moveAfterMs: 30 * MINUTE_MS,
    maxPastMs: undefined,
  }
  const violations: Violation[] = []
  const store = betterStackStore(settings, now)
  const admin = receiverAdmin({
    service: 'better-stack',
    faults,
    kinds: FAULT_KINDS,
    violations,
    settings,
    state: () => ({ rows: store.all().length, received: store.arrivals.length, dropped: store.dropped }),
    reset: () => store.clear(),
  })
  const source = await listen({
    ...(options.port ? { port: options.port } : {}),
    admin,
    handle: ingest({ settings, store, faults, violations }),
  })
  const sql = await listen({
    ...(options.port ? { port: options.port + 1 } : {}),
    admin,
    handle: sqlApi({ settings, store, faults, violations }),
  })
  const stream = {
    provider: 'better-stack',
    url: source.url,
    token: TOKEN,
    search: { url: sql.url, username: settings.username, password: PASSWORD, table: settings.table },
  }
  return {
    name: 'better-stack',
    urls: { betterStack: source.url, betterStackSearch: sql.url },
    config: { streams: { bs: stream } },
    violations,
    trials: betterStackTrials(stream),
    settings,
    receivedIds: () => store.arrivals,
    rows: () => store.all().map(shown),
    preload: (streamed) => store.preload(streamed, options.drop),
    dropped: () => store.dropped,
    async close() {
      await Promise.all([source.close(), sql.close()])
    },
  }
}
