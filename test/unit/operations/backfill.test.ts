import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { MINUTE_MS, SECOND_MS } from '../../../src/core/time-range.ts'
import {
  assertArithmetic,
  assertHeldOnce,
  idsOf,
  linesOf,
  withBench,
} from '../../support/scripted-backfill.ts'
import { ANSWERS } from '../../support/scripted-siem.ts'
import { idOf } from '../../support/scripted-source.ts'

const GRACE_MS = 60_000

describe('backfill --missing', () => {
  test('sends what the inventory lacks, oldest first, once', () =>
    withBench({ lines: linesOf(1000) }, async (bench) => {
      bench.siem.hold(bench.source.lines.filter((_, i) => i % 3 !== 0))
      const { report, exitCode } = await bench.run({ verify: true, maxMissing: { percent: 100 } })
      assert.equal(exitCode, 0)
      assert.equal(report.status, 'completed')
      assert.deepEqual([report.scanned, report.alreadyHeld, report.delivered], [1000, 666, 334])
      assert.equal(report.verified, true)
      assertHeldOnce(bench)
      const sent = bench.siem.requests.flat()
      assert.deepEqual(sent, [...sent].sort())
      assert.equal(report.batches, 4)
    }))

  test('sends nothing the second time, and proves the window', () =>
    withBench({ lines: linesOf(50) }, async (bench) => {
      await bench.run()
      assert.deepEqual(bench.ledger.proven.stretches('prod', 'soc'), [])
      const { report } = await bench.run({ verify: true })
      assert.deepEqual([report.selected, report.delivered, report.requests], [0, 0, 0])
      assert.equal(bench.ledger.proven.stretches('prod', 'soc').length, 1)
      assertHeldOnce(bench)
    }))

  test('proves nothing when it was filtered, limited, or the source told of no event', () =>
    withBench({ lines: linesOf(50, () => ({ actor: 'ada' })) }, async (bench) => {
      const filter = { fields: { actor: 'ada' }, events: [], where: [] }
      await bench.run({ verify: true, filter })
      await bench.run({ verify: true, limit: 3, mode: 'all' })
      bench.source.lines = []
      const { report } = await bench.run({ verify: true })
      assert.equal(report.verified, true)
      assert.match(report.warnings.join(), /reports no events for a window in which the SIEM holds 53/)
      assert.deepEqual(bench.ledger.proven.stretches('prod', 'soc'), [])
    }))

  test('ids in another letter case or in braces are the same ids', () =>
    withBench({ lines: linesOf(3) }, async (bench) => {
      const [upper, braced] = bench.source.lines
      bench.siem.hold([
        (upper ?? '').replace(idOf(0), idOf(0).toUpperCase()),
        (braced ?? '').replace(idOf(1), `{${idOf(1)}}`),
      ])
      const { report } = await bench.run()
      assert.deepEqual(bench.siem.requests, [[idOf(2)]])
      assert.equal(report.alreadyHeld, 2)
    }))
})

describe('a batch', () => {
  test('is full to the byte, and never over a limit', () =>
    withBench(
      {
        lines: linesOf(500, (n) => ({ text: 'x'.repeat(n % 37) })),
        siem: {
          limits: { maxBytes: 2000, maxEvents: null },
          frame: { open: '[', separator: ',', close: ']' },
        },
      },
      async (bench) => {
        const { report } = await bench.run({ mode: 'all' })
        const sizes = bench.siem.bodies.map((body) => Buffer.byteLength(body))
        assert(Math.max(...sizes) <= 2000)
        assert(Math.min(...sizes.slice(0, -1)) > 2000 - 200)
        assert.equal(
          report.bytesSent,
          sizes.reduce((sum, size) => sum + size, 0),
        )
        for (const body of bench.siem.bodies) JSON.parse(body)
        assertHeldOnce(bench)
      },
    ))

  test('larger than the usual goes alone where the provider takes it', () =>
    withBench(
      {
        lines: linesOf(5, (n) => (n === 2 ? { text: 'x'.repeat(3000) } : {})),
        siem: { limits: { maxBytes: 1000, maxEventBytes: 5000, maxAloneBytes: 5000 } },
      },
      async (bench) => {
        const { report } = await bench.run()
        assert.deepEqual(
          bench.siem.requests.map((ids) => ids.length),
          [2, 1, 2],
        )
        assert.equal(report.delivered, 5)
      },
    ))

  for (const [name, limits] of [
    ['event', { maxBytes: 10_000, maxEventBytes: 2000 }],
    ['body', { maxBytes: 2000, maxEventBytes: 5000 }],
  ] as const) {
    test(`never carries an event over the limit of an ${name}: it is a dead letter, and nothing is cut`, () =>
      withBench(
        { lines: linesOf(5, (n) => (n === 2 ? { text: 'x'.repeat(3000) } : {})), siem: { limits } },
        async (bench) => {
          const { report, exitCode } = await bench.run({ verify: true })
          assert.equal(exitCode, 4)
          assert.deepEqual([report.status, report.delivered, report.rejected], ['completed', 4, 1])
          const [letter] = bench.deadLetters(report.run)
          assert.equal(JSON.stringify(letter?.event), bench.source.lines[2])
          assert.deepEqual([letter?.code, letter?.attempts], ['too-large', 0])
          // Dead-lettered events are accounted for: the window is proven all the same.
          assert.equal(bench.ledger.proven.stretches('prod', 'soc').length, 1)
        },
      ))
  }
})

