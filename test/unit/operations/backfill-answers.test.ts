import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Receipt } from '../../../src/core/destination.ts'
import { AuthError, RemoteConfigError, UnavailableError, UserError } from '../../../src/core/errors.ts'
import { assertHeldOnce, idsOf, linesOf, withBench } from '../../support/scripted-backfill.ts'
import { ANSWERS, type Answer } from '../../support/scripted-siem.ts'
import { idOf } from '../../support/scripted-source.ts'

const GRACE_MS = 60_000

describe('an answer', () => {
  const cases: {
    readonly name: string
    readonly answers: readonly Answer[]
    readonly requests: number
    readonly waitedAtLeastMs?: number
  }[] = [
    { name: 'busy is tried again', answers: [ANSWERS.busy, ANSWERS.busy], requests: 3 },
    {
      name: 'that asks for a pause is obeyed',
      answers: [ANSWERS.throttle(45_000)],
      requests: 2,
      waitedAtLeastMs: 45_000,
    },
    { name: 'too large is halved until it fits', answers: [ANSWERS.tooLarge, ANSWERS.tooLarge], requests: 5 },
    {
      name: 'that never came is settled: what was not stored goes again after the grace',
      answers: [ANSWERS.resetBefore],
      requests: 2,
      waitedAtLeastMs: GRACE_MS,
    },
    {
      name: 'that never came is settled: what was stored is not sent again',
      answers: [ANSWERS.resetAfter],
      requests: 1,
    },
    { name: 'that names no position is unknown, not accepted', answers: [ANSWERS.silent], requests: 1 },
    {
      name: 'in which half was stored and nobody knows is settled event by event',
      answers: [{ stores: [[0, 7]], receipt: (n) => ({ unknown: [[0, n]], code: 'timeout' }) }],
      requests: 2,
      waitedAtLeastMs: GRACE_MS,
    },
    {
      name: 'that only says what was stored is looked up: lost in truth',
      answers: [
        { stores: 'none', receipt: () => ({ unverified: [[0, 5]], retry: [[5, 10]], code: 'hec-9' }) },
      ],
      requests: 3,
      waitedAtLeastMs: GRACE_MS,
    },
    {
      name: 'that only says what was stored is looked up: there in truth',
      answers: [
        { stores: [[0, 5]], receipt: () => ({ unverified: [[0, 5]], retry: [[5, 10]], code: 'hec-9' }) },
      ],
      requests: 2,
    },
    {
      name: 'that asks to slow down is accepted',
      answers: [{ receipt: (n) => ({ accepted: [[0, n]], slowDownMs: 5000, code: 'hec-24' }) }],
      requests: 1,
    },
  ]
  for (const { name, answers, requests, waitedAtLeastMs = 0 } of cases) {
    test(name, () =>
      withBench({ lines: linesOf(10), siem: { graceMs: GRACE_MS } }, async (bench) => {
        bench.siem.script.push(...answers)
        const before = bench.clock.now()
        const { report, exitCode } = await bench.run()
        assert.equal(exitCode, 0)
        assert.deepEqual([report.delivered, report.duplicatesPossible, report.unresolved], [10, 0, 0])
        assert.equal(report.requests, requests)
        assert.equal(bench.siem.requests.length, requests)
        const waited = bench.clock.now() - before
        assert(waited >= waitedAtLeastMs, `waited ${waited} ms`)
        assertHeldOnce(bench)
      }),
    )
  }

  test('that asks the run to slow down holds up every delivery', () =>
    withBench({ lines: linesOf(300), siem: { limits: { maxEvents: 10 } } }, async (bench) => {
      bench.siem.script.push(ANSWERS.accept, ANSWERS.throttle(30_000))
      await bench.run()
      const [, throttled = 0] = bench.siem.sentAt
      // Those that were under way by then could not know.
      const early = bench.siem.sentAt.slice(2).filter((at) => at < throttled + 30_000)
      assert(early.length <= 3, `${early.length} requests were sent in the pause`)
      assertHeldOnce(bench)
    }))

  test('that asks for hours ends the run, which says so', () =>
    withBench({ lines: linesOf(10) }, async (bench) => {
      bench.siem.script.push(ANSWERS.throttle(7_200_000))
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 6)
      assert.deepEqual([report.status, report.pending], ['failed', 10])
      assert.match(report.problems.join(), /asks for a pause of 2h/)
      assert(bench.clock.now() < (bench.siem.sentAt[0] ?? 0) + 10_000)
      const again = await bench.resume(report.run ?? '')
      assert.equal(again.exitCode, 0)
      assertHeldOnce(bench)
    }))

  for (const place of [0, 57, 99]) {
    for (const kind of ['named', 'not named'] as const) {
      test(`refusing event ${place} of 100, ${kind}: it alone becomes a dead letter, its neighbours arrive once`, () =>
        withBench({ lines: linesOf(100) }, async (bench) => {
          const poison = idOf(place)
          bench.siem.judge = (ids) => {
            const at = ids.indexOf(poison)
            if (at < 0) return undefined
            if (kind === 'not named')
              return { stores: 'none', receipt: (n) => ({ split: [[0, n]], code: 'http-400' }) }
            const receipt = (n: number): Partial<Receipt> => ({
              ...(at > 0 ? { unverified: [[0, at]] } : {}),
              rejected: [{ position: at, code: 'hec-6', reason: 'Invalid data format' }],
              ...(at + 1 < n ? { retry: [[at + 1, n]] } : {}),
              code: 'hec-6',
            })
            return { stores: [[0, at]], receipt }
          }
          const { report, exitCode } = await bench.run()
          assert.equal(exitCode, 4)
          assert.deepEqual([report.delivered, report.rejected], [99, 1])
          const letters = bench.deadLetters(report.run)
          assert.deepEqual(
            letters.map(({ event }) => JSON.stringify(event)),
            [bench.source.lines[place]],
          )
          assert((letters[0]?.attempts ?? 0) >= 1)
          assert.deepEqual(
            bench.siem.ids().sort(),
            idsOf(100).filter((id) => id !== poison),
          )
        }))
    }
  }

  test('refusing more events than there are attempts isolates each of them', () =>
    withBench({ lines: linesOf(100) }, async (bench) => {
      const poison = new Set([3, 9, 20, 21, 22, 50, 60, 70, 80, 99].map(idOf))
      bench.siem.judge = (ids) => {
        const at = ids.findIndex((id) => poison.has(id))
        if (at < 0) return undefined
        return {
          stores: [[0, at]],
          receipt: (n) => ({
            unverified: at > 0 ? [[0, at]] : [],
            rejected: [{ position: at, code: 'hec-6', reason: 'bad' }],
            retry: at + 1 < n ? [[at + 1, n]] : [],
            code: 'hec-6',
          }),
        }
      }
      const { report, exitCode } = await bench.run()
      assert.deepEqual([exitCode, report.delivered, report.rejected, report.retries], [4, 90, 10, 0])
    }))
})

