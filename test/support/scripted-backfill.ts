import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_FILTER } from '../../src/core/filter.ts'
import type { RunReport } from '../../src/core/report.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { HOUR_MS, type TimeRange } from '../../src/core/time-range.ts'
import type { Result } from '../../src/operations/backfill/conclude.ts'
import { planBackfill } from '../../src/operations/backfill/dry-run.ts'
import { runBackfill } from '../../src/operations/backfill/index.ts'
import type { BackfillOptions, BackfillParts } from '../../src/operations/backfill/types.ts'
import { Ledger } from '../../src/state/ledger.ts'
import type { RunRecord } from '../../src/state/run-record.ts'
import { FAKE_START, type FakeClock, fakeClock } from './fake-clock.ts'
import { type ScriptedSiem, type SiemOptions, scriptedSiem } from './scripted-siem.ts'
import { idOf, lineOf, type ScriptedSource, scriptedSource } from './scripted-source.ts'

export const WINDOW: TimeRange = { from: FAKE_START - 5 * HOUR_MS, to: FAKE_START - HOUR_MS }

/** `count` events, evenly over the window. */
export function linesOf(count: number, more: (number: number) => object = () => ({})): string[] {
  const step = (WINDOW.to - WINDOW.from) / count
  return Array.from({ length: count }, (_, i) =>
    lineOf(i, Math.floor(WINDOW.from + i * step), more(i) as Record<string, unknown>),
  )
}

export function idsOf(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, i) => idOf(from + i))
}

export type Bench = {
  readonly clock: FakeClock
  readonly source: ScriptedSource
  readonly siem: ScriptedSiem
  readonly ledger: Ledger
  readonly abort: AbortController
  readonly parts: BackfillParts
  start(options?: Partial<BackfillOptions>): RunRecord
  /** A new run, to its end. */
  run(options?: Partial<BackfillOptions>, parts?: Partial<BackfillParts>): Promise<Result>
  /** Goes on with a run, as a new process would. */
  resume(run: string, options?: Partial<BackfillOptions>, parts?: Partial<BackfillParts>): Promise<Result>
  plan(options?: Partial<BackfillOptions>): Promise<Result>
  options(options?: Partial<BackfillOptions>): BackfillOptions
  deadLetters(run: string | null): { event: { id: string }; code: string; reason: string; attempts: number }[]
}

/** Runs `work` with a source, a SIEM and a ledger of its own, all on one fake clock. */
export async function withBench(
  setup: {
    readonly lines?: readonly string[]
    readonly siem?: Partial<SiemOptions>
    readonly sliceMs?: number
    readonly hasInventory?: boolean
  },
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'auditctl-test-'))
  const clock = fakeClock()
  const ledger = await Ledger.open(stateDir, clock)
  const source = scriptedSource(
    setup.lines ?? [],
    setup.sliceMs === undefined ? {} : { sliceMs: setup.sliceMs },
  )
  const siem = scriptedSiem({ clock, ...setup.siem })
  const abort = new AbortController()
  const hasInventory = setup.hasInventory ?? true
  const parts: BackfillParts = {
    source,
    destination: siem.destination,
    inventory: hasInventory ? siem.inventory : undefined,
    live: hasInventory ? siem.inventory : undefined,
    ledger,
    clock,
    log: SILENT,
    signal: abort.signal,
    concurrency: 2,
    version: 'test',
  }
  const optionsOf = (given: Partial<BackfillOptions> = {}): BackfillOptions => ({
    mode: hasInventory ? 'missing' : 'all',
    windows: [WINDOW],
    typedWindow: '5h/1h',
    filter: NO_FILTER,
    filterText: JSON.stringify(NO_FILTER),
    late: siem.destination.traits.lateDefault,
    lateIsNamed: false,
    mark: false,
    probe: false,
    maxMissing: undefined,
    limit: undefined,
    verify: false,
    yes: true,
    fresh: false,
    maxRate: undefined,
    maxAttempts: 6,
    archiveDir: undefined,
    ...given,
  })
  const questionOf = ({ mode, windows, typedWindow, filterText, mark }: BackfillOptions) => ({
    mode,
    source: source.name,
    stream: 'soc',
    from: windows[0]?.from ?? 0,
    to: windows.at(-1)?.to ?? 0,
    typedWindow,
    filter: filterText,
    windows,
    mark,
  })
  const bench: Bench = {
    clock,
    source,
    siem,
    ledger,
    abort,
    parts,
    options: optionsOf,
    start: (options) => ledger.createRun('key', questionOf(optionsOf(options))),
    async run(options, more) {
      return checked(await runBackfill({ ...parts, ...more }, optionsOf(options), bench.start(options)))
    },
    async resume(run, options, more) {
      const stored = ledger.readRun(run)
      assert(stored !== undefined)
      const signal = new AbortController().signal
      return checked(await runBackfill({ ...parts, signal, ...more }, optionsOf(options), stored))
    },
    async plan(options) {
      const asked = optionsOf(options)
      return planBackfill(parts, asked, questionOf(asked), 'pair')
    },
    deadLetters(run) {
      const { deadLetter } = ledger.readRun(run ?? '')?.report ?? {}
      if (!deadLetter) return []
      const lines = readFileSync(deadLetter, 'utf8').trimEnd().split('\n')
      return lines.map((line) => JSON.parse(line) as ReturnType<Bench['deadLetters']>[number])
    },
  }
  try {
    await work(bench)
  } finally {
    ledger.close()
    rmSync(stateDir, { recursive: true, force: true })
  }
}

function checked(result: Result): Result {
  assertArithmetic(result.report)
  return result
}

/** What holds for every report, whatever happened. */
export function assertArithmetic(report: RunReport): void {
  const { scanned, alreadyHeld, selected, pending, delivered, rejected, late, unresolved, archived } = report
  assert.equal(scanned, alreadyHeld + selected + pending, `scanned: ${JSON.stringify(report)}`)
  assert.equal(selected, delivered + rejected + late + unresolved, `selected: ${JSON.stringify(report)}`)
  assert(archived <= late, 'archived events are late ones')
  for (const [key, value] of Object.entries(report))
    if (typeof value === 'number') assert(value >= 0, `${key} is ${value}`)
  if (report.status === 'completed') assert.equal(pending, 0)
  assert.equal(report.requests, report.batches + report.retries, 'a request is a batch or a retry')
}

/** What the SIEM holds of the source's events: each once, and nothing else. */
export function assertHeldOnce({ siem, source }: Bench): void {
  const ids = source.lines.map((line) => (JSON.parse(line) as { id: string }).id)
  assert.deepEqual(siem.ids().sort(), ids.sort())
}
