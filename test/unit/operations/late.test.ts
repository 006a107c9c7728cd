import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { UserError } from '../../../src/core/errors.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'
import { createResend } from '../../../src/operations/backfill/resend.ts'
import { assertHeldOnce, type Bench, idsOf, linesOf, withBench } from '../../support/scripted-backfill.ts'
import { ANSWERS } from '../../support/scripted-siem.ts'

// The window begins five hours ago; of 40 events in four hours, the ten of its first hour are late.
const accepts = { pastMs: 4 * HOUR_MS + 3 * MINUTE_MS }
const setup = { lines: linesOf(40), siem: { accepts } }

function archived(bench: Bench, run: string | null): { _id: string; attributes: { id: string } }[] {
  const root = join(bench.ledger.folderOf(run ?? ''), 'archive')
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json.gz'))
    .sort()
    .flatMap((name) => {
      assert.match(name, /^dt=\d{8}\/hour=\d\d\/archive_\d{6}\.\d{4}\.[0-9a-f]{22}\.json\.gz$/)
      const lines = gunzipSync(readFileSync(join(root, name)))
        .toString()
        .trimEnd()
        .split('\n')
      return lines.map((line) => JSON.parse(line) as { _id: string; attributes: { id: string } })
    })
}

describe('late events', () => {
  test('are skipped into the dead letters: exit 4, and the message names how many, how old and the choices', () =>
    withBench(setup, async (bench) => {
      const { report, exitCode } = await bench.run({ late: 'skip', verify: true })
      assert.equal(exitCode, 4)
      assert.deepEqual(
        [report.status, report.late, report.archived, report.delivered],
        ['completed', 10, 0, 30],
      )
      const [problem = ''] = report.problems
      for (const part of [
        /10 events are too late for soc/,
        /5h old/,
        /at most 4h/,
        /restamp or archive/,
        /runs rejects/,
      ])
        assert.match(problem, part)
      const letters = bench.deadLetters(report.run)
      assert.deepEqual(
        letters.map(({ event }) => event.id),
        idsOf(10),
      )
      assert(letters.every(({ code, attempts }) => code === 'late' && attempts === 0))
      assert.deepEqual(bench.siem.ids(), idsOf(30, 10))
      // They are accounted for.
      assert.equal(bench.ledger.proven.stretches('prod', 'soc').length, 1)
    }))

  test('stop everything with fail: exit 2, nothing is sent, and the run disappears', () =>
    withBench(setup, async (bench) => {
      await assert.rejects(bench.run({ late: 'fail' }), (error: UserError) => {
        assert(error instanceof UserError)
        assert.match(error.message, /10 of the events are outside what soc keeps/)
        return true
      })
      assert.equal(bench.siem.requests.length, 0)
      assert.deepEqual(bench.ledger.listRuns(), [])
      assert.deepEqual(readdirSync(join(bench.ledger.stateDir, 'runs')), [])
    }))

  test('are sent without their own time with restamp: delivered, with a warning', () =>
    withBench(setup, async (bench) => {
      const { report, exitCode } = await bench.run({ late: 'restamp', lateIsNamed: true })
      assert.deepEqual([exitCode, report.delivered, report.late], [0, 40, 0])
      assert.match(report.warnings.join(), /10 events were sent without their own time/)
      const restamped = bench.siem.rows.filter(({ text }) => text.includes('"restamped":true'))
      assert.deepEqual(
        restamped.map(({ id }) => id),
        idsOf(10),
      )
    }))

  test('are not restamped by a default that nobody named, unless it is agreed to', () =>
    withBench(setup, async (bench) => {
      await assert.rejects(bench.run({ late: 'restamp', yes: false }), /10 events would be dated by arrival/)
      assert.equal(bench.siem.requests.length, 0)
      const asked: (readonly string[])[] = []
      const confirm = async (_: unknown, doubts: readonly string[]) => {
        asked.push(doubts)
        return true
      }
      const { report } = await bench.run({ late: 'restamp', yes: false }, { confirm })
      assert.match(asked.join(), /dated by arrival/)
      assert.equal(report.delivered, 40)
    }))

  test('are written to the archive: late and archived, not dead-lettered, exit 0, and never twice', () =>
    withBench(setup, async (bench) => {
      const { report, exitCode } = await bench.run({ late: 'archive' })
      assert.equal(exitCode, 0)
      assert.deepEqual([report.late, report.archived, report.deadLetter], [10, 10, null])
      assert.match(report.warnings.join(), /10 events are too late for soc and were written to/)
      const rows = archived(bench, report.run)
      assert.deepEqual(
        rows.map((row) => [row._id, row.attributes.id]),
        idsOf(10).map((id) => [id, id]),
      )
      const again = await bench.run({ late: 'archive' })
      assert.deepEqual([again.exitCode, again.report.archived, again.report.selected], [0, 10, 10])
      assert.throws(() => archived(bench, again.report.run))
    }))

  test('are seen in a dry run: restamped events count as events and as late', () =>
    withBench(setup, async (bench) => {
      const skip = await bench.plan({ late: 'skip' })
      assert.deepEqual([skip.report.plan?.events, skip.report.plan?.late], [30, 10])
      const restamp = await bench.plan({ late: 'restamp', lateIsNamed: true })
      assert.deepEqual([restamp.report.plan?.events, restamp.report.plan?.late], [40, 10])
      assert.equal((await bench.plan({ late: 'fail' })).exitCode, 2)
    }))

  for (const late of ['skip', 'fail', 'restamp', 'archive'] as const) {
    test(`that age out between two attempts get the rule too: ${late}`, () =>
      withBench(
        { lines: linesOf(40), siem: { accepts: { pastMs: 5 * HOUR_MS + MINUTE_MS } } },
        async (bench) => {
          // A pause of four minutes and more: the first event, five hours old, is too old afterwards; the next six minutes younger.
          bench.siem.script.push(ANSWERS.throttle(250_000))
          const { report, exitCode } = await bench.run({ late, lateIsNamed: true })
          const isSent = late === 'restamp'
          assert.equal(report.delivered, isSent ? 40 : 39)
          assert.equal(report.late, isSent ? 0 : 1)
          assert.equal(report.archived, late === 'archive' ? 1 : 0)
          assert.equal(exitCode, late === 'skip' || late === 'fail' ? 4 : 0)
          if (isSent) {
            assertHeldOnce(bench)
            assert.match(bench.siem.rows[0]?.text ?? '', /restamped/)
          }
        },
      ))
  }

  test('of the future are late as well', () =>
    withBench(
      { lines: linesOf(40), siem: { accepts: { futureMs: -2 * HOUR_MS - 3 * MINUTE_MS } } },
      async (bench) => {
        const { report } = await bench.run({ late: 'skip' })
        assert.equal(report.late, 10)
      },
    ))
})

