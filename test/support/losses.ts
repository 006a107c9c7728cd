import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '../../src/core/event.ts'
import { NO_FILTER } from '../../src/core/filter.ts'
import type { Inventory } from '../../src/core/inventory.ts'
import type { GapReport } from '../../src/core/report.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { MINUTE_MS, type TimeRange } from '../../src/core/time-range.ts'
import { createHttpClient } from '../../src/http/client.ts'
import type { Result } from '../../src/operations/backfill/conclude.ts'
import { runBackfill } from '../../src/operations/backfill/index.ts'
import { findGaps } from '../../src/operations/find-gaps.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { startInfisical } from '../../src/sandbox/infisical/index.ts'
import { streamedShape } from '../../src/sandbox/infisical/streamed.ts'
import { Ledger } from '../../src/state/ledger.ts'
import { sourceOf } from './infisical-source.ts'
import { startTrial, type Trial } from './trial.ts'

/** What a SIEM was made to lack and to hold beyond the source. */
export type Losses = {
  /** Ids it lacks, in the source's order. */
  readonly lost: readonly string[]
  /** Rows it holds beyond the first of an id. */
  readonly duplicates: number
  /** Rows that the source never had. */
  readonly foreign: number
}

export type LossBench = {
  readonly trial: Trial
  readonly inventory: Inventory
  readonly window: TimeRange
  /** All ids of the source, in its order. */
  readonly ids: readonly string[]
  readonly losses: Losses
  gaps(): Promise<{ readonly report: GapReport; readonly missing: readonly string[] }>
  refill(): Promise<Result>
  /** How often the receiver got each id, however it was spelled. */
  held(): ReadonlyMap<string, number>
  close(): Promise<void>
}

const OUTAGE_SHARE = 0.2
const LONGEST_OUTAGE_MS = 10 * MINUTE_MS
const SINGLE_EVERY = 97
const FOREIGN = 5
const MANY = 50_000

/** One provider beside a source of generated events, most of which it holds: all but the losses that `plant` chooses. */
export async function startLosses(
  provider: string,
  options: { readonly events: number; readonly isWhole?: boolean },
): Promise<LossBench> {
  const trial = await startTrial(provider)
  const { clock } = trial
  await widenPages(trial, options.events)
  const server = await startInfisical({
    events: options.events,
    seed: 11,
    generation: '2026',
    recent: true,
    faults: faultPlan(),
    now: clock.now,
  })
  const native = [...(server.events?.() ?? [])]
  const times = native.map((event) => Date.parse(String(event['createdAt'])))
  const window = { from: times[0] ?? 0, to: (times.at(-1) ?? 0) + 1 }
  const lost = options.isWhole ? new Set<number>() : chosen(times, window)
  const planted = { duplicates: 0, foreign: 0 }
  trial.sandbox.preload?.(rows(native, lost, planted))
  const ids = native.map((event) => String(event['id']))
  const losses: Losses = { lost: ids.filter((_, i) => lost.has(i)), ...planted }

  const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
  const source = sourceOf(http, clock, server.config.sources?.['infisical'])
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-losses-'))
  const ledger = await Ledger.open(folder, clock)
  const inventory = await trial.inventory()
  const { signal } = new AbortController()
  const shared = { source, inventory, ledger, clock, log: SILENT, signal, concurrency: 2 }
  return {
    trial,
    inventory,
    window,
    ids,
    losses,
    async gaps() {
      const missing: string[] = []
      const onEvent: NonNullable<Parameters<typeof findGaps>[0]['onEvent']> = (event, isMissing) => {
        if (isMissing) missing.push(event.id)
      }
      const report = await findGaps(
        { ...shared, stream: 'trial', onEvent },
        { window, judgedTo: window.to, filter: NO_FILTER, method: 'ids' },
      )
      return { report, missing }
    },
    refill() {
      const destination = trial.destination()
      const filterText = JSON.stringify(NO_FILTER)
      const question = { typedWindow: 'losses', filter: filterText, windows: [window], verify: true }
      const run = ledger.createRun('losses', {
        ...question,
        ...window,
        mode: 'missing',
        source: source.name,
        stream: destination.name,
      })
      return runBackfill(
        { ...shared, destination, live: inventory, version: 'test' },
        {
          ...question,
          mode: 'missing',
          filter: NO_FILTER,
          filterText,
          late: destination.traits.lateDefault,
          lateIsNamed: false,
          mark: false,
          probe: false,
          maxMissing: { percent: 100 },
          limit: undefined,
          yes: true,
          fresh: false,
          maxRate: undefined,
          maxAttempts: 6,
          archiveDir: undefined,
        },
        run,
      )
    },
    held() {
      const counts = new Map<string, number>()
      for (const id of trial.held()) {
        const plain = id.replace(/[{}]/g, '').toLowerCase()
        counts.set(plain, (counts.get(plain) ?? 0) + 1)
      }
      return counts
    },
    async close() {
      ledger.close()
      rmSync(folder, { recursive: true, force: true })
      await inventory.close()
      await source.close()
      await http.close()
      await trial.close()
      await server.close()
    },
  }
}

/** Its small pages are each a walk over all that it holds: a few of them are enough to try. */
async function widenPages({ sandbox }: Trial, events: number): Promise<void> {
  const url = sandbox.urls['custom']
  if (url === undefined || events <= MANY) return
  await fetch(`${url}/__emulator/settings`, { method: 'POST', body: JSON.stringify({ pageRows: 10_000 }) })
}

/** Positions that the SIEM lacks: the first and the last event of the window, an outage, and singles all over. */
function chosen(times: readonly number[], window: TimeRange): Set<number> {
  const span = window.to - window.from
  const from = window.from + Math.floor(span * 0.4)
  const to = from + Math.min(span * OUTAGE_SHARE, LONGEST_OUTAGE_MS)
  const lost = new Set([0, times.length - 1])
  for (const [i, at] of times.entries()) {
    if ((at >= from && at < to) || i % SINGLE_EVERY === 40) lost.add(i)
  }
  assert.ok(lost.size > times.length / SINGLE_EVERY)
  return lost
}

/** What the SIEM holds. Each second lost single is masked: the event before it is held twice, so that counts are equal. */
function* rows(
  native: readonly JsonObject[],
  lost: ReadonlySet<number>,
  planted: { duplicates: number; foreign: number },
): Generator<JsonObject> {
  const every = Math.floor(native.length / (FOREIGN + 1))
  for (const [i, event] of native.entries()) {
    const streamed = streamedShape(event, { store: 'postgres' })
    if (i > 0 && i % every === 0 && planted.foreign < FOREIGN) {
      planted.foreign += 1
      yield { ...streamed, id: `f0e1a000-0000-4000-8000-${String(i).padStart(12, '0')}` }
    }
    if (lost.has(i)) continue
    yield spelled(streamed, i)
    if (i % (2 * SINGLE_EVERY) !== 39 || !lost.has(i + 1)) continue
    planted.duplicates += 1
    yield streamed
  }
}

function spelled(streamed: JsonObject, position: number): JsonObject {
  const id = String(streamed['id'])
  if (position % 50 === 7) return { ...streamed, id: id.toUpperCase() }
  if (position % 50 === 8) return { ...streamed, id: `{${id}}` }
  return streamed
}
