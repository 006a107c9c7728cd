import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FAKE_START, fakeClock } from '../../support/fake-clock.ts'

test('the fake clock wakes sleepers in the order of their ends, and its time is the last end', async () => {
  const clock = fakeClock()
  const woken: string[] = []
  const sleep = async (name: string, ms: number) => {
    await clock.sleep(ms)
    woken.push(`${name} at ${clock.monotonic()}`)
  }
  await Promise.all([sleep('late', 3_600_000), sleep('soon', 10), sleep('also late', 3_600_000)])
  assert.deepEqual(woken, ['soon at 10', 'late at 3600000', 'also late at 3600000'])
  assert.equal(clock.now(), FAKE_START + 3_600_000)
  assert.deepEqual(clock.slept, [3_600_000, 10, 3_600_000])
})

test('the fake clock ends a sleep with the reason of its signal, without moving', async () => {
  const clock = fakeClock()
  const controller = new AbortController()
  const reason = new Error('stop')
  const sleeping = clock.sleep(1000, controller.signal)
  controller.abort(reason)
  await assert.rejects(sleeping, reason)
  await assert.rejects(clock.sleep(1000, controller.signal), reason)
  assert.equal(clock.monotonic(), 0)
})

test('the fake clock throws the same dice for the same seed', () => {
  const throwTen = (seed: number) => {
    const clock = fakeClock(FAKE_START, seed)
    return Array.from({ length: 10 }, () => clock.random())
  }
  assert.deepEqual(throwTen(7), throwTen(7))
  assert.notDeepEqual(throwTen(7), throwTen(8))
  assert.ok(throwTen(7).every((number) => number >= 0 && number < 1))
})
