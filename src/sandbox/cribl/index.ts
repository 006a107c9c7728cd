import type { JsonObject } from '../../core/event.ts'
import { isInside } from '../../core/time-range.ts'
import { idsOf, type LoggedEvent, loggedLive } from '../event-log.ts'
import { checkKinds } from '../faults.ts'
import { HELD_IDS_FAULT_KINDS, heldIdsRoute } from '../held-ids-route.ts'
import { HTTP_FAULT_KINDS, resetEarly } from '../http-faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { CRIBL_DEFAULTS, type CriblSettings, criblSource } from './receive.ts'

export type CriblSandbox = SandboxService & {
  /** May be turned while it runs. */
  readonly settings: CriblSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
}

const FAULT_KINDS = [...HTTP_FAULT_KINDS, ...HELD_IDS_FAULT_KINDS, 'busy', 'reset-early', 'index-delay']
const TOKEN = 'sandbox-cribl-token-0123456789abcdef'

/**
 * A strict Cribl HTTP/S source, and on a second port the store behind it, which tells the ids it holds.
 * Faults, service `cribl`: those of `httpFaults` and `heldIdsRoute`; `busy` (its own 503: nothing stored), `reset-early`; standing:
 * `index-delay=MS` (of the store).
 */
export async function startCribl(options: SandboxOptions): Promise<CriblSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'cribl', FAULT_KINDS)
  const settings: CriblSettings = { ...CRIBL_DEFAULTS, tokens: [TOKEN] }
  const violations: Violation[] = []
  const log: LoggedEvent[] = []
  const admin = receiverAdmin({
    service: 'cribl',
    faults,
    kinds: FAULT_KINDS,
    violations,
    settings,
    state: () => ({ rows: log.length, received: idsOf(log).length }),
    reset: () => {
      log.length = 0
    },
  })
  let posts = 0
  const source = await listen({
    ...(options.port ? { port: options.port } : {}),
    early: (request) => {
      posts += 1
      return resetEarly(faults, 'cribl', request, posts)
    },
    handle: criblSource({ settings, faults, violations, log, now }),
    admin,
  })
  const authorization = `Bearer ${TOKEN}`
  const store = await listen({
    ...(options.port ? { port: options.port + 1 } : {}),
    handle: heldIdsRoute({ service: 'cribl', faults, log, now, authorization, pageRows: 500 }),
    admin,
  })
  const stream = {
    provider: 'cribl',
    url: `${source.url}${settings.base}/_bulk`,
    token: TOKEN,
    inventory: {
      url: `${store.url}/ids?from={from}&to={to}`,
      headers: { Authorization: authorization },
      items: '/items',
    },
  }
  return {
    name: 'cribl',
    urls: { cribl: source.url, criblStore: store.url },
    config: { streams: { cribl: stream } },
    violations,
    settings,
    trials: {
      receiver: {
        secrets: [TOKEN],
        refused: { ...stream, token: 'refused-cribl-token-0123456789abcdef' },
        misconfigured: { ...stream, url: `${source.url}/elsewhere/_bulk` },
        variants: [
          { title: 'bare token', settings: { ...stream, authScheme: 'raw' } },
          { title: 'gzip', settings: { ...stream, compress: 'gzip' } },
          { title: 'without a time', settings: { ...stream, eventTime: false } },
        ],
        faults: {
          throttled: 'cribl:throttle=2',
          resetBefore: 'cribl:reset-before',
          resetAfter: 'cribl:reset-after',
          errorAfter: 'cribl:error-after',
          proxyPage: 'cribl:html-200',
          slow: 'cribl:slow=30000',
        },
        status: (code) => `cribl:status=${code}`,
        poison: (id) => `cribl:poison=${id}`,
      },
    },
    receivedIds: () => idsOf(log),
    rows: () => log.map(({ event }) => event),
    preload(streamed) {
      for (const event of streamed) {
        const row = loggedLive(event, now())
        if (options.drop !== undefined && isInside(row.atMs, options.drop)) continue
        // The live stream sends no time, so Cribl stamps the arrival.
        log.push({ ...row, event: { ...event, _time: row.arrivedAt / 1000 } })
      }
    },
    async close() {
      await Promise.all([source.close(), store.close()])
    },
  }
}
