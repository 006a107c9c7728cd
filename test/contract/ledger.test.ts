import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { LocalError, LockedError, UserError } from '../../src/core/errors.ts'
import type { RunQuestion } from '../../src/core/report.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { Ledger } from '../../src/state/ledger.ts'
import { acquireLock } from '../../src/state/lock.ts'
import type { SpoolRange } from '../../src/state/run-record.ts'
import { NO_COUNTERS } from '../../src/state/run-rows.ts'
import { Spool } from '../../src/state/spool.ts'
import { fakeClock } from '../support/fake-clock.ts'

const clock = fakeClock()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auditctl-ledger-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const QUESTION: RunQuestion = {
  mode: 'all',
  source: 'prod',
  stream: 'soc',
  from: 0,
  to: 1000,
  typedWindow: '1h/',
  filter: '{}',
}
const range = (first: number, count: number, state: SpoolRange['state']): SpoolRange => ({
  first,
  count,
  spoolFrom: first * 10,
  spoolTo: (first + count) * 10,
  state,
  sentAt: 5,
  attempts: 1,
  code: undefined,
  reason: undefined,
})

async function withLedger(work: (ledger: Ledger) => void | Promise<void>): Promise<void> {
  const ledger = await Ledger.open(folder, clock)
  try {
    await work(ledger)
  } finally {
    ledger.close()
  }
}

describe('the ledger', () => {
  test('keeps what was committed, over a close and an open', async () => {
    let id = ''
    await withLedger((ledger) => {
      id = ledger.createRun('key', QUESTION).id
      ledger.intend(id, { ...range(0, 10, 'sending'), bytes: 100 })
      ledger.settle(id, [range(0, 4, 'delivered'), range(4, 6, 'unknown')], { ...NO_COUNTERS, requests: 1 })
      ledger.writeWatermark('nightly', { at: 7 })
      ledger.proven.add('prod', 'soc', { from: 1, to: 2 })
    })
    await withLedger((ledger) => {
      assert.deepEqual(ledger.totals(id), { delivered: 4, unknown: 6 })
      assert.equal(ledger.readRun(id)?.counters.requests, 1)
      assert.equal(ledger.findByKey('key')?.id, id)
      assert.deepEqual(ledger.readWatermark('nightly'), { at: 7 })
      assert.deepEqual(ledger.proven.stretches('prod', 'soc'), [{ from: 1, to: 2 }])
    })
  })

  test('is private to its owner', () =>
    withLedger(() => {
      assert.equal(statSync(join(folder, 'ledger.db')).mode & 0o777, 0o600)
    }))

  test('turns requests under way into unknown outcomes, counts them, and forgets what is only to be sent again', () =>
    withLedger((ledger) => {
      const { id } = ledger.createRun('key', QUESTION)
      ledger.intend(id, { ...range(0, 10, 'sending'), bytes: 100 })
      ledger.intend(id, { ...range(10, 10, 'sending'), bytes: 90, attempts: 2 })
      ledger.settle(id, [range(20, 10, 'retry'), range(30, 5, 'delivered')], {
        ...NO_COUNTERS,
        requests: 2,
        batches: 2,
      })
      ledger.recover(id)
      assert.deepEqual(
        ledger.ranges(id).map(({ first, state }) => [first, state]),
        [
          [0, 'unknown'],
          [10, 'unknown'],
          [30, 'delivered'],
        ],
      )
      const { requests, batches, retries, bytesSent } = ledger.readRun(id)?.counters ?? NO_COUNTERS
      assert.deepEqual(
        { requests, batches, retries, bytesSent },
        { requests: 4, batches: 3, retries: 1, bytesSent: 190 },
      )
      ledger.recover(id)
      assert.equal(ledger.readRun(id)?.counters.requests, 4)
    }))

  test('replaces what it knew of a stretch by its pieces, all or nothing', () =>
    withLedger((ledger) => {
      const { id } = ledger.createRun('key', QUESTION)
      ledger.intend(id, { ...range(0, 10, 'sending'), bytes: 100 })
      const twice = [range(0, 5, 'delivered'), range(0, 5, 'delivered')]
      assert.throws(() => ledger.settle(id, twice, { ...NO_COUNTERS, requests: 9 }), LocalError)
      assert.deepEqual(ledger.totals(id), { sending: 10 })
      assert.equal(ledger.readRun(id)?.counters.requests, 0)
      ledger.settle(id, [range(0, 10, 'delivered')], NO_COUNTERS)
      assert.deepEqual(ledger.totals(id), { delivered: 10 })
    }))

  test('forgets finished runs only', () =>
    withLedger((ledger) => {
      const { id } = ledger.createRun('a', QUESTION)
      const done = ledger.createRun('b', QUESTION)
      ledger.setPhase(done.id, 'done', 'completed')
      assert.deepEqual(ledger.prune(clock.now() + 1), [done.id])
      assert.deepEqual(
        ledger.listRuns().map((run) => run.id),
        [id],
      )
    }))

  const broken: readonly (readonly [name: string, spoil: (path: string) => void, message: RegExp])[] = [
    [
      'garbage',
      (path) => writeFileSync(path, 'not a database at all, but long enough to be taken for one'),
      /damaged/,
    ],
    ['half of it', (path) => truncateSync(path, 6000), /damaged/],
    [
      'nothing, beside runs',
      (path) => {
        writeFileSync(path, '')
        mkdirSync(join(folder, 'runs', 'one'), { recursive: true })
      },
      /is empty, but .*runs holds 1 runs/,
    ],
    [
      'what a newer version wrote',
      (path) => {
        const db = new DatabaseSync(path)
        db.exec('pragma user_version = 99')
        db.close()
      },
      /written by a newer auditctl \(version 99\)/,
    ],
    [
      'what another program keeps there',
      (path) => {
        rmSync(path)
        const db = new DatabaseSync(path)
        db.exec('create table songs (title text)')
        db.close()
      },
      /a database of another program/,
    ],
  ]
  for (const [name, spoil, message] of broken) {
    test(`of ${name} is an error that names it, and is left as it is`, async () => {
      await withLedger((ledger) => void ledger.createRun('key', QUESTION))
      const path = join(folder, 'ledger.db')
      for (const part of ['-wal', '-shm']) rmSync(`${path}${part}`, { force: true })
      spoil(path)
      const before = statSync(path).size
      await assert.rejects(
        withLedger((ledger) => void ledger.listRuns()),
        (error: UserError) => {
          assert(error instanceof UserError, String(error))
          assert.match(error.message, message)
          assert(error.message.includes(folder))
          return true
        },
      )
      assert.equal(statSync(path).size, before)
    })
  }

  test('in a folder that cannot be made is a usage error', async () => {
    writeFileSync(join(folder, 'file'), '')
    await assert.rejects(
      Ledger.open(join(folder, 'file', 'state'), clock),
      /state folder .* cannot be written/,
    )
  })
})

