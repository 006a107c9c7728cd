import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpDate, retryAfterMs, retryDelay } from '../../../src/http/retry-delay.ts'

const budget = { maxAttempts: 6, maxWaitMs: 300_000, waitedMs: 0, random: 0.5 }
const NOW = Date.parse('2026-11-20T12:00:00.000Z')

test('retryDelay() without a word from the server doubles its bound up to a minute, and takes a random part of it', () => {
  const delays = [1, 2, 3, 4, 5, 8, 9].map((attempt) =>
    retryDelay(attempt, {}, { ...budget, maxAttempts: 20 }),
  )
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 30_000, 30_000])
  assert.equal(retryDelay(3, {}, { ...budget, random: 0 }), 0)
  assert.equal(retryDelay(3, {}, { ...budget, random: 0.999 }), 3996)
})

test('retryDelay() obeys Retry-After to the millisecond, without jitter', () => {
  for (const random of [0, 0.3, 0.99]) {
    assert.equal(retryDelay(1, { retryAfterMs: 59_000 }, { ...budget, random }), 59_000)
  }
})

test('retryDelay() backs off by itself when asked to come back in 0 seconds', () => {
  assert.equal(retryDelay(2, { retryAfterMs: 0 }, budget), 1000)
})

test('retryDelay() gives up rather than wait longer than maxWaitMs', () => {
  assert.equal(retryDelay(1, { retryAfterMs: 300_000 }, budget), 300_000)
  assert.equal(retryDelay(1, { retryAfterMs: 300_001 }, budget), undefined)
})

test('retryDelay() gives up when all waits together would exceed the budget', () => {
  assert.equal(retryDelay(2, { retryAfterMs: 200_000 }, { ...budget, waitedMs: 100_000 }), 200_000)
  assert.equal(retryDelay(2, { retryAfterMs: 200_000 }, { ...budget, waitedMs: 100_001 }), undefined)
})

test('retryDelay() gives up after the last attempt', () => {
  assert.equal(retryDelay(5, {}, budget), 8000)
  assert.equal(retryDelay(6, {}, budget), undefined)
})

test('retryDelay() refuses an attempt below 1', () => {
  for (const attempt of [0, -1, Number.NaN]) assert.throws(() => retryDelay(attempt, {}, budget), RangeError)
})

test('retryAfterMs() reads seconds and dates, and nothing else', () => {
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    ['59', 59_000],
    [' 59 ', 59_000],
    ['0', 0],
    ['-5', 0],
    ['1.5', 1500],
    ['999999999', 999_999_999_000],
    ['Fri, 20 Nov 2026 12:00:30 GMT', 30_000],
    ['Friday, 20-Nov-26 12:00:30 GMT', 30_000],
    ['Fri Nov 20 12:00:30 2026', 30_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
    ['Fri, nonsense', undefined],
    [undefined, undefined],
  ]
  for (const [value, expected] of cases) assert.equal(retryAfterMs(value, { nowMs: NOW }), expected, value)
})

test("retryAfterMs() measures a date against the answer's own clock, not ours", () => {
  const date = 'Fri, 20 Nov 2026 15:00:00 GMT'
  assert.equal(retryAfterMs('Fri, 20 Nov 2026 15:00:10 GMT', { nowMs: NOW, date }), 10_000)
  assert.equal(retryAfterMs('Fri, 20 Nov 2026 12:00:10 GMT', { nowMs: NOW, date: 'garbage' }), 10_000)
})

test('httpDate() does not take other spellings of time for dates', () => {
  for (const text of ['2026-11-20T12:00:00Z', '12', '', 'GMT']) assert.equal(httpDate(text), undefined, text)
})
