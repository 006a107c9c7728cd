import type { Log } from '../../../../src/core/runtime.ts'
import { bindSecrets } from '../../../../src/core/secret.ts'
import type { AuditSource } from '../../../../src/core/source.ts'
import type { TimeRange } from '../../../../src/core/time-range.ts'
import { createHttpClient } from '../../../../src/http/client.ts'
import { faultPlan } from '../../../../src/sandbox/faults.ts'
import { startInfrakitchen } from '../../../../src/sandbox/infrakitchen/index.ts'
import type { SandboxService } from '../../../../src/sandbox/service.ts'
import { infrakitchen } from '../../../../src/sources/infrakitchen/index.ts'
import { type FakeClock, fakeClock } from '../../../support/fake-clock.ts'

/** The sandbox's entries begin here and are ten a second. */
export const FROM = Date.UTC(2026, 10, 1)
export const NOW = Date.UTC(2026, 10, 21)

export const windowOf = (events: number): TimeRange => ({ from: FROM, to: FROM + events * 100 + 1000 })

export type State = {
  readonly requests: number
  readonly probes: number
  readonly logins: number
  readonly credentials: {
    readonly reader: { readonly identifier: string; readonly password: string }
    readonly fresh: { readonly identifier: string; readonly password: string }
    readonly personalToken: string
  }
}

export type Bench = {
  readonly server: SandboxService
  readonly source: AuditSource
  readonly clock: FakeClock
  readonly logged: readonly string[]
  state(): Promise<State>
  admin(path: string, body: unknown): Promise<void>
}

/** A strict server and a source that reads it through the real client, on a clock whose sleeps end at once. */
export async function withInfrakitchen(
  options: {
    readonly events?: number
    readonly version?: string
    readonly faults?: readonly string[]
    readonly settings?: (state: State) => Readonly<Record<string, unknown>>
  },
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  const clock = fakeClock(NOW)
  const specs = [`version=${options.version ?? '0.5.0'}`, ...(options.faults ?? [])]
  const server = await startInfrakitchen({
    events: options.events ?? 2000,
    seed: 7,
    generation: '2026',
    recent: false,
    faults: faultPlan(specs.map((spec) => `infrakitchen:${spec}`)),
    now: clock.now,
  })
  const url = `${server.urls['infrakitchen']}/__emulator`
  const state = async () => (await (await fetch(`${url}/state`)).json()) as State
  const logged: string[] = []
  const note = (message: string) => void logged.push(message)
  const log: Log = { debug: note, info: note, warn: note }
  const http = createHttpClient({ clock, log, env: {}, version: 'test' })
  try {
    const own = options.settings?.(await state()) ?? {}
    const parsed = infrakitchen.options.parse({ ...server.config.sources?.['infrakitchen'], ...own })
    bindSecrets(parsed, (reference) => reference)
    const source = (await infrakitchen.create('test', parsed, {
      http,
      clock,
      log,
      scratch: () => Promise.reject(new Error('no scratch folder is needed')),
      stdin: (async function* () {})(),
      baseDir: '/',
      shape: () => Promise.resolve(infrakitchen.shape),
      strict: false,
    })) as AuditSource
    const admin = async (path: string, body: unknown) => {
      await fetch(`${url}/${path}`, { method: 'POST', body: JSON.stringify(body) })
    }
    await use({ server, source, clock, logged, state, admin })
  } finally {
    await http.close()
    await server.close()
  }
}