describe('without an inventory', () => {
  test('an unknown outcome is sent again and counted as a possible duplicate', () =>
    withBench({ lines: linesOf(10), hasInventory: false }, async (bench) => {
      bench.siem.script.push(ANSWERS.resetAfter)
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 0)
      assert.deepEqual([report.delivered, report.duplicatesPossible], [10, 10])
      assert.equal(bench.siem.rows.length, 20)
    }))

  test('no answer when the retries end is unresolved: exit 7, partial, and resume settles it', () =>
    withBench({ lines: linesOf(10), hasInventory: false }, async (bench) => {
      bench.siem.script.push(...new Array(3).fill(ANSWERS.resetBefore))
      const { report, exitCode } = await bench.run({ maxAttempts: 3 })
      assert.equal(exitCode, 7)
      assert.deepEqual([report.status, report.unresolved, report.delivered], ['partial', 10, 0])
      const again = await bench.resume(report.run ?? '')
      assert.equal(again.exitCode, 0)
      assert.deepEqual([again.report.delivered, again.report.duplicatesPossible], [10, 30])
      assert.equal(again.report.requests, 4)
    }))

  test('a far side that has stopped answering is not sent the whole spool', () =>
    withBench(
      { lines: linesOf(1000), hasInventory: false, siem: { limits: { maxEvents: 10 } } },
      async (bench) => {
        bench.siem.judge = () => ANSWERS.resetBefore
        const { report, exitCode } = await bench.run()
        assert.equal(exitCode, 7)
        assert(bench.siem.requests.length <= 6, `${bench.siem.requests.length} requests`)
        assert.equal(report.pending, 990)
        bench.siem.judge = undefined
        assert.equal((await bench.resume(report.run ?? '')).exitCode, 0)
        assertHeldOnce(bench)
      },
    ))

  for (const flag of ['verify', 'probe'] as const) {
    test(`--${flag} is refused before anything is read`, () =>
      withBench({ lines: linesOf(10), hasInventory: false }, async (bench) => {
        await assert.rejects(bench.run({ [flag]: true }), (error) => error instanceof UserError)
        assert.deepEqual([bench.source.requests(), bench.siem.requests.length], [0, 0])
      }))
  }
})

