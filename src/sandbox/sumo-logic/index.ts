import type { JsonObject } from '../../core/event.ts'
import { isInside } from '../../core/time-range.ts'
import { idsOf, loggedLive } from '../event-log.ts'
import { checkKinds } from '../faults.ts'
import { HELD_IDS_FAULT_KINDS, heldIdsRoute } from '../held-ids-route.ts'
import { HTTP_FAULT_KINDS } from '../http-faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { dated, SUMO_DEFAULTS, type SumoRow, type SumoSettings, sumoSource } from './receive.ts'

export type SumoSandbox = SandboxService & {
  /** May be turned while it runs. */
  readonly settings: SumoSettings
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
  /** Ids of messages that stand under another time than their own. */
  rewritten(): readonly string[]
}

const FAULT_KINDS = [...HTTP_FAULT_KINDS, ...HELD_IDS_FAULT_KINDS, 'index-delay']
const CODE = 'ZaVnC4dhaV0sandboxAddressSecret0123456789=='
const TOKEN = 'sandbox-sumo-token-0123456789abcdef'

/**
 * A strict Sumo Logic HTTP source, and on a second port the ids it holds, as a script over its search would tell them.
 * Faults, service `sumo-logic`: those of `httpFaults` and `heldIdsRoute`; standing: `index-delay=MS`.
 */
export async function startSumoLogic(options: SandboxOptions): Promise<SumoSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'sumo-logic', FAULT_KINDS)
  const settings: SumoSettings = { ...SUMO_DEFAULTS, code: CODE, token: TOKEN }
  const violations: Violation[] = []
  const log: SumoRow[] = []
  const admin = receiverAdmin({
    service: 'sumo-logic',
    faults,
    kinds: FAULT_KINDS,
    violations,
    settings,
    state: () => ({ rows: log.length, received: idsOf(log).length, rewritten: rewritten().length }),
    reset: () => {
      log.length = 0
    },
  })
  const rewritten = () => idsOf(log.filter(({ isRewritten }) => isRewritten))
  const source = await listen({
    ...(options.port ? { port: options.port } : {}),
    handle: sumoSource({ settings, faults, violations, log, now }),
    admin,
  })
  const authorization = `Bearer ${TOKEN}`
  const search = await listen({
    ...(options.port ? { port: options.port + 1 } : {}),
    handle: heldIdsRoute({ service: 'sumo-logic', faults, log, now, authorization, pageRows: 500 }),
    admin,
  })
  const stream = {
    provider: 'sumo-logic',
    url: `${source.url}/receiver/v1/http/${CODE}`,
    token: TOKEN,
    inventory: {
      url: `${search.url}/ids?from={from}&to={to}`,
      headers: { Authorization: authorization },
      items: '/items',
    },
  }
  return {
    name: 'sumo-logic',
    urls: { sumoLogic: source.url, sumoLogicIds: search.url },
    config: { streams: { sumo: stream } },
    violations,
    settings,
    trials: {
      receiver: {
        secrets: [TOKEN, CODE],
        refused: { ...stream, token: 'refused-sumo-token-0123456789abcdef' },
        misconfigured: { ...stream, url: `${source.url}/receiver/v2/${CODE}` },
        variants: [{ title: 'gzip', settings: { ...stream, compress: 'gzip' } }],
        faults: {
          throttled: 'sumo-logic:throttle=2',
          resetBefore: 'sumo-logic:reset-before',
          resetAfter: 'sumo-logic:reset-after',
          errorAfter: 'sumo-logic:error-after',
          proxyPage: 'sumo-logic:html-200',
          slow: 'sumo-logic:slow=30000',
        },
        status: (code) => `sumo-logic:status=${code}`,
      },
    },
    receivedIds: () => idsOf(log),
    rows: () =>
      log.map(({ event, messageTime, arrivedAt }) => ({
        _messagetime: messageTime,
        _receipttime: arrivedAt,
        ...event,
      })),
    rewritten,
    preload(streamed) {
      for (const event of streamed) {
        const row = loggedLive(event, now())
        if (options.drop !== undefined && isInside(row.atMs, options.drop)) continue
        log.push(dated(row, settings, undefined))
      }
    },
    async close() {
      await Promise.all([source.close(), search.close()])
    },
  }
}
