import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '../../src/core/event.ts'
import { type FaultPlan, faultPlan } from '../../src/sandbox/faults.ts'
import type { SandboxService } from '../../src/sandbox/service.ts'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'
import { type Ended, type ProgramOptions, runProgram, type Started, startProgram } from './program.ts'

export type SplunkBench = {
  readonly folder: string
  readonly sandbox: StartedSandbox
  readonly splunk: SandboxService
  readonly faults: FaultPlan
  /** Of all events, as flags. */
  readonly window: readonly string[]
  /** Ids of the source's events, oldest first. */
  readonly ids: readonly string[]
  env: Record<string, string>
  /** Writes the configuration anew, with these settings of the stream. */
  configure(stream: JsonObject): void
  run(args: readonly string[], options?: ProgramOptions): Promise<Ended>
  start(args: readonly string[], options?: ProgramOptions): Started
  /** What the receiver holds by now: every id once, or it throws. */
  assertHeldOnce(): void
  close(): Promise<void>
}

/** Infisical and Splunk in this process, a configuration file and a state folder for the program. */
export async function startSplunkBench(options: {
  readonly events: number
  /** Nothing is held beforehand, unless events were dropped from what is. */
  readonly drop?: { readonly from: number; readonly to: number }
  readonly faults?: readonly string[]
  readonly stream?: JsonObject
}): Promise<SplunkBench> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-e2e-'))
  const faults = faultPlan(options.faults)
  const sandbox = await startSandbox({
    events: options.events,
    seed: 7,
    generation: '2026',
    recent: false,
    faults,
    now: () => Date.now(),
    drop: options.drop ?? { from: 0, to: Number.MAX_SAFE_INTEGER },
    services: ['splunk'],
  })
  const splunk = sandbox.services['splunk']
  assert(splunk !== undefined)
  const events = [...(sandbox.services['infisical']?.events?.() ?? [])]
  const times = events.map((event) => Date.parse(String(event['createdAt'])))
  const iso = (ms: number): string => new Date(ms).toISOString()
  const window = ['--from', iso(Math.min(...times)), '--to', iso(Math.max(...times) + 1)]
  const env = { AUDITCTL_CONFIG: join(folder, 'config.json'), AUDITCTL_STATE_DIR: join(folder, 'state') }
  const ids = events.map((event) => String(event['id']))
  const bench: SplunkBench = {
    folder,
    sandbox,
    splunk,
    faults,
    window,
    ids,
    env,
    configure(stream) {
      const streams = sandbox.config['streams'] as Record<string, JsonObject>
      const config = { ...sandbox.config, streams: { soc: { ...streams['soc'], grace: '1s', ...stream } } }
      writeFileSync(env.AUDITCTL_CONFIG, JSON.stringify(config), { mode: 0o600 })
    },
    run: (args, more) => runProgram(args, { ...more, env: { ...bench.env, ...more?.env } }),
    start: (args, more) => startProgram(args, { ...more, env: { ...bench.env, ...more?.env } }),
    assertHeldOnce() {
      const held = new Map<string, number>()
      for (const id of splunk.receivedIds?.() ?? []) held.set(id, (held.get(id) ?? 0) + 1)
      const missing = ids.filter((id) => !held.has(id)).length
      const twice = [...held.values()].filter((count) => count > 1).length
      assert.deepEqual({ missing, twice, held: held.size }, { missing: 0, twice: 0, held: ids.length })
      assert.deepEqual(splunk.violations, [])
    },
    async close() {
      await sandbox.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  bench.configure(options.stream ?? {})
  return bench
}

/** Seeded numbers in `[0, 1)`. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
