import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evenPace, type Permit, rateLimiter, rateReading, slowDownMs } from '../../../src/http/rate-limit.ts'
import { type FakeClock, fakeClock } from '../../support/fake-clock.ts'
import { ask, client, json, serve } from './loopback.ts'

const signal = new AbortController().signal
const NOW = Date.parse('2026-11-20T12:00:00.000Z')

/** The fixed window that Infisical keeps: the first request opens it, the reset is rounded up to seconds. */
function windowOf(clock: FakeClock, limit: number, lengthMs = 60_000) {
  let opensAt = Number.NEGATIVE_INFINITY
  let used = 0
  const counts = { refused: 0, accepted: 0 }
  const head = () => {
    const now = clock.monotonic()
    if (now >= opensAt + lengthMs) {
      opensAt = now
      used = 0
    }
    used += 1
    const isRefused = used > limit
    counts[isRefused ? 'refused' : 'accepted'] += 1
    const reset = String(Math.ceil((opensAt + lengthMs - now) / 1000))
    return {
      status: isRefused ? 429 : 200,
      headers: {
        'x-ratelimit-limit': String(limit),
        'x-ratelimit-remaining': String(Math.max(0, limit - used)),
        'x-ratelimit-reset': reset,
        ...(isRefused ? { 'retry-after': reset } : undefined),
      },
    }
  }
  return { head, counts }
}

test('sixteen workers read 1,200 pages from a server that allows 600 a minute without one 429 and with one wait', async (t) => {
  const { http, clock } = client(t)
  const { head, counts } = windowOf(clock, 600)
  const server = await serve(t, (response) => {
    const { status, headers } = head()
    json(response, status, { auditLogs: [] }, headers)
  })
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  let left = 1200
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) assert.equal((await service.request(ask())).status, 200)
    }),
  )
  assert.deepEqual(counts, { accepted: 1200, refused: 0 })
  assert.equal(server.seen.length, 1200)
  assert.equal(clock.monotonic(), 60_000, 'waited as long as the server asked, once')
})

test('workers of several services share the pace of one origin', async (t) => {
  const { http, clock } = client(t)
  const { head, counts } = windowOf(clock, 30)
  const server = await serve(t, (response) => {
    const { status, headers } = head()
    json(response, status, {}, headers)
  })
  const services = ['one', 'two', 'three'].map((name) =>
    http.service({ service: name, baseUrl: `${server.url}/${name}` }),
  )
  await Promise.all(
    services.map(async (service) => {
      for (let i = 0; i < 20; i += 1) await service.request(ask())
    }),
  )
  assert.deepEqual(counts, { accepted: 60, refused: 0 })
  assert.equal(clock.monotonic(), 60_000)
})

test('a server that counts otherwise than it says answers one 429 a window, not one per worker', async (t) => {
  const { http, clock } = client(t)
  // It says that the window ends after 30 s, and lets nobody in before 60.
  const { head, counts } = windowOf(clock, 20)
  const server = await serve(t, (response) => {
    const { status, headers } = head()
    json(
      response,
      status,
      {},
      { ...headers, ...(status === 200 ? { 'x-ratelimit-reset': '30' } : undefined) },
    )
  })
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 5; i += 1) await service.request(ask())
    }),
  )
  assert.deepEqual(counts, { accepted: 40, refused: 1 })
})

test('a 429 without any number stops all workers, and one of them asks again first', async (t) => {
  const { http } = client(t)
  let refused = 0
  const server = await serve(t, (response, _, index) => {
    const isRefused = index > 4 && index <= 8
    if (isRefused) refused += 1
    json(response, isRefused ? 429 : 200, {})
  })
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  for (let i = 0; i < 4; i += 1) await service.request(ask())
  await Promise.all(Array.from({ length: 4 }, () => service.request(ask())))
  assert.equal(refused, 4)
  assert.equal(server.seen.length, 12)
})

