import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { totalTimeouts } from '../../../src/http/total-timeouts.ts'

test('requests that begin within a hundredth of their timeout share one, and no others do', () => {
  let now = 1000
  const timeoutOf = totalTimeouts({ monotonic: () => now })
  const first = timeoutOf(30_000)
  now += 299
  assert.equal(timeoutOf(30_000), first)
  assert.notEqual(timeoutOf(31_000), first)
  const second = timeoutOf(30_000)
  now += 300
  assert.notEqual(timeoutOf(30_000), second)
  assert.notEqual(timeoutOf(500), timeoutOf(500))
})

test('a timeout comes, shared or not, and not before its time', async () => {
  const started = performance.now()
  const timeoutOf = totalTimeouts({ monotonic: () => performance.now() })
  const [short, long] = [timeoutOf(20), timeoutOf(1000)]
  const shared = timeoutOf(1000)
  await once(short, 'abort')
  assert.ok(performance.now() - started >= 19)
  assert.equal(shared.aborted, false)
  await once(shared, 'abort')
  assert.ok(long.aborted && performance.now() - started >= 999)
})
