import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../src/core/event.ts'
import { type EventFilter, parseWhere } from '../../src/core/filter.ts'
import type { Log } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import type { AuditSource } from '../../src/core/source.ts'
import type { TimeRange } from '../../src/core/time-range.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { type FaultPlan, faultPlan } from '../../src/sandbox/faults.ts'
import { startInfisical } from '../../src/sandbox/infisical/index.ts'
import type { Violation } from '../../src/sandbox/listen.ts'
import type { SourceDefinition } from '../../src/sources/define-source.ts'
import { SOURCES } from '../../src/sources/registry.ts'
import type { OpenStore } from '../../src/storage/objects/open-store.ts'
import { CIRCLECI } from './circleci-kind.ts'
import { type FakeClock, fakeClock } from './fake-clock.ts'
import { NOW, RECORDED } from './infisical-source.ts'
import { INFRAKITCHEN, SCAIVAULT } from './sandbox-kinds.ts'

/** One source beside what it reads, with the truth about it. */
export type SourceTrial = {
  readonly definition: SourceDefinition
  readonly source: AuditSource
  readonly window: TimeRange
  /** The native events of the window, oldest first, the added lines among them. */
  readonly truth: readonly JsonObject[]
  readonly clock: FakeClock
  /** What must appear nowhere. */
  readonly secrets: readonly string[]
  /** Every log line so far. */
  readonly logged: readonly string[]
  /** Of sources that ask a server. */
  readonly remote?: { readonly faults: FaultPlan; readonly violations: readonly Violation[] }
  close(): Promise<void>
}

export type TrialOptions = {
  /** Events as JSON text, kept to the byte, besides the recorded ones. */
  readonly lines?: readonly string[]
  /** Of the server, without the service's name. */
  readonly faults?: readonly string[]
  readonly settings?: JsonObject
}

type Place = {
  readonly settings: JsonObject
  readonly truth: readonly JsonObject[]
  readonly secrets: readonly string[]
  /** Of sources that read a bucket. */
  readonly openStore?: OpenStore
  readonly remote?: { readonly faults: FaultPlan; readonly violations: readonly Violation[] }
  close(): Promise<void>
}

/** How a source comes by something to read, and what can be asked of it. */
export type Kind = {
  place(options: TrialOptions, clock: FakeClock): Promise<Place>
  /** An event with an unknown field, a number beyond doubles and more digits of its time than a clock has; its time and its action. */
  readonly odd: { readonly line: string; readonly id: string; readonly time: string; readonly action: string }
  /** Filters that this source understands, some of them applied by its server and some not. */
  readonly filters: readonly Partial<EventFilter>[]
  /** Of sources that ask a server: settings with credentials that it refuses, and a secret among them. */
  readonly wrong?: { readonly settings: JsonObject; readonly secret: string }
}

const INFISICAL: Kind = {
  place: infisicalPlace,
  odd: {
    line:
      '{"newField":{"deep":[1.0,1e400]},"id":"00000000-0000-4000-8000-00000000c0de","createdAt":"2026-11-20T12:40:00.000123456Z",' +
      '"orgId":null,"big":12345678901234567890,"event":{"type":"odd","metadata":{"text":"\\u00e9\\/","n":1.50}},' +
      '"actor":{"type":"user","metadata":{}}}',
    id: '00000000-0000-4000-8000-00000000c0de',
    time: '2026-11-20T12:40:00.000123456Z',
    action: 'odd',
  },
  filters: [
    { events: ['get-secret', 'create-folder'] },
    { events: ['no-such-type'] },
    { events: ['add-workspace-member'] },
    { fields: { path: '/', environment: 'prod' } },
    { fields: { 'actor-type': 'user' } },
    { where: [parseWhere('event.metadata.environment=dev')] },
    { events: ['get-secrets'], fields: { environment: 'prod' } },
  ],
  wrong: {
    settings: {
      auth: {
        method: 'universal-auth',
        clientId: '00000000-0000-4000-8000-000000000000',
        clientSecret: 'wrong-secret-0123456789',
      },
    },
    secret: 'wrong-secret-0123456789',
  },
}