describe('a far side that is down', () => {
  test('with an inventory ends in exit 6 after some rounds, with nothing unknown', () =>
    withBench({ lines: linesOf(200), siem: { graceMs: 1000, limits: { maxEvents: 10 } } }, async (bench) => {
      bench.siem.judge = () => ANSWERS.resetBefore
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 6)
      assert.deepEqual([report.status, report.unresolved, report.pending], ['failed', 0, 200])
      assert(bench.siem.requests.length < 50, `${bench.siem.requests.length} requests`)
      bench.siem.judge = undefined
      await bench.resume(report.run ?? '')
      assertHeldOnce(bench)
    }))

  test('refusing without storing ends in exit 6 when the attempts are spent', () =>
    withBench({ lines: linesOf(200), siem: { limits: { maxEvents: 10 } } }, async (bench) => {
      bench.siem.judge = () => ANSWERS.busy
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 6)
      assert.equal(bench.siem.requests.length, 6)
      assert.match(report.problems.join(), /kept refusing: the SIEM said busy \(6 attempts\)/)
      bench.siem.judge = undefined
      await bench.resume(report.run ?? '')
      assertHeldOnce(bench)
    }))

  test('while its search is down too leaves the unknown unresolved: exit 7', () =>
    withBench({ lines: linesOf(10), siem: { graceMs: 1000 } }, async (bench) => {
      bench.siem.hold([])
      bench.siem.script.push(ANSWERS.resetAfter)
      const fail = () => {
        throw new UnavailableError('the search is down')
      }
      bench.siem.searches.push(() => ({}), fail, fail)
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 7)
      assert.deepEqual([report.status, report.unresolved], ['partial', 10])
      const again = await bench.resume(report.run ?? '')
      assert.equal(again.exitCode, 0)
      assertHeldOnce(bench)
    }))
})

describe('a refusal of the remote', () => {
  test('of the credentials: exit 5, one attempt, and the same run goes on once they are right', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      bench.siem.judge = () => ANSWERS.stop(new AuthError('invalid token'))
      const { report, exitCode } = await bench.run()
      assert.equal(exitCode, 5)
      assert.equal(bench.siem.requests.length, 1)
      assert.deepEqual([report.status, report.pending], ['failed', 500])
      bench.siem.judge = undefined
      await bench.resume(report.run ?? '')
      assertHeldOnce(bench)
    }))

  test('of the configuration: exit 2 when nothing was delivered, else 6', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      const stop = ANSWERS.stop(new RemoteConfigError('incorrect index'))
      bench.siem.script.push(stop)
      const first = await bench.run()
      assert.equal(first.exitCode, 2)
      bench.siem.script.push(ANSWERS.accept, stop)
      const second = await bench.resume(first.report.run ?? '')
      assert.equal(second.exitCode, 6)
      await bench.resume(first.report.run ?? '')
      assertHeldOnce(bench)
    }))

  test('in one of several deliveries ends the pauses of the others', () =>
    withBench({ lines: linesOf(500) }, async (bench) => {
      bench.siem.script.push(ANSWERS.accept, ANSWERS.busy, ANSWERS.stop(new AuthError('expired')))
      const { exitCode } = await bench.run()
      assert.equal(exitCode, 5)
      assert(bench.siem.requests.length <= 5)
    }))
})
