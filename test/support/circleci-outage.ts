import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { JsonObject } from '../../src/core/event.ts'
import type { GapReport, RunReport } from '../../src/core/report.ts'
import { HOUR_MS, isInside, isoTime, MINUTE_MS, type TimeRange } from '../../src/core/time-range.ts'
import { deliveries } from '../../src/sandbox/circleci/deliveries.ts'
import { circleEvents } from '../../src/sandbox/circleci/world.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { SANDBOXES } from '../../src/sandbox/registry.ts'
import type { SandboxOptions, SandboxService } from '../../src/sandbox/service.ts'
import { circleciCsv } from './circleci-csv.ts'
import { type Ended, type ProgramOptions, runProgram } from './program.ts'

const EVENTS = 2400
const SEED = 5

/**
 * CircleCI's audit log of half a day, a Splunk that lost two stretches of it, and the program. The first stretch CircleCI never delivered
 * (streaming was disconnected), so that only the download has it; the second lies in the archive.
 */
export type Outage = {
  readonly folder: string
  readonly splunk: SandboxService
  readonly circleci: SandboxService
  readonly undelivered: TimeRange
  readonly lost: TimeRange
  /** Of all events, as flags. */
  readonly window: readonly string[]
  /** How many events happened then. */
  count(range: TimeRange): number
  /** Beside Splunk, the download (`csv`) and the archive as a folder (`archive`). */
  configure(more: { readonly sources?: JsonObject; readonly streams?: JsonObject }): void
  run(args: readonly string[]): Promise<Ended>
  /** What the receiver holds by now: every id once, or it throws. */
  assertHeldOnce(): void
  close(): Promise<void>
}

export async function startOutage(program: ProgramOptions = {}): Promise<Outage> {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-outage-'))
  // Long enough ago that nothing is still on its way.
  const now = Date.now() - 6 * HOUR_MS
  const world = { events: EVENTS, seed: SEED, recent: true, now: () => now }
  const events = circleEvents(world)
  const times = events.map(timeOf)
  const [from = 0, to = 0] = [times[0], times.at(-1)]
  const undelivered = { from: from + 3 * HOUR_MS, to: from + 5 * HOUR_MS }
  const lost = { from: from + 7 * HOUR_MS, to: from + 7 * HOUR_MS + 40 * MINUTE_MS }
  const options: SandboxOptions = { ...world, generation: '2026', faults: faultPlan(), drop: undelivered }
  const circleci = await started('circleci', options)
  const splunk = await started('splunk', { ...options, drop: lost })
  splunk.preload?.(events.filter((event) => !isInside(timeOf(event), undelivered)))

  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content, { mode: 0o600 })
  }
  put('downloads/audit.csv', circleciCsv(events))
  const delivered = events.filter((event) => !isInside(timeOf(event), undelivered))
  for (const { key, body } of deliveries(delivered, { isPadded: true, isGzip: false }))
    put(`archive/${key}`, body)

  const env = { AUDITCTL_CONFIG: join(folder, 'config.json'), AUDITCTL_STATE_DIR: join(folder, 'state') }
  const outage: Outage = {
    folder,
    splunk,
    circleci,
    undelivered,
    lost,
    window: ['--from', isoTime(from), '--to', isoTime(to + 1)],
    count: (range) => times.filter((at) => isInside(at, range)).length,
    configure({ sources, streams }) {
      const config = {
        version: 1,
        sources: {
          csv: { type: 'file', path: 'downloads/audit.csv', of: 'circleci' },
          archive: { type: 'file', path: 'archive', of: 'circleci' },
          ...sources,
        },
        streams: { soc: { ...splunk.config.streams?.['soc'], grace: '1s' }, ...streams },
      }
      put('config.json', JSON.stringify(config))
    },
    run: (args) => runProgram(args, { cwd: folder, ...program, env: { ...program.env, ...env } }),
    assertHeldOnce() {
      const held = splunk.receivedIds?.() ?? []
      assert.deepEqual(held.toSorted(), events.map(({ id }) => String(id)).toSorted())
      assert.deepEqual(splunk.violations, [])
    },
    async close() {
      await Promise.all([splunk.close(), circleci.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
  outage.configure({})
  return outage
}

async function started(name: string, options: SandboxOptions): Promise<SandboxService> {
  const start = await SANDBOXES[name]?.()
  if (start === undefined) throw new Error(`${name} has no sandbox`)
  return start(options)
}

function timeOf(event: JsonObject): number {
  return Date.parse(`${String(event['occurred_at']).slice(0, 23)}Z`)
}

/** What `gaps` reports of that source and stream over the whole window, and its exit code. */
export async function gapsOf(
  { run, window }: Outage,
  source: string,
  stream = 'soc',
  more: readonly string[] = [],
): Promise<GapReport & { readonly code: number | null }> {
  const ended = await run(['gaps', '--source', source, '--stream', stream, ...window, '-o', 'json', ...more])
  assert.ok(ended.code === 0 || ended.code === 3, ended.stderr)
  return { ...ended.json<GapReport>(), code: ended.code }
}

/** What Splunk lacks of that source, sent and looked for. */
export async function refill({ run, window }: Outage, source: string): Promise<RunReport> {
  const command = ['backfill', '--source', source, '--stream', 'soc', ...window]
  const ended = await run([...command, '--missing', '--verify', '-o', 'json'])
  assert.equal(ended.code, 0, ended.stderr)
  return ended.json<RunReport>()
}
