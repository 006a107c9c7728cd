import type { DeliveryBatch, Destination, Positions, Receipt } from '../../src/core/destination.ts'
import { type AuditEvent, type JsonObject, NamedEvent } from '../../src/core/event.ts'
import type { HttpClient } from '../../src/core/http.ts'
import type { Inventory } from '../../src/core/inventory.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import { isoTime } from '../../src/core/time-range.ts'
import type { DestinationDefinition } from '../../src/destinations/define-destination.ts'
import { DESTINATIONS } from '../../src/destinations/registry.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import { type FaultPlan, faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { FAKE_START, type FakeClock, fakeClock } from './fake-clock.ts'

/** Object stores are reached through the vendors' SDKs: `npm run test:real` installs them apart, and tries these alone. */
const OF_SDKS = ['s3', 'gcs', 'azure-blob']

/** The providers that this run of the contract suites can try. */
export function tried(names: readonly string[]): readonly string[] {
  const isReal = process.env['AUDITCTL_TEST_REAL'] === '1'
  return names.filter((name) => OF_SDKS.includes(name) === isReal)
}

/** One provider beside its strict sandbox, on one fake clock. */
export type Trial = {
  readonly provider: string
  readonly definition: DestinationDefinition
  readonly sandbox: SandboxService
  readonly faults: FaultPlan
  readonly clock: FakeClock
  readonly settings: JsonObject
  destination(settings?: JsonObject, timeoutMs?: number): Destination
  inventory(settings?: JsonObject): Promise<Inventory>
  held(): readonly string[]
  close(): Promise<void>
}

/** Inventories that any stream may name in place of its provider's search, and a receiver that has one. */
const RECEIVERS: Readonly<Record<string, string>> = { url: 'custom' }

/** @throws when the provider has no sandbox, or its sandbox no stream: a provider without both cannot keep its promises */
export async function startTrial(provider: string): Promise<Trial> {
  const receiver = RECEIVERS[provider] ?? provider
  const start = await SANDBOXES[receiver]?.()
  const definition = await DESTINATIONS[receiver]?.()
  if (start === undefined || definition === undefined) throw new Error(`${provider} has no sandbox`)
  const faults = faultPlan()
  const clock = fakeClock(FAKE_START)
  const sandbox = await start({ seed: 1, generation: '2026', recent: false, faults, now: () => clock.now() })
  const settings = Object.values(sandbox.config.streams ?? {})[0]
  if (settings === undefined) throw new Error(`the sandbox of ${provider} names no stream`)
  const clients: HttpClient[] = []
  const parts = (timeoutMs = 30_000) => {
    const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test', timeoutMs })
    clients.push(http)
    return { http, clock, log: SILENT, baseDir: '.', timeoutMs }
  }
  const parsed = (raw: JsonObject) => {
    const options = definition.options.parse(raw)
    bindSecrets(options, (reference) => reference)
    return options
  }
  return {
    provider,
    definition,
    sandbox,
    faults,
    clock,
    settings,
    destination: (raw = settings, timeoutMs) => definition.create('trial', parsed(raw), parts(timeoutMs)),
    async inventory(raw = settings) {
      const created = (await INVENTORIES[provider]?.())?.create('trial', parsed(raw), {
        ...parts(),
        sourceType: 'infisical',
      })
      if (created === undefined)
        throw new Error(`the stream of the sandbox of ${provider} cannot be searched`)
      return created
    },
    held: () => sandbox.receivedIds?.() ?? [],
    async close() {
      await Promise.all(clients.map((client) => client.close()))
      await sandbox.close()
    },
  }
}

const READER = {
  type: 'infisical',
  actor: () => undefined,
  action: () => 'get-secrets',
  target: () => undefined,
}

/** An event in the shape that Infisical streams. */
export function streamedEvent(number: number, atMs: number, more: JsonObject = {}): JsonObject {
  const createdAt = isoTime(atMs)
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    actor: 'user',
    orgId: '5d2f6c1e-93f0-4c47-8f0b-6f2f4a3c9d10',
    createdAt,
    eventType: 'get-secrets',
    expiresAt: isoTime(atMs + 90 * 86_400_000),
    ipAddress: '198.51.100.23',
    projectId: null,
    updatedAt: createdAt,
    userAgent: 'cli "ü" 🔑 \\',
    actorMetadata: { email: 'dana@example.test' },
    eventMetadata: { environment: 'prod', secretPath: '/' },
    userAgentType: 'cli',
    ...more,
  }
}

export type Sample = { readonly event: AuditEvent; readonly streamed: Uint8Array }

export function sample(streamed: JsonObject): Sample {
  const bytes = Buffer.from(JSON.stringify(streamed))
  const occurredAt = String(streamed['createdAt'])
  const id = String(streamed['id'])
  const event = new NamedEvent(READER, bytes, { id, occurredAt, occurredAtMs: Date.parse(occurredAt) })
  return { event, streamed: bytes }
}

/** Ascending, a second apart, ending five minutes before the trial's clock. */
export function samples(count: number, more: JsonObject = {}): Sample[] {
  const first = FAKE_START - 300_000 - count * 10
  return Array.from({ length: count }, (_, i) => sample(streamedEvent(i + 1, first + i * 10, more)))
}

export function batchOf(destination: Destination, events: readonly Sample[]): DeliveryBatch {
  return {
    encoded: events.map(({ event, streamed }) => destination.encode(streamed, event, { restamp: false })),
    ids: events.map(({ event }) => event.id),
    run: 'run-1',
  }
}

/** What became of each position; throws when one is named twice. Those named nowhere are unknown. */
export function fates(receipt: Receipt, count: number): string[] {
  const fates: (string | undefined)[] = new Array(count).fill(undefined)
  const put = (position: number, fate: string) => {
    if (position < 0 || position >= count)
      throw new RangeError(`${fate} names position ${position} of ${count}`)
    if (fates[position] !== undefined)
      throw new Error(`position ${position} is ${fates[position]} and ${fate}`)
    fates[position] = fate
  }
  const spread = (ranges: Positions | undefined, fate: string) => {
    for (const [from, to] of ranges ?? []) for (let i = from; i < to; i += 1) put(i, fate)
  }
  spread(receipt.accepted, 'accepted')
  spread(receipt.unverified, 'unverified')
  spread(receipt.retry, 'retry')
  spread(receipt.split, 'split')
  spread(receipt.unknown, 'unknown')
  for (const { position } of receipt.rejected ?? []) put(position, 'rejected')
  return fates.map((fate) => fate ?? 'unknown')
}

/** Runs a test beside a trial of its own, which is closed whatever comes of it. */
export function withTrialOf<Sandbox extends SandboxService = SandboxService>(provider: string) {
  return async (run: (trial: Trial, sandbox: Sandbox) => Promise<void>): Promise<void> => {
    const trial = await startTrial(provider)
    try {
      await run(trial, trial.sandbox as Sandbox)
    } finally {
      await trial.close()
    }
  }
}
