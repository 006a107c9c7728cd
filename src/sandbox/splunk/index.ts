import type { JsonObject } from '../../core/event.ts'
import { checkKinds } from '../faults.ts'
import { type Listener, listen, type Violation } from '../listen.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { ackBook } from './acks.ts'
import { adminHandler } from './admin.ts'
import { hecHandler } from './hec.ts'
import { managementHandler } from './management.ts'
import {
  ACK_TOKEN,
  DISABLED_TOKEN,
  ENTERPRISE,
  PLAIN_TOKEN,
  SEARCH_TOKEN,
  type SplunkProfile,
  TOKENS,
} from './profile.ts'
import { rowStore, type StoredRow, shown } from './store.ts'
import { splunkTrials } from './trials.ts'

const FAULT_KINDS = [
  'die',
  'reset-before',
  'busy',
  'throttle',
  'html-502',
  'html-200',
  'too-large',
  'status',
  'hec',
  'reset-after',
  'reset-mid',
  'error-after',
  'slow-down',
  'slow',
  'busy-number',
  'lose',
  'duplicate',
  'poison',
  'ack-never',
  'index-delay',
  'unhealthy',
  'ack-restart',
  'ack-elsewhere',
  'search-401',
  'search-503',
  'search-status',
  'search-html',
  'search-empty',
  'search-slow',
  'search-preview',
  'search-warn',
  'search-fatal',
  'search-cut',
  'search-reset',
  'hide',
]

/**
 * A strict Splunk on loopback: the HTTP Event Collector and the management port with its search. Faults of the service `splunk` are listed in
 * `hec-faults.ts` and `search-faults.ts`; `unhealthy=CODE`, `ack-restart` and `ack-elsewhere` besides.
 */
export async function startSplunk(
  options: SandboxOptions,
  profile: Partial<SplunkProfile> = {},
): Promise<SandboxService> {
  checkKinds(options.faults, 'splunk', FAULT_KINDS)
  const limits: SplunkProfile = { ...ENTERPRISE, ...profile }
  const store = rowStore()
  const violations: Violation[] = []
  const receivedIds: string[] = []
  const acks = ackBook(limits)
  const commit = (row: StoredRow) => {
    store.add(row)
    if (row.id !== undefined) receivedIds.push(row.id)
  }
  const shared = {
    profile: limits,
    faults: options.faults,
    now: options.now,
    violate: (request: number, rule: string, detail: string) => {
      violations.push({ request, rule, detail })
    },
  }
  const admin = adminHandler({
    faults: options.faults,
    kinds: FAULT_KINDS,
    violations,
    state: () => ({ rows: store.all.length, received: receivedIds.length }),
    reset: () => {
      store.clear()
      receivedIds.length = 0
      violations.length = 0
      acks.restart()
    },
  })
  let hec: Listener
  let revival: Promise<void> = Promise.resolve()
  const hecOptions = {
    admin,
    handle: hecHandler({
      ...shared,
      tokens: TOKENS,
      acks,
      commit,
      die: (ms) => {
        revival = revive(ms)
      },
    }),
  }
  const revive = async (ms: number) => {
    await hec.close()
    await new Promise((resolve) => setTimeout(resolve, ms))
    hec = await listen({ ...hecOptions, port: hec.port })
  }
  hec = await listen({ ...hecOptions, ...(options.port ? { port: options.port } : {}) })
  const management = await listen({
    admin,
    ...(options.port ? { port: options.port + 1 } : {}),
    handle: managementHandler({
      ...shared,
      tokens: [SEARCH_TOKEN],
      indexes: TOKENS[0]?.indexes ?? [],
      store,
    }),
  })
  const urls = { splunk: hec.url, splunkSearch: management.url }
  const stream = {
    provider: 'splunk',
    url: urls.splunk,
    token: PLAIN_TOKEN,
    index: 'audit',
    search: { url: urls.splunkSearch, token: SEARCH_TOKEN, index: 'audit' },
  }

  return {
    name: 'splunk',
    urls,
    config: { streams: { soc: stream } },
    violations,
    receivedIds: () => receivedIds,
    rows: () => store.all.map(shown),
    preload: (streamed) => {
      for (const event of streamed) preloadRow(event, options, commit)
    },
    trials: splunkTrials(stream, { ack: ACK_TOKEN, disabled: DISABLED_TOKEN }),
    close: async () => {
      await revival
      await Promise.all([hec.close(), management.close()])
    },
  }
}

/** Sources by the key that tells their events' times. */
const PRODUCTS = [
  ['infisical', 'createdAt'],
  ['scaivault', 'timestamp'],
  ['infrakitchen', 'created_at'],
  ['circleci', 'occurred_at'],
] as const

/** A row as Infisical's own stream leaves it: no host where SITE_URL is unset, no index but the token's. */
function preloadRow(event: JsonObject, options: SandboxOptions, commit: (row: StoredRow) => void): void {
  const [source, timeKey] = PRODUCTS.find(([, key]) => event[key] !== undefined) ?? PRODUCTS[0]
  const at = Date.parse(String(event[timeKey]))
  const { drop } = options
  if (drop !== undefined && at >= drop.from && at < drop.to) return
  const body = Buffer.from(JSON.stringify(event))
  commit({
    time: at / 1000,
    index: 'audit',
    host: undefined,
    source,
    sourcetype: '_json',
    fields: undefined,
    body,
    start: 0,
    end: body.length,
    id: typeof event['id'] === 'string' ? event['id'] : undefined,
    createdAt: typeof event['createdAt'] === 'string' ? event['createdAt'] : undefined,
    receivedAt: at,
    request: 0,
    position: 0,
    visibleAt: 0,
  })
}
