import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { LocalError } from '../../../src/core/errors.ts'
import { Ledger } from '../../../src/state/ledger.ts'
import type { SpoolRange } from '../../../src/state/run-record.ts'
import { NO_COUNTERS } from '../../../src/state/run-rows.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const clock = fakeClock()
const QUESTION = { mode: 'all', source: 'prod', stream: 'soc', from: 0, to: 1, typedWindow: '', filter: '{}' }
const range = (first: number, state: SpoolRange['state'] = 'delivered'): SpoolRange => ({
  first,
  count: 10,
  spoolFrom: first * 10,
  spoolTo: first * 10 + 100,
  state,
  sentAt: 5,
  attempts: 1,
  code: 'ok',
  reason: undefined,
})

let folder = ''
let ledger: Ledger
let run = ''
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'auditctl-ledger-'))
  ledger = await Ledger.open(folder, clock)
  run = ledger.createRun('key', { ...QUESTION, mode: 'all' }).id
})
afterEach(() => {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What a process that is killed at this moment leaves behind. */
function onDisk(): readonly unknown[] {
  const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true })
  try {
    return db
      .prepare('select first, state from ranges order by first')
      .all()
      .map((row) => [row['first'], row['state']])
  } finally {
    db.close()
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('an outcome that is settled soon', () => {
  test('is known at once to whoever reads', () => {
    ledger.intend(run, { ...range(0), bytes: 100 })
    ledger.settleSoon(run, [range(0)], { ...NO_COUNTERS, requests: 1 })
    assert.deepEqual(ledger.totals(run), { delivered: 10 })
    assert.equal(ledger.readRun(run)?.counters.requests, 1)
  })

  test('is on disk with the next intent, and not before: until then the request reads as under way', () => {
    ledger.intend(run, { ...range(0), bytes: 100 })
    ledger.settleSoon(run, [range(0)], NO_COUNTERS)
    assert.deepEqual(onDisk(), [[0, 'sending']])
    ledger.intend(run, { ...range(10), bytes: 100 })
    assert.deepEqual(onDisk(), [
      [0, 'delivered'],
      [10, 'sending'],
    ])
  })

  test('is on disk as soon as the process has nothing else to do, whatever it waits for', async () => {
    ledger.intend(run, { ...range(0), bytes: 100 })
    ledger.settleSoon(run, [range(0)], NO_COUNTERS)
    await turn()
    assert.deepEqual(onDisk(), [[0, 'delivered']])
  })

  test('is written before a later one, and before the ledger is closed', () => {
    ledger.intend(run, { ...range(0), bytes: 100 })
    ledger.settleSoon(run, [range(0, 'delivered')], { ...NO_COUNTERS, requests: 1 })
    ledger.settle(run, [range(0, 'unknown')], { ...NO_COUNTERS, requests: 2 })
    assert.deepEqual(ledger.totals(run), { unknown: 10 })
    assert.equal(ledger.readRun(run)?.counters.requests, 2)
    ledger.settleSoon(run, [range(0, 'delivered')], NO_COUNTERS)
    ledger.close()
    assert.deepEqual(onDisk(), [[0, 'delivered']])
  })

  test('that cannot be written makes the next intent fail, so that nothing more is sent', async () => {
    ledger.intend(run, { ...range(0), bytes: 100 })
    ledger.settleSoon(run, [range(0), range(0)], NO_COUNTERS)
    await turn()
    assert.throws(() => ledger.intend(run, { ...range(10), bytes: 100 }), LocalError)
    assert.throws(() => ledger.totals(run), LocalError)
    assert.deepEqual(onDisk(), [[0, 'sending']])
    assert.throws(() => ledger.close(), LocalError)
  })
})