describe('runs resend', () => {
  test('sends the dead letters again as a run of its own, and a second --missing leaves them alone until then', () =>
    withBench(setup, async (bench) => {
      const first = await bench.run({ late: 'skip' })
      const second = await bench.run({ late: 'restamp', lateIsNamed: true })
      assert.deepEqual([second.exitCode, second.report.late, second.report.requests], [4, 10, 0])
      assert.match(second.report.problems.join(), /earlier runs, which runs resend tries again/)
      const of = bench.ledger.readRun(first.report.run ?? '')
      assert(of !== undefined)
      const parts = { ...bench.parts, shape: bench.source.shape }
      const options = { file: undefined, late: 'restamp' as const, mark: false, verify: true }
      const run = await createResend(parts, of, options)
      assert.equal(
        (await createResend(parts, of, options)).id,
        run.id,
        'one left in the middle is gone on with',
      )
      const { report, exitCode } = await bench.resume(run.id, { mode: 'all', late: 'restamp', verify: true })
      assert.equal(exitCode, 0)
      assert.deepEqual([report.mode, report.scanned, report.delivered], ['resend', 10, 10])
      assertHeldOnce(bench)
      const third = await createResend(parts, of, options)
      const again = await bench.resume(third.id, { mode: 'all', late: 'restamp' })
      assert.deepEqual([again.report.alreadyHeld, again.report.delivered], [10, 0])
      assertHeldOnce(bench)
    }))

  test('honours fail, and is forgotten when it is refused', () =>
    withBench(setup, async (bench) => {
      const first = await bench.run({ late: 'skip' })
      const of = bench.ledger.readRun(first.report.run ?? '')
      assert(of !== undefined)
      const parts = { ...bench.parts, shape: bench.source.shape }
      const run = await createResend(parts, of, { file: undefined, late: 'fail', mark: false, verify: false })
      await assert.rejects(bench.resume(run.id, { mode: 'all', late: 'fail' }), UserError)
      assert.equal(bench.ledger.readRun(run.id), undefined)
    }))
})
