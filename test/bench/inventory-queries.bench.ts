/**
 * Searches that an exact comparison of seven days costs each SIEM: whole, with a hole of ten minutes, with singles missing all over; beside the
 * fewest in which its ids can be listed at all. `npm run bench inventory-queries [-- --events=1000000 --provider=splunk]`
 */
import assert from 'node:assert/strict'
import type { JsonObject } from '../../src/core/event.ts'
import { NO_FILTER } from '../../src/core/filter.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS } from '../../src/core/time-range.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import { findGaps } from '../../src/operations/find-gaps.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { scriptedSource } from '../support/scripted-source.ts'
import { startTrial, streamedEvent, tried } from '../support/trial.ts'
import { numberFlag, print, verdict } from './support/report.ts'

/**
 * Ids that one search lists at most: the API's pages, or, where a search streams all it finds, the 250,000 ids that a piece may hold in memory.
 * The strict sandbox of `url` gives 500 a page.
 */
const PAGE_IDS: Readonly<Record<string, number>> = {
  splunk: 250_000,
  datadog: 1000,
  azure: 250_000,
  'better-stack': 10_000,
  xsiam: 250_000,
  url: 500,
}
/** Counts that size the pieces, the ends of lists that only an empty page shows, controls. */
const BESIDE = 10
/** What losses may add. */
const FEW = 3

const WINDOW = { from: FAKE_START - 7 * DAY_MS - HOUR_MS, to: FAKE_START - HOUR_MS }
const HOLE = { from: WINDOW.from + 3 * DAY_MS, to: WINDOW.from + 3 * DAY_MS + 10 * MINUTE_MS }
const events = numberFlag('events', 200_000)
const only = process.argv.map((word) => word.replace(/^--provider=/, '')).find((word) => word in PAGE_IDS)
const stepMs = (WINDOW.to - WINDOW.from) / events

const timeOf = (n: number): number => Math.floor(WINDOW.from + n * stepMs)
/** Which events a SIEM lacks. */
const LACKS: Readonly<Record<string, (n: number) => boolean>> = {
  clean: () => false,
  'one hole': (n) => timeOf(n) >= HOLE.from && timeOf(n) < HOLE.to,
  scattered: (n) => n % 997 === 500,
}
const lines = Array.from({ length: events }, (_, n) => {
  const { id } = streamedEvent(n, 0)
  return JSON.stringify({ id, createdAt: isoTime(timeOf(n)) })
})

function* held(lacks: (n: number) => boolean): Generator<JsonObject> {
  for (let n = 0; n < events; n += 1) if (!lacks(n)) yield streamedEvent(n, timeOf(n))
}

async function queriesOf(provider: string, lacks: (n: number) => boolean): Promise<number> {
  const trial = await startTrial(provider)
  try {
    trial.sandbox.preload?.(held(lacks))
    const inventory = await trial.inventory()
    const report = await findGaps(
      {
        source: scriptedSource(lines),
        inventory,
        stream: provider,
        ledger: undefined,
        clock: trial.clock,
        log: SILENT,
        signal: new AbortController().signal,
        concurrency: 2,
      },
      { window: WINDOW, judgedTo: WINDOW.to, filter: NO_FILTER, method: 'ids' },
    )
    const lost = lines.reduce((sum, _, n) => sum + (lacks(n) ? 1 : 0), 0)
    assert.equal(report.missing, lost, `${provider} found another number of losses`)
    return inventory.queries()
  } finally {
    await trial.close()
  }
}

print(`  ${events} events in seven days`)
for (const provider of tried(Object.keys(INVENTORIES)).filter((name) => name !== 'command')) {
  if (only !== undefined && provider !== only) continue
  const page = PAGE_IDS[provider]
  assert(page !== undefined, `how many ids a search of ${provider} lists is not said here`)
  const fewest = Math.ceil(events / page)
  print(`  ${provider}: at least ${fewest} searches of ${page} ids`)
  let clean: number | undefined
  for (const [name, lacks] of Object.entries(LACKS)) {
    const queries = await queriesOf(provider, lacks)
    clean ??= queries
    verdict(`${provider}, ${name}`, queries, { atMost: 2 * fewest + BESIDE })
    if (queries !== clean) verdict(`${provider}, ${name}: more than clean`, queries - clean, { atMost: FEW })
  }
}
