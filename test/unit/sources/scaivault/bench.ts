import type { Log } from '../../../../src/core/runtime.ts'
import { bindSecrets } from '../../../../src/core/secret.ts'
import type { AuditSource } from '../../../../src/core/source.ts'
import type { TimeRange } from '../../../../src/core/time-range.ts'
import { createHttpClient } from '../../../../src/http/client.ts'
import { faultPlan } from '../../../../src/sandbox/faults.ts'
import { startScaivault } from '../../../../src/sandbox/scaivault/index.ts'
import type { SandboxService } from '../../../../src/sandbox/service.ts'
import { scaivault } from '../../../../src/sources/scaivault/index.ts'
import { type FakeClock, fakeClock } from '../../../support/fake-clock.ts'

/** The sandbox's entries begin here and are ten a second. */
export const FROM = Date.UTC(2026, 10, 1)
export const NOW = Date.UTC(2026, 10, 21)

export const windowOf = (events: number): TimeRange => ({ from: FROM, to: FROM + events * 100 + 1000 })

export type State = {
  readonly requests: number
  readonly queriesAt: readonly number[]
  readonly logins: number
  readonly credentials: {
    readonly token: string
    readonly readOnly: string
    readonly noScope: string
    readonly client: { readonly clientId: string; readonly clientSecret: string }
  }
}

export type Bench = {
  readonly server: SandboxService
  readonly source: AuditSource
  readonly clock: FakeClock
  readonly logged: readonly string[]
  state(): Promise<State>
}

/** A strict server and a source that reads it through the real client, on a clock whose sleeps end at once. */
export async function withScaivault(
  options: {
    readonly events?: number
    readonly faults?: readonly string[]
    readonly settings?: (state: State, url: string) => Readonly<Record<string, unknown>>
  },
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const clock = fakeClock(NOW)
  const server = await startScaivault({
    events: options.events ?? 2000,
    seed: 7,
    generation: '2026',
    recent: false,
    faults: faultPlan((options.faults ?? []).map((spec) => `scaivault:${spec}`)),
    now: clock.now,
  })
  const url = server.urls['scaivault'] ?? ''
  const state = async () => (await (await fetch(`${url}/__emulator/state`)).json()) as State
  const logged: string[] = []
  const note = (message: string) => void logged.push(message)
  const log: Log = { debug: note, info: note, warn: note }
  const http = createHttpClient({ clock, log, env: {}, version: 'test' })
  try {
    const own = options.settings?.(await state(), url)
    const parsed = scaivault.options.parse({ ...server.config.sources?.['scaivault'], ...own })
    bindSecrets(parsed, (reference) => reference)
    const source: AuditSource = scaivault.create('test', parsed, {
      http,
      clock,
      log,
      scratch: () => Promise.reject(new Error('no scratch folder is needed')),
      stdin: (async function* () {})(),
      baseDir: '/',
      shape: () => Promise.resolve(scaivault.shape),
      strict: false,
    })
    await use({ server, source, clock, logged, state })
  } finally {
    await http.close()
    await server.close()
  }
}