test('the limits of reading and writing are kept apart, as servers keep them', async (t) => {
  const { http, clock } = client(t)
  const server = await serve(t, (response, { method }) =>
    json(
      response,
      200,
      {},
      method === 'POST' ? { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' } : {},
    ),
  )
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  await service.request(ask({ method: 'POST', body: 'login' }))
  await service.request(ask())
  assert.deepEqual(clock.slept, [])
  await service.attempt(ask({ method: 'POST', body: 'again' }))
  assert.deepEqual(clock.slept, [60_000])
})

test('a worker whose run is aborted stops waiting for its turn', async (t) => {
  const reason = new Error('stop')
  const controller = new AbortController()
  const { http } = client(t, {
    log: { debug: () => {}, warn: () => {}, info: () => controller.abort(reason) },
  })
  const server = await serve(t, (response) =>
    json(response, 200, {}, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' }),
  )
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  await service.request(ask())
  await assert.rejects(service.request(ask({ signal: controller.signal })), reason)
  assert.equal(server.seen.length, 1)
})

async function takeNow(limiter: ReturnType<typeof rateLimiter>): Promise<Permit | undefined> {
  const taken = limiter.take(signal)
  return taken instanceof Promise ? undefined : taken
}

const answer = (remaining: number, reset: number) => ({
  status: 200,
  headers: { 'x-ratelimit-remaining': String(remaining), 'x-ratelimit-reset': String(reset) },
})

test('rateLimiter() counts requests in flight against what is left', async () => {
  const limiter = rateLimiter({ clock: fakeClock(), maxWaitMs: 300_000 })
  const [a, b, c] = [await takeNow(limiter), await takeNow(limiter), await takeNow(limiter)]
  a?.done(answer(3, 60))
  // Three left, two of them perhaps taken by what is in flight.
  const d = await takeNow(limiter)
  assert.ok(d)
  assert.equal(await takeNow(limiter), undefined)
  // A late answer of an earlier request does not raise the number again.
  b?.done(answer(1, 60))
  c?.done(answer(2, 60))
  assert.equal(await takeNow(limiter), undefined)
  d.done(answer(0, 60))
})

test('rateLimiter() lets a waiting worker go as soon as an answer shows that there is room', async () => {
  const clock = fakeClock()
  const limiter = rateLimiter({ clock, maxWaitMs: 300_000 })
  const first = await limiter.take(signal)
  const second = await limiter.take(signal)
  first.done(answer(1, 60))
  const third = limiter.take(signal)
  assert.ok(third instanceof Promise)
  second.done(answer(1, 60))
  await third
  assert.deepEqual(clock.slept, [])
})

test('rateLimiter() asks once more instead of waiting longer than maxWaitMs', async () => {
  const clock = fakeClock()
  const limiter = rateLimiter({ clock, maxWaitMs: 300_000 })
  const first = await limiter.take(signal)
  first.done(answer(0, 86_400))
  const probe = limiter.take(signal)
  assert.ok(!(probe instanceof Promise))
  assert.ok(limiter.take(signal) instanceof Promise, 'only one asks')
  assert.deepEqual(clock.slept, [])
})

test('rateLimiter() forgets a limit of which the server no longer speaks', async () => {
  const clock = fakeClock()
  const limiter = rateLimiter({ clock, maxWaitMs: 300_000 })
  const first = await limiter.take(signal)
  first.done(answer(0, 10))
  const probe = await limiter.take(signal)
  assert.deepEqual(clock.slept, [10_000])
  probe.done({ status: 200, headers: {} })
  const permits = await Promise.all(Array.from({ length: 5 }, () => takeNow(limiter)))
  assert.ok(permits.every((permit) => permit !== undefined))
})

test('rateLimiter() lets the next worker try when the one that went first got no answer', async () => {
  const limiter = rateLimiter({ clock: fakeClock(), maxWaitMs: 300_000 })
  const first = await limiter.take(signal)
  first.done(answer(0, 0))
  const probe = await limiter.take(signal)
  const next = limiter.take(signal)
  assert.ok(next instanceof Promise)
  probe.done()
  assert.ok(await next)
})

test('evenPace() spreads the requests of all callers and never sends faster than the rate', async () => {
  const clock = fakeClock()
  const pace = evenPace(clock, 4)
  const starts: number[] = []
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      for (let i = 0; i < 3; i += 1) {
        await pace(signal)
        starts.push(clock.monotonic())
      }
    }),
  )
  assert.deepEqual(starts, [0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000])
  clock.advance(10_000)
  await pace(signal)
  await pace(signal)
  assert.equal(clock.monotonic(), 12_250, 'a pause earns no burst')
})

test('the rate of a service holds for reads and deliveries together', async (t) => {
  const { http, clock } = client(t)
  const server = await serve(t, (response) => json(response, 200, {}))
  const service = http.service({ service: 'Acme', baseUrl: server.url, rate: 2 })
  await Promise.all([
    service.request(ask()),
    service.attempt(ask({ method: 'POST', body: 'x' })),
    service.request(ask()),
  ])
  assert.equal(clock.monotonic(), 1000)
})

test('rateReading() reads the dialects of the headers', () => {
  const read = (headers: Record<string, string>) => rateReading(headers, NOW)
  const x = (remaining: string, reset: string, more = {}) =>
    read({ 'x-ratelimit-remaining': remaining, 'x-ratelimit-reset': reset, ...more })
  assert.deepEqual(x('59', '60'), { remaining: 59, resetMs: 60_000 })
  assert.deepEqual(x('0', '1.5'), { remaining: 0, resetMs: 1500 })
  assert.deepEqual(x('5', String(NOW / 1000 + 30)), { remaining: 5, resetMs: 30_000 })
  assert.deepEqual(x('5', String(NOW + 30_000)), { remaining: 5, resetMs: 30_000 })
  assert.deepEqual(x('5', String(NOW / 1000 - 30)), { remaining: 5, resetMs: 0 })
  const date = 'Fri, 20 Nov 2026 12:00:20 GMT'
  assert.deepEqual(x('5', String(NOW / 1000 + 30), { date }), { remaining: 5, resetMs: 10_000 })
  assert.deepEqual(read({ 'ratelimit-remaining': '3', 'ratelimit-reset': '9' }), {
    remaining: 3,
    resetMs: 9000,
  })
  for (const [remaining, reset] of [
    ['', '60'],
    ['x', '60'],
    ['-1', '60'],
    ['5', ''],
    ['5', 'soon'],
    ['5', '-1'],
  ] as const) {
    assert.equal(x(remaining, reset), undefined, `${remaining} ${reset}`)
  }
  assert.equal(read({ 'x-ratelimit-remaining': '5' }), undefined)
})

test('slowDownMs() believes Retry-After, then the reset, then the words of a 429', () => {
  const reply = (status: number, headers: Record<string, string>, text = '') =>
    slowDownMs({ status, headers, text: () => text }, NOW)
  const words = 'Rate limit exceeded. Please try again in 59 seconds'
  const reset = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' }
  assert.equal(reply(429, { ...reset, 'retry-after': '7' }, words), 7000)
  assert.equal(reply(429, reset, words), 30_000)
  assert.equal(reply(429, {}, words), 59_000)
  assert.equal(reply(429, {}, 'Retry after 250 ms'), 250)
  assert.equal(reply(429, {}, 'try again in 2 minutes'), 120_000)
  assert.equal(reply(429, {}, 'slow down'), undefined)
  assert.equal(reply(503, { 'retry-after': '7' }), 7000)
  assert.equal(reply(503, reset, words), undefined)
})
