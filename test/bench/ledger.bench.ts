/**
 * What a batch costs in the ledger, as a backfill asks for it: the intent before the request, the outcome after the answer, each with full sync.
 * CPU of the whole process; `npm run bench ledger [-- --batches=5000 --rounds=5]`
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ledger } from '../../src/state/ledger.ts'
import { NO_COUNTERS } from '../../src/state/run-rows.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { median } from './support/compare.ts'
import { numberFlag, print, verdict } from './support/report.ts'

const batches = numberFlag('batches', 5000)
const rounds = numberFlag('rounds', 5)
const EVENTS = 1000
const BYTES = 700_000

/** Each batch is answered before the next one's intent, which is how one request in flight goes. */
function work(ledger: Ledger, run: string): void {
  for (let n = 0; n < batches; n += 1) {
    const range = {
      first: n * EVENTS,
      count: EVENTS,
      spoolFrom: n * BYTES,
      spoolTo: (n + 1) * BYTES,
      sentAt: Date.now(),
      attempts: 1,
    }
    ledger.intend(run, { ...range, bytes: BYTES })
    const counters = { ...NO_COUNTERS, batches: n + 1, requests: n + 1, bytesSent: (n + 1) * BYTES }
    const delivered = { ...range, state: 'delivered' as const, code: 'hec-0', reason: 'Success' }
    ledger.settleSoon(run, [delivered], counters)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'auditctl-bench-'))
const ledger = await Ledger.open(folder, fakeClock())
try {
  const costs: number[] = []
  for (let round = -1; round < rounds; round += 1) {
    const question = { mode: 'all' as const, source: 'prod', stream: 'soc', from: 0, to: 1 }
    const { id } = ledger.createRun(`round ${round}`, { ...question, typedWindow: '', filter: '{}' })
    const before = process.cpuUsage()
    work(ledger, id)
    assert.deepEqual(ledger.totals(id), { delivered: batches * EVENTS }, 'each outcome is there')
    const { user, system } = process.cpuUsage(before)
    // The first round only warms up.
    if (round >= 0) costs.push((user + system) / 1000 / batches)
  }
  print(`  ${batches} batches, ${rounds} rounds: ${costs.map((cost) => cost.toFixed(3)).join(' ')} ms`)
  verdict('ms of CPU a batch, median', median(costs), { atMost: 0.2 })
} finally {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
}