test('events go out as they were spooled where a provider adds nothing to them', () =>
  withBench(
    {
      lines: linesOf(4000, (n) => ({ text: `${n}`.padEnd(900, 'x') })),
      siem: { limits: { maxBytes: 1_000_000, maxEvents: 1000 } },
    },
    async (bench) => {
      const destination = { ...bench.parts.destination, encode: (streamed: Uint8Array) => streamed }
      const { report } = await bench.run({ mode: 'all' }, { destination })
      assert.equal(report.delivered, 4000)
      assert.deepEqual(
        bench.siem.rows.map(({ text }) => text),
        bench.source.lines,
      )
    },
  ))

describe('--limit', () => {
  test('selects the oldest, leaves the rest pending, and exits 0', () =>
    withBench({ lines: linesOf(250) }, async (bench) => {
      const { report, exitCode } = await bench.run({ limit: 120 })
      assert.equal(exitCode, 0)
      assert.deepEqual([report.status, report.selected, report.pending], ['partial', 120, 130])
      assert.deepEqual(bench.siem.ids(), idsOf(120))
      const rest = await bench.resume(report.run ?? '')
      assert.deepEqual([rest.report.status, rest.report.selected], ['completed', 250])
      assertHeldOnce(bench)
    }))

  test('counts an event once, however often its outcome was unknown', () =>
    withBench({ lines: linesOf(50), siem: { limits: { maxEvents: 10 }, graceMs: 1000 } }, async (bench) => {
      bench.siem.script.push(ANSWERS.resetBefore, ANSWERS.resetAfter, ANSWERS.resetBefore)
      const { report } = await bench.run({ limit: 30 })
      assert.deepEqual([report.selected, report.delivered, report.pending], [30, 30, 20])
      assert.deepEqual(bench.siem.ids().sort(), idsOf(30))
    }))
})

describe('--probe', () => {
  test('goes on once its batch was found', () =>
    withBench({ lines: linesOf(500), siem: { indexDelayMs: 20 * SECOND_MS } }, async (bench) => {
      const { report, exitCode } = await bench.run({ probe: true })
      assert.deepEqual([exitCode, report.delivered], [0, 500])
      const [probe, next] = bench.siem.sentAt
      assert((next ?? 0) - (probe ?? 0) >= 20 * SECOND_MS)
      assertHeldOnce(bench)
    }))

  test('not found leaves the rest pending: failed, exit 3', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      bench.siem.script.push(ANSWERS.forget)
      const { report, exitCode } = await bench.run({ probe: true })
      assert.equal(exitCode, 3)
      assert.deepEqual([report.status, report.requests, report.pending], ['failed', 1, 400])
      assert(bench.clock.now() >= (bench.siem.sentAt[0] ?? 0) + GRACE_MS)
    }))
})

describe('--verify', () => {
  test('waits for what becomes searchable within the grace', () =>
    withBench({ lines: linesOf(10), siem: { indexDelayMs: 50 * SECOND_MS } }, async (bench) => {
      const { report, exitCode } = await bench.run({ verify: true })
      assert.deepEqual([exitCode, report.verified, report.stillMissing], [0, true, 0])
    }))

  test('names how many were accepted and dropped: exit 3, and nothing is proven', () =>
    withBench({ lines: linesOf(10) }, async (bench) => {
      bench.siem.script.push({ stores: [[0, 6]] })
      const { report, exitCode } = await bench.run({ verify: true })
      assert.equal(exitCode, 3)
      assert.deepEqual([report.status, report.verified, report.stillMissing], ['completed', false, 4])
      assert.deepEqual(bench.ledger.proven.stretches('prod', 'soc'), [])
      const again = await bench.run({ verify: true })
      assert.deepEqual([again.exitCode, again.report.delivered], [0, 4])
      assertHeldOnce(bench)
    }))
})