function textOf(spool: Spool): string {
  let text = ''
  for (const { bytes } of spool.blocks(0, spool.length)) text += Buffer.from(bytes).toString()
  return text
}

describe('a spool', () => {
  test('is cut to what was committed, and refuses to be shorter', () => {
    const spool = Spool.open(folder, 'spool.jsonl', 0)
    spool.appendLine(Buffer.from('{"a":1}'), 0)
    spool.sync()
    const committed = spool.length
    spool.appendLine(Buffer.from('{"torn"'), 0)
    spool.close()
    const again = Spool.open(folder, 'spool.jsonl', committed)
    assert.equal(statSync(again.path).size, committed)
    assert.equal(textOf(again), '{"a":1}\n')
    again.close()
    truncateSync(again.path, committed - 2)
    assert.throws(
      () => Spool.open(folder, 'spool.jsonl', committed),
      /damaged: it ends at byte 6, and 8 were recorded/,
    )
  })

  test('gives lines larger than its block whole', () => {
    const spool = Spool.open(folder, 'spool.jsonl', 0)
    const lines = ['a'.repeat(3_000_000), 'b', 'c'.repeat(1_500_000)]
    for (const line of lines) spool.appendLine(Buffer.from(line), 0)
    assert.equal(textOf(spool), `${lines.join('\n')}\n`)
    spool.close()
  })
})

describe('the lock of a pair', () => {
  const options = { owner: 'backfill', wait: false, clock, log: SILENT, signal: new AbortController().signal }

  test('excludes a second holder, names the first, and is free after its release', async () => {
    const lock = await acquireLock(folder, 'the pair prod and soc', options)
    await assert.rejects(acquireLock(folder, 'the pair prod and soc', options), (error: LockedError) => {
      assert(error instanceof LockedError)
      assert.equal(error.exitCode, 75)
      assert.match(error.message, new RegExp(`held by another run: backfill \\(process ${process.pid}`))
      return true
    })
    const other = await acquireLock(folder, 'the pair prod and dd', options)
    other.release()
    lock.release()
    const again = await acquireLock(folder, 'the pair prod and soc', options)
    again.release()
  })

  test('waits when it may', async () => {
    const lock = await acquireLock(folder, 'pair', options)
    const waiting = acquireLock(folder, 'pair', { ...options, wait: true })
    setTimeout(() => lock.release(), 20)
    const next = await waiting
    next.release()
  })

  test('dies with its process', async () => {
    const script = `
      import { acquireLock } from ${JSON.stringify(join(import.meta.dirname, '../../src/state/lock.ts'))}
      const clock = { now: () => 0, monotonic: () => 0, random: () => 0, sleep: async () => {} }
      const log = { debug() {}, info() {}, warn() {} }
      await acquireLock(${JSON.stringify(folder)}, 'pair', { owner: 'child', wait: false, clock, log, signal: new AbortController().signal })
      process.stdout.write('held')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await assert.rejects(acquireLock(folder, 'pair', options), /held by another run: child/)
    child.kill('SIGKILL')
    await once(child, 'close')
    const lock = await acquireLock(folder, 'pair', options)
    lock.release()
  })
})
