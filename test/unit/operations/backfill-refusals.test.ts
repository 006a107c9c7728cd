import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RemoteConfigError } from '../../../src/core/errors.ts'
import { createResend } from '../../../src/operations/backfill/resend.ts'
import { assertHeldOnce, linesOf, withBench } from '../../support/scripted-backfill.ts'
import { ANSWERS, type Answer } from '../../support/scripted-siem.ts'
import { idOf } from '../../support/scripted-source.ts'

const EVENTS = 900
/** A 400 that names no event. */
const REFUSED: Answer = {
  stores: 'none',
  receipt: (n) => ({ split: [[0, n]], code: 'http-400', reason: 'bad schema' }),
}
const poison =
  (count: number, from = 0) =>
  (ids: readonly string[]): Answer =>
    ids.some((id) => id >= idOf(from) && id < idOf(from + count)) ? REFUSED : ANSWERS.accept

describe('a far side that refuses every event alone', () => {
  test('stops the run before one is given up: exit 2, and the same run sends them all once it is put right', () =>
    withBench({ lines: linesOf(EVENTS) }, async (bench) => {
      bench.siem.judge = () => REFUSED
      const { report, exitCode, failure } = await bench.run()
      assert.equal(exitCode, 2)
      assert.ok(failure instanceof RemoteConfigError)
      assert.match(failure.message, /the stream soc refuses everything: .*bad schema/)
      assert.match(failure.hint ?? '', /stream test soc --send.*runs resume/)
      assert.deepEqual(
        [report.status, report.delivered, report.rejected, report.unresolved, report.pending],
        ['failed', 0, 0, 0, EVENTS],
      )
      assert.equal(report.deadLetter, null)
      // Twenty of the first hundred alone, with what had to be halved on the way, and then down to the last.
      assert.ok(report.requests < 70, `${report.requests} requests`)
      bench.siem.judge = undefined
      const again = await bench.resume(report.run ?? '')
      assert.deepEqual([again.exitCode, again.report.delivered], [0, EVENTS])
      assertHeldOnce(bench)
    }))

  test('in mid-run is exit 6, with what was taken before it delivered', () =>
    withBench({ lines: linesOf(EVENTS) }, async (bench) => {
      bench.siem.judge = poison(EVENTS, 400)
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 6)
      assert.deepEqual([report.delivered, report.rejected, report.pending], [400, 0, EVENTS - 400])
      bench.siem.judge = undefined
      assert.equal((await bench.resume(report.run ?? '')).exitCode, 0)
      assertHeldOnce(bench)
    }))

  test('where each request holds one event stops it as well', () =>
    withBench({ lines: linesOf(50), siem: { limits: { maxEvents: 1 }, concurrency: 1 } }, async (bench) => {
      bench.siem.judge = () => REFUSED
      const { report, exitCode } = await bench.run()
      assert.deepEqual([exitCode, report.rejected, report.pending, report.requests], [2, 0, 50, 20])
    }))
})

describe('many events in a row that are at fault themselves', () => {
  for (const [place, from] of [
    ['the beginning of the run', 0],
    ['the middle of a batch', 430],
    ['the end of the run', EVENTS - 60],
  ] as const) {
    test(`at ${place} are dead letters, and all others arrive once`, () =>
      withBench({ lines: linesOf(EVENTS) }, async (bench) => {
        // Not the last of a batch: its fate is what tells the two apart.
        const count = from === EVENTS - 60 ? 59 : 60
        bench.siem.judge = poison(count, from)
        const { report, exitCode } = await bench.run()
        assert.deepEqual(
          [exitCode, report.status, report.rejected, report.delivered],
          [4, 'completed', count, EVENTS - count],
        )
        const letters = bench.deadLetters(report.run)
        assert.deepEqual(
          letters.map(({ event }) => event.id).sort(),
          Array.from({ length: count }, (_, i) => idOf(from + i)),
        )
        assert.ok(letters.every(({ code, reason }) => code === 'http-400' && reason === 'bad schema'))
        assert.equal(new Set(bench.siem.ids()).size, bench.siem.ids().length)
      }))
  }

  test('that are all there is to send are dead letters when they are few', () =>
    withBench({ lines: linesOf(7) }, async (bench) => {
      bench.siem.judge = () => REFUSED
      const { report, exitCode } = await bench.run({ maxMissing: { percent: 100 } })
      assert.deepEqual([exitCode, report.status, report.rejected], [4, 'completed', 7])
    }))

  test('of which a killed run had not yet made dead letters are tried again by the next process', () =>
    withBench({ lines: linesOf(300) }, async (bench) => {
      bench.siem.judge = poison(5)
      const run = bench.start()
      bench.siem.judge = (ids) => {
        if (ids.length === 1) bench.abort.abort(new Error('killed'))
        return poison(5)(ids)
      }
      const first = await bench.resume(run.id, {}, { signal: bench.abort.signal })
      assert.deepEqual([first.report.rejected, first.report.deadLetter], [0, null])
      bench.siem.judge = poison(5)
      const { report, exitCode } = await bench.resume(run.id)
      assert.deepEqual([exitCode, report.rejected, report.delivered], [4, 5, 295])
    }))

  test('that are sent once more by hand and refused again are dead letters once more, however many', () =>
    withBench({ lines: linesOf(EVENTS) }, async (bench) => {
      bench.siem.judge = poison(60, 430)
      const first = await bench.run()
      assert.equal(first.report.rejected, 60)
      const of = bench.ledger.readRun(first.report.run ?? '')
      assert.ok(of !== undefined)
      const parts = { ...bench.parts, shape: bench.source.shape }
      const options = { file: undefined, late: 'skip' as const, mark: false, verify: false }
      const run = await createResend(parts, of, options)
      const { report, exitCode } = await bench.resume(run.id, { mode: 'all' })
      assert.deepEqual([exitCode, report.mode, report.rejected, report.pending], [4, 'resend', 60, 0])
    }))
})
