import type { JsonObject } from '../../core/event.ts'
import { isInside } from '../../core/time-range.ts'
import { idsOf, type LoggedEvent, loggedLive } from '../event-log.ts'
import { checkKinds } from '../faults.ts'
import { HELD_IDS_FAULT_KINDS, heldIdsRoute } from '../held-ids-route.ts'
import { HTTP_FAULT_KINDS, resetEarly } from '../http-faults.ts'
import { listen, type Violation } from '../listen.ts'
import { receiverAdmin } from '../receiver-admin.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { receiver } from './receive.ts'
import { selfSigned } from './self-signed.ts'
import { customTrials } from './trials.ts'

export type CustomSandbox = SandboxService & {
  receivedIds(): readonly string[]
  rows(): readonly JsonObject[]
  preload(streamed: Iterable<JsonObject>): void
  /** As they arrived, with request and time. */
  log(): readonly LoggedEvent[]
  /** PEM, with `wrong-name`: its own authority. */
  readonly certificate: string | undefined
}

const FAULT_KINDS = [
  ...HTTP_FAULT_KINDS,
  ...HELD_IDS_FAULT_KINDS,
  'reset-early',
  'error-body',
  'index-delay',
  'wrong-name',
]
const AUTHORIZATION = 'Bearer sandbox-hook-credential-0123456789'
const SIGNING_KEY = Buffer.from('sandbox signing key of 32 bytes!').toString('base64')

/**
 * A strict receiver of the product's custom stream: `/in` (arrays), `/ndjson`, `/single`, `/signed`, and `/_inventory` with the ids it holds.
 * Faults, service `custom`: those of `httpFaults` and `heldIdsRoute`; `reset-early`, `error-body` (200, but all events but the last refused inside it);
 * standing: `index-delay=MS`, and from the start on `wrong-name` (HTTPS, with the certificate of another name).
 */
export async function startCustom(options: SandboxOptions): Promise<CustomSandbox> {
  const { faults, now } = options
  checkKinds(faults, 'custom', FAULT_KINDS)
  const violations: Violation[] = []
  const log: LoggedEvent[] = []
  const settings = { pageRows: 500 }
  let requests = 0
  const receive = receiver({
    authorization: AUTHORIZATION,
    signingKey: SIGNING_KEY,
    faults,
    violations,
    log,
    now,
    count: () => {
      requests += 1
      return requests
    },
  })
  const inventory = heldIdsRoute({
    service: 'custom',
    faults,
    log,
    now,
    authorization: AUTHORIZATION,
    get pageRows() {
      return settings.pageRows
    },
  })
  const isMisnamed = faults.standing('custom', 'wrong-name', 1) !== undefined
  const tls = isMisnamed ? selfSigned('elsewhere.example.test', Date.now()) : undefined
  const server = await listen({
    tls,
    ...(options.port ? { port: options.port } : {}),
    early: (request) => resetEarly(faults, 'custom', request, requests + 1),
    handle: (exchange) => (exchange.path.startsWith('/_inventory') ? inventory(exchange) : receive(exchange)),
    admin: receiverAdmin({
      service: 'custom',
      faults,
      kinds: FAULT_KINDS,
      violations,
      settings,
      state: () => ({ rows: log.length, received: idsOf(log).length, requests }),
      reset: () => {
        log.length = 0
      },
    }),
  })
  const headers = { Authorization: AUTHORIZATION }
  const stream = {
    provider: 'custom',
    url: `${server.url}/in`,
    headers,
    inventory: {
      url: `${server.url}/_inventory?from={from}&to={to}`,
      headers,
      items: '/items',
      id: '/id',
      next: '/next',
    },
  }
  return {
    name: 'custom',
    urls: { custom: server.url },
    config: { streams: { hook: stream } },
    violations,
    trials: customTrials(stream, server.url, {
      authorization: AUTHORIZATION,
      signingSecret: `whsec_${SIGNING_KEY}`,
    }),
    receivedIds: () => idsOf(log),
    rows: () => log.map(({ event }) => event),
    log: () => log,
    certificate: tls?.cert,
    preload(streamed) {
      for (const event of streamed) {
        const row = loggedLive(event, now())
        if (options.drop === undefined || !isInside(row.atMs, options.drop)) log.push(row)
      }
    },
    close: () => server.close(),
  }
}
