import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { SettingsExtras } from '../../../src/cli/entry-actions.ts'
import type { Invocation } from '../../../src/cli/invocation.ts'
import type { Runtime } from '../../../src/cli/runtime.ts'
import type { ExitCode } from '../../../src/core/errors.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { createHttpClient } from '../../../src/http/client.ts'
import { type FaultPlan, faultPlan } from '../../../src/sandbox/faults.ts'
import { type StartedSandbox, startSandbox } from '../../../src/sandbox/start.ts'
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts'
import { tempFolder } from '../config/temp-folder.ts'
import { fakeRuntime, invocation } from './fake-runtime.ts'

type Command<Extras> = (invocation: Invocation, runtime: Runtime, extras?: Extras) => Promise<ExitCode>

export type SandboxBench = {
  readonly sandbox: StartedSandbox
  readonly faults: FaultPlan
  readonly path: string
  readonly stateDir: string
  /** Sleeps end at once; the time of day is the machine's, as that of the servers' Date headers. */
  readonly clock: FakeClock
  write(config: object): void
  written(): { readonly streams: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
  run<Extras extends SettingsExtras>(
    command: Command<Extras>,
    line: string,
    args?: readonly string[],
    options?: Record<string, unknown>,
    terminal?: Parameters<typeof fakeRuntime>[0] & { readonly extras?: Extras },
  ): Promise<{
    readonly exitCode: ExitCode
    readonly stdout: string
    readonly stderr: string
    readonly log: string
  }>
}

/** Commands of this process against strict servers, with a configuration file and a state folder of their own. */
export async function sandboxBench(
  t: TestContext,
  options: {
    readonly services?: readonly string[]
    readonly generation?: '2025' | '2026'
    readonly events?: number
    /** In force from the start: what a service is, rather than what befalls it. */
    readonly faults?: readonly string[]
  } = {},
): Promise<SandboxBench> {
  const faults = faultPlan(options.faults)
  const sandbox = await startSandbox({
    services: options.services ?? ['splunk'],
    generation: options.generation ?? '2026',
    events: options.events,
    seed: 1,
    recent: true,
    faults,
    now: () => Date.now(),
  })
  t.after(() => sandbox.close())
  const folder = tempFolder(t)
  const path = join(folder, 'config.json')
  const stateDir = join(folder, 'state')
  const fake = fakeClock()
  const clock: FakeClock = { ...fake, now: () => Date.now() }
  const write = (config: object) => writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  write(sandbox.config)
  return {
    sandbox,
    faults,
    path,
    stateDir,
    clock,
    write,
    written: () => JSON.parse(readFileSync(path, 'utf8')),
    async run(command, line, args = [], given = {}, terminal = {}) {
      const env = { AUDITCTL_CONFIG: path, AUDITCTL_STATE_DIR: stateDir, ...terminal.env }
      const captured = fakeRuntime({ ...terminal, env })
      const http = createHttpClient({ clock, log: SILENT, env, version: 'test' })
      const cleaners: (() => Promise<void> | void)[] = []
      const runtime: Runtime = {
        ...captured.runtime,
        clock,
        http: async () => http,
        onExit: (clean) => void cleaners.push(clean),
      }
      try {
        const exitCode = await command(invocation(line, args, given), runtime, terminal.extras)
        return {
          exitCode,
          stdout: captured.stdout(),
          stderr: captured.stderr(),
          log: captured.log.join('\n'),
        }
      } finally {
        for (const clean of cleaners.reverse()) await clean()
        await http.close()
      }
    },
  }
}
