import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Invocation } from '../../../src/cli/invocation.ts'
import { progressReporter, progressTexts } from '../../../src/cli/progress.ts'
import type { Progress } from '../../../src/core/runtime.ts'
import { HOUR_MS, isoTime, SECOND_MS } from '../../../src/core/time-range.ts'
import { FAKE_START, fakeClock } from '../../support/fake-clock.ts'
import { fakeRuntime } from './fake-runtime.ts'

const WINDOW = { from: FAKE_START - 4 * HOUR_MS, to: FAKE_START }
const scanned = (hours: number, events: number): Progress => ({
  phase: 'scan',
  done: WINDOW.from + hours * HOUR_MS,
  events,
})
const sent = (delivered: number, more: Partial<Progress> = {}): Progress => ({
  ...{ phase: 'deliver', done: 0, events: 1000, total: 1000, delivered },
  ...more,
})

describe('the text of progress', () => {
  test('tells events, rate, how far, and how long it still takes', () => {
    const text = progressTexts(WINDOW, 0)
    assert.equal(
      text(scanned(1, 12_000), 3 * SECOND_MS),
      `scanning: 12,000 events, 4,000/s, through ${isoTime(WINDOW.from + HOUR_MS)}, 9s left`,
    )
    assert.equal(
      text(scanned(4, 48_000), 12 * SECOND_MS),
      `scanning: 48,000 events, 4,000/s, through ${isoTime(WINDOW.to)}`,
    )
  })

  test('measures each phase by itself: a long scan does not slow the delivery that follows', () => {
    const text = progressTexts(WINDOW, 0)
    text(scanned(4, 48_000), 600 * SECOND_MS)
    assert.equal(text(sent(0), 601 * SECOND_MS), 'delivering: 0 of 1,000 events, 0 retries, 0 not sent')
    assert.equal(
      text(sent(250, { retries: 3, rejected: 50 }), 603 * SECOND_MS),
      'delivering: 250 of 1,000 events, 125/s, 3 retries, 50 not sent, 5s left',
    )
  })

  test('of a resumed delivery counts only what this process sent in the rate', () => {
    const text = progressTexts(WINDOW, 0)
    text(sent(600), SECOND_MS)
    assert.match(text(sent(800), 2 * SECOND_MS), /800 of 1,000 events, 100\/s, .*, 2s left$/)
  })

  test('says what is looked for while unknown outcomes settle and deliveries are verified', () => {
    const text = progressTexts(WINDOW, 0)
    assert.equal(
      text({ phase: 'settle', done: 0, events: 1000, total: 1000 }, SECOND_MS),
      'settling: looking for 1,000 events of unknown outcome',
    )
    assert.equal(
      text({ phase: 'verify', done: 0, events: 20, total: 1000 }, SECOND_MS),
      'verifying: 20 of 1,000 not found yet',
    )
  })
})

describe('without a terminal', () => {
  const invocation = (options: Record<string, unknown>): Invocation => ({ path: ['gaps'], args: [], options })

  test('there is one line each half minute', async () => {
    const fake = fakeRuntime({})
    const clock = fakeClock()
    const reporter = await progressReporter(invocation({}), { ...fake.runtime, clock }, WINDOW)
    for (let second = 0; second < 95; second += 1) {
      await clock.sleep(SECOND_MS)
      reporter.observe(scanned(second / 60, second * 100))
    }
    reporter.stop()
    assert.equal(fake.log.length, 3)
    assert.match(fake.log[0] ?? '', /^scanning: 2,900 events, 97\/s, /)
    assert.equal(fake.stderr(), '')
  })

  test('there is none with --no-progress or -q', async () => {
    for (const [options, quiet] of [
      [{ progress: false }, false],
      [{}, true],
    ] as const) {
      const fake = fakeRuntime({})
      const clock = fakeClock()
      const reporter = await progressReporter(invocation(options), { ...fake.runtime, clock, quiet }, WINDOW)
      await clock.sleep(90 * SECOND_MS)
      reporter.observe(scanned(1, 1))
      assert.deepEqual(fake.log, [])
    }
  })
})

describe('on a terminal', () => {
  test('nothing is drawn while a person is asked, and the next step at once after that', async () => {
    const fake = fakeRuntime({ keys: [] })
    const clock = fakeClock()
    const runtime = { ...fake.runtime, clock, io: { ...fake.runtime.io, env: { TERM: 'xterm' } } }
    const reporter = await progressReporter({ path: ['backfill'], args: [], options: {} }, runtime, WINDOW)
    try {
      clock.advance(SECOND_MS)
      reporter.observe(scanned(1, 100))
      const goOn = reporter.hold()
      const before = fake.stderr()
      reporter.observe(scanned(2, 200))
      // The bar would draw by its own timer, which is a real one.
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.equal(fake.stderr(), before)
      goOn()
      reporter.observe(sent(0))
      await new Promise((resolve) => setTimeout(resolve, 300))
      assert.match(fake.stderr().slice(before.length), /delivering: 0 of 1,000 events/)
    } finally {
      reporter.stop()
    }
  })
})