/** A source without a line here has not shown that it keeps the contract. */
export const KINDS: Readonly<Record<string, Kind>> = {
  infisical: INFISICAL,
  scaivault: SCAIVAULT,
  infrakitchen: INFRAKITCHEN,
  circleci: CIRCLECI,
  file: { place: filePlace, odd: INFISICAL.odd, filters: INFISICAL.filters },
}

export async function startSourceTrial(type: string, options: TrialOptions = {}): Promise<SourceTrial> {
  const definition = await SOURCES[type]?.()
  const kind = KINDS[type]
  if (definition === undefined || kind === undefined) throw new Error(`there is nothing for ${type} to read`)
  const clock = fakeClock(NOW)
  const { settings, close, openStore, ...rest } = await kind.place(options, clock)
  const logged: string[] = []
  const note = (message: string, fields?: unknown) => void logged.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: note, info: note, warn: note }
  const http = createHttpClient({ clock, log, env: {}, version: 'test' })
  const folders: string[] = []
  const parsed = definition.options.parse({ ...settings, ...options.settings })
  bindSecrets(parsed, (reference) => reference)
  const source = await definition.create('trial', parsed, {
    http,
    clock,
    log,
    async scratch() {
      const folder = await mkdtemp(join(tmpdir(), 'auditctl-scratch-'))
      folders.push(folder)
      return folder
    },
    stdin: (async function* () {})(),
    baseDir: '/',
    shape: () => Promise.resolve(definition.shape),
    strict: false,
    ...(openStore === undefined ? {} : { openStore }),
  })
  return {
    ...rest,
    definition,
    source,
    clock,
    logged,
    window: RECORDED,
    async close() {
      await source.close()
      await http.close()
      await close()
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Tests of one source, each on a trial of its own; no rule of a server's wire may be broken, and no secret shown. */
export function promisesOf(type: string) {
  return (sentence: string, options: TrialOptions, keep: (trial: SourceTrial) => Promise<void>) =>
    test(`${type} ${sentence}`, async () => {
      const trial = await startSourceTrial(type, options)
      try {
        await keep(trial)
        if (trial.remote !== undefined) assert.deepEqual(trial.remote.violations, [])
        const said = trial.logged.join('\n')
        for (const secret of trial.secrets) assert.ok(!said.includes(secret), 'a secret in the log')
      } finally {
        await trial.close()
      }
    })
}

async function infisicalPlace(options: TrialOptions, clock: FakeClock): Promise<Place> {
  const faults = faultPlan((options.faults ?? []).map((fault) => `infisical:${fault}`))
  const server = await startInfisical({
    events: undefined,
    seed: 5,
    generation: '2026',
    recent: false,
    faults,
    now: clock.now,
  })
  const settings = server.config.sources?.['infisical'] ?? {}
  if (options.lines !== undefined) {
    await fetch(`${server.urls['infisical']}/__emulator/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: options.lines.join('\n'),
    })
  }
  const auth = settings['auth'] as { readonly clientSecret: string }
  return {
    settings,
    truth: [...(server.events?.() ?? [])],
    secrets: [auth.clientSecret],
    remote: { faults, violations: server.violations },
    close: () => server.close(),
  }
}

async function filePlace(options: TrialOptions, clock: FakeClock): Promise<Place> {
  const server = await infisicalPlace({ ...options, faults: [] }, clock)
  await server.close()
  const folder = await mkdtemp(join(tmpdir(), 'auditctl-contract-'))
  const added = options.lines ?? []
  const recorded = server.truth.filter((event) => !added.some((line) => JSON.parse(line).id === event['id']))
  const lines = [...recorded.map((event) => JSON.stringify(event)), ...added]
  await writeFile(join(folder, 'events.jsonl'), `${lines.join('\n')}\n`)
  return {
    settings: { type: 'file', path: join(folder, 'events.jsonl'), of: 'infisical' },
    truth: server.truth,
    secrets: [],
    close: () => rm(folder, { recursive: true, force: true }),
  }
}