describe('--max-rate', () => {
  test('keeps to so many events a second', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      const before = bench.clock.now()
      await bench.run({ maxRate: 50 })
      const took = bench.clock.now() - before
      assert(took >= 9 * SECOND_MS && took < 12 * SECOND_MS, `took ${took} ms`)
      for (const ids of bench.siem.requests) assert(ids.length <= 50)
    }))
})

describe('a dry run', () => {
  test('sends nothing, leaves nothing, and tells the truth to the byte', () =>
    withBench({ lines: linesOf(250) }, async (bench) => {
      const { report, exitCode } = await bench.plan()
      assert.equal(exitCode, 0)
      assert.deepEqual(
        [report.run, report.status, report.selected, report.pending],
        [null, 'planned', 0, 250],
      )
      assert.deepEqual(bench.ledger.listRuns(), [])
      const runs = join(bench.ledger.stateDir, 'runs')
      assert.deepEqual(existsSync(runs) ? readdirSync(runs) : [], [])
      assert.equal(bench.siem.requests.length, 0)
      const real = await bench.run()
      assert.deepEqual(
        [report.plan?.events, report.plan?.batches, report.plan?.bytes],
        [real.report.delivered, real.report.batches, real.report.bytesSent],
      )
    }))

  test('exits 2 where a guard would refuse', () =>
    withBench({ lines: linesOf(1000) }, async (bench) => {
      const { report, exitCode } = await bench.plan()
      assert.equal(exitCode, 2)
      assert.match(report.problems.join(), /none of 1,000 are held: wrong source, index or idField\?/)
      assertArithmetic(report)
    }))
})

describe('a signal', () => {
  test('lets requests in flight finish, and the message names the command that goes on', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      const { InterruptedError } = await import('../../../src/core/errors.ts')
      bench.siem.script.push(ANSWERS.accept, {
        during: () => bench.abort.abort(new InterruptedError('interrupted', 130)),
      })
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 130)
      assert.equal(report.status, 'interrupted')
      assert.match(report.problems.join(), new RegExp(`auditctl runs resume ${report.run}`))
      assert.equal(report.unresolved, 0)
      assert.equal(report.delivered, bench.siem.rows.length)
      const again = await bench.resume(report.run ?? '')
      assert.equal(again.report.status, 'completed')
      assertHeldOnce(bench)
    }))

  test('abandons a request that takes too long: it is unresolved until resumed', () =>
    withBench({ lines: linesOf(10) }, async (bench) => {
      const { InterruptedError } = await import('../../../src/core/errors.ts')
      const { deliver } = bench.parts.destination
      const destination = {
        ...bench.parts.destination,
        async deliver(batch: Parameters<typeof deliver>[0], options: Parameters<typeof deliver>[1]) {
          const receipt = await deliver(batch, options)
          bench.abort.abort(new InterruptedError('the deadline was reached', 124))
          await bench.clock.sleep(10 * MINUTE_MS, options.signal)
          return receipt
        },
      }
      const before = bench.clock.now()
      const { report, exitCode } = await bench.run({}, { destination })
      assert.equal(exitCode, 124)
      assert(bench.clock.now() - before < 6 * SECOND_MS)
      assert.deepEqual([report.status, report.unresolved, report.delivered], ['interrupted', 10, 0])
      const again = await bench.resume(report.run ?? '')
      assert.deepEqual([again.report.delivered, again.report.requests], [10, 1])
      assertHeldOnce(bench)
    }))

  test('while the window is scanned leaves a run that can be resumed, and the source is not read again for what is done', () =>
    withBench({ lines: linesOf(400) }, async (bench) => {
      const { InterruptedError } = await import('../../../src/core/errors.ts')
      let slices = 0
      const observe = () => {
        slices += 1
        if (slices === 2) bench.abort.abort(new InterruptedError('interrupted', 143))
      }
      bench.source.failure = undefined
      const first = await bench.run({}, { observe, concurrency: 1 })
      assert.equal(first.exitCode, 143)
      assert(first.report.scanned > 0 && first.report.scanned < 400, `${first.report.scanned} scanned`)
      assert.equal(bench.siem.requests.length, 0)
      const reads = bench.source.requests()
      const again = await bench.resume(first.report.run ?? '')
      assert.equal(again.report.scanned, 400)
      assert(bench.source.requests() - reads < 4)
      assertHeldOnce(bench)
    }))
})
