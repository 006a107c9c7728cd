import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { ContractError, RateLimitError, UnavailableError, UserError } from '../../../src/core/errors.ts'
import { registerSecret } from '../../../src/core/secret.ts'
import { ask, client, deadPort, json, serve, serveSockets } from './loopback.ts'

test('request() repeats 429, 408, 5xx and cut connections until an answer comes', async (t) => {
  const script = [500, 'reset', 503, 408, 200] as const
  const server = await serve(t, (response, _, index) => {
    const step = script[index - 1] ?? 200
    if (step === 'reset') response.socket?.resetAndDestroy()
    else json(response, step, { index })
  })
  const { http, clock } = client(t)
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  const reply = await service.request(ask({ method: 'POST', body: 'login' }))
  assert.equal(reply.status, 200)
  assert.equal(reply.attempts, 5)
  assert.deepEqual(reply.json(), { index: 5 })
  assert.equal(service.requests(), 5)
  assert.deepEqual(
    server.seen.map(({ body }) => body.toString()),
    Array(5).fill('login').toSpliced(1, 0).slice(0, 5),
  )
  assert.equal(clock.slept.length, 4)
  for (const [index, ms] of clock.slept.entries())
    assert.ok(ms < 1000 * 2 ** index, `wait ${index} took ${ms} ms`)
})

test('request() takes any other status as the answer, redirects included', async (t) => {
  for (const status of [204, 301, 307, 304, 400, 401, 403, 404, 422, 501, 505]) {
    const elsewhere = await serve(t, (response) => json(response, 200, {}))
    const server = await serve(t, (response) => {
      response.writeHead(status, { location: elsewhere.url }).end()
    })
    const reply = await client(t).http.service({ service: 'Acme', baseUrl: server.url }).request(ask())
    assert.deepEqual([reply.status, server.seen.length, elsewhere.seen.length], [status, 1, 0])
  }
})

test('request() takes the statuses a policy names as answers, and keeps to its attempts', async (t) => {
  const server = await serve(t, (response) => json(response, 504, { error: 'GatewayTimeoutError' }))
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  assert.equal((await service.request(ask(), { neverRetry: [504] })).status, 504)
  assert.equal(server.seen.length, 1)
  await assert.rejects(service.request(ask(), { maxAttempts: 2 }), UnavailableError)
  assert.equal(server.seen.length, 3)
})

test('request() gives up after --retries further attempts, and says what came back', async (t) => {
  for (const [retries, attempts] of [
    [undefined, 6],
    [0, 1],
    [2, 3],
  ] as const) {
    const server = await serve(t, (response) =>
      json(response, 503, { message: 'over\u001b[31mloaded' }, { 'x-request-id': 'r-77' }),
    )
    const { http } = client(t, retries === undefined ? {} : { retries })
    await assert.rejects(http.service({ service: 'Acme', baseUrl: server.url }).request(ask()), (error) => {
      assert.ok(error instanceof UnavailableError)
      assert.deepEqual(
        [error.status, error.requestId, error.attempts, error.operation],
        [503, 'r-77', attempts, 'read the audit log'],
      )
      assert.match(error.message, /^Could not read the audit log: Acme is not available \(503, request r-77/)
      assert.ok(!error.message.includes('\u001b'), 'terminal escapes are shown')
      return true
    })
    assert.equal(server.seen.length, attempts)
  }
})

test('request() waits as long as Retry-After says, in seconds or as a date', async (t) => {
  for (const value of ['7', 'Fri, 20 Nov 2026 12:00:07 GMT']) {
    const server = await serve(t, (response, _, index) =>
      json(
        response,
        index === 1 ? 429 : 200,
        {},
        { 'retry-after': value, date: 'Fri, 20 Nov 2026 12:00:00 GMT' },
      ),
    )
    const { http, clock } = client(t)
    await http.service({ service: 'Acme', baseUrl: server.url }).request(ask())
    assert.deepEqual(clock.slept, [7000], value)
  }
})

test('request() reads the wait out of the words of a 429 without headers', async (t) => {
  const server = await serve(t, (response, _, index) =>
    json(response, index === 1 ? 429 : 200, {
      message: 'Rate limit exceeded. Please try again in 59 seconds',
    }),
  )
  const { http, clock } = client(t)
  await http.service({ service: 'Acme', baseUrl: server.url }).request(ask())
  assert.deepEqual(clock.slept, [59_000])
})

test('request() does not sleep for hours: it says when it may work again', async (t) => {
  const server = await serve(t, (response) => json(response, 429, {}, { 'retry-after': '7200' }))
  const { http, clock } = client(t)
  await assert.rejects(http.service({ service: 'Acme', baseUrl: server.url }).request(ask()), (error) => {
    assert.ok(error instanceof RateLimitError)
    assert.equal(error.retryAfterMs, 7_200_000)
    assert.match(error.hint ?? '', /2026-11-20T14:00:00\.000Z/)
    return true
  })
  assert.deepEqual(clock.slept, [])
  assert.equal(server.seen.length, 1)
})

test('request() stops waiting when the waits of one request add up to five minutes', async (t) => {
  const server = await serve(t, (response) => json(response, 429, {}, { 'retry-after': '120' }))
  const { http, clock } = client(t)
  await assert.rejects(http.service({ service: 'Acme', baseUrl: server.url }).request(ask()), RateLimitError)
  assert.equal(server.seen.length, 3)
  assert.equal(clock.monotonic(), 240_000)
})

test('request() is quick to doubt a server that never answered, and patient with one that did', async (t) => {
  const port = await deadPort(t)
  const dead = client(t).http.service({ service: 'Acme', baseUrl: `http://127.0.0.1:${port}` })
  await assert.rejects(dead.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.deepEqual([error.code, error.attempts], ['connect', 3])
    assert.match(error.message, /connection refused \(3 attempts\)$/)
    return true
  })
  assert.equal(dead.requests(), 3)

  const server = await serve(t, (response) => json(response, 200, {}, { connection: 'close' }))
  const alive = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  await alive.request(ask())
  await new Promise((resolve) => server.server.close(resolve))
  await assert.rejects(alive.request(ask()), UnavailableError)
  assert.equal(alive.requests(), 1 + 6)
})

test('request() does not repeat what cannot become better', async (t) => {
  const plain = await serveSockets(t, (socket) => socket.on('data', () => socket.end('SSH-2.0\r\n')))
  const ssh = client(t).http.service({ service: 'Acme', baseUrl: plain.url })
  await assert.rejects(
    ssh.request(ask()),
    (error) => error instanceof ContractError && /does not speak HTTP/.test(error.message),
  )
  const tls = client(t).http.service({ service: 'Acme', baseUrl: plain.url.replace('http', 'https') })
  await assert.rejects(
    tls.request(ask()),
    (error) => error instanceof UnavailableError && error.code === 'tls',
  )
  assert.equal(plain.connections(), 2)
})

test('request() ends a hanging server by its own timeout, three times', async (t) => {
  const silent = await serveSockets(t, () => {})
  const service = client(t, { timeoutMs: 60 }).http.service({ service: 'Acme', baseUrl: silent.url })
  await assert.rejects(service.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.equal(error.code, 'timeout')
    assert.match(error.message, /did not answer within 60ms \(3 attempts\)/)
    return true
  })
  assert.equal(silent.connections(), 3)
})

test('request() ends at once with the reason of an abort, in flight or waiting to try again', async (t) => {
  const reason = new Error('enough')
  const silent = await serveSockets(t, () => {})
  const inFlight = new AbortController()
  const pending = client(t)
    .http.service({ service: 'Acme', baseUrl: silent.url })
    .request(ask({ signal: inFlight.signal }))
  setTimeout(() => inFlight.abort(reason), 30)
  await assert.rejects(pending, reason)
  assert.equal(silent.connections(), 1)

  const waiting = new AbortController()
  const server = await serve(t, (response) => json(response, 503, {}))
  const { http } = client(t, {
    log: { debug: () => {}, warn: () => {}, info: () => waiting.abort(reason) },
  })
  await assert.rejects(
    http.service({ service: 'Acme', baseUrl: server.url }).request(ask({ signal: waiting.signal })),
    reason,
  )
  assert.equal(server.seen.length, 1)
})

test('one signal serves many requests at once without a warning, and keeps no listener of those that ended', async (t) => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  const server = await serve(t, (response) => json(response, 200, {}))
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 40 }, () => service.request(ask({ signal }))))
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  assert.deepEqual(warnings, [])
})

test('close() ends what is in flight, and what comes after it fails at once', async (t) => {
  const silent = await serveSockets(t, () => {})
  const { http } = client(t)
  const service = http.service({ service: 'Acme', baseUrl: silent.url })
  const pending = service.request(ask())
  setTimeout(() => http.close(), 20)
  const isAborted = (error: unknown) => error instanceof UnavailableError && error.code === 'aborted'
  await assert.rejects(pending, isAborted)
  await assert.rejects(service.request(ask()), isAborted)
})

test('request() adds path and query to the base URL and never leaves its origin', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}))
  const { http } = client(t)
  const service = http.service({ service: 'Acme', baseUrl: `${server.url}/api/?tenant=a%20b` })
  await service.request(
    ask({
      path: '/v1/logs?x=1',
      query: { from: '2026-11-20T00:00:00.000Z', none: undefined, q: 'a b+c&d', n: 5 },
    }),
  )
  await service.request(ask({ path: `${server.url}/other?page=2` }))
  await service.request(ask({ path: '//evil.example.com/x' }))
  await service.request(ask({ path: '/näme with space' }))
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    [
      '/api/v1/logs?tenant=a%20b&x=1&from=2026-11-20T00%3A00%3A00.000Z&q=a%20b%2Bc%26d&n=5',
      '/other?page=2',
      '/api//evil.example.com/x?tenant=a%20b',
      '/api/n%C3%A4me%20with%20space?tenant=a%20b',
    ],
  )
  await assert.rejects(service.request(ask({ path: 'https://evil.example.com/x' })), ContractError)
  assert.equal(server.seen.length, 4)
})

test('a reply shows headers, request id, clock skew and the reason why it is not JSON', async (t) => {
  const bodies: Readonly<Record<string, string>> = {
    '/html': '<!DOCTYPE html><html><title>Sign in</title></html>',
    '/cut': '{"auditLogs":[{"id":',
    '/empty': '',
    '/text': 'upstream \u001b[31m says hunter2-secret',
    '/bom': '\ufeff{"a":1}',
  }
  const server = await serve(t, (response, { url }) => {
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('X-Request-Id', 'req-1')
    response.setHeader('Date', 'Fri, 20 Nov 2026 12:00:30 GMT')
    response.end(bodies[url])
  })
  registerSecret('hunter2-secret')
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const get = (path: string) => service.request(ask({ path }))
  const reply = await get('/html')
  assert.equal(reply.headers['set-cookie'], 'a=1, b=2')
  assert.equal(reply.requestId, 'req-1')
  assert.equal(reply.clockSkewMs, 30_000)
  assert.equal(reply.text(), bodies['/html'])
  assert.deepEqual((await get('/bom')).json(), { a: 1 })
  for (const [path, words] of [
    ['/html', /sent an HTML page instead of JSON \(200\)/],
    ['/cut', /sent JSON that is cut off or broken/],
    ['/empty', /sent nothing instead/],
    ['/text', /sent "upstream {2}\[31m says \*\*\*" instead/],
  ] as const) {
    const answer = await get(path)
    assert.throws(
      () => answer.json(),
      (error) => error instanceof ContractError && words.test(error.message) && error.requestId === 'req-1',
      path,
    )
  }
})

test('a plain http URL is refused off loopback unless it is allowed, and so is user info anywhere', (t) => {
  const { http } = client(t)
  const service = (baseUrl: string, allowInsecureHttp?: boolean) => () =>
    http.service({ service: 'Acme', baseUrl, allowInsecureHttp })
  for (const url of [
    'http://example.com',
    'http://10.0.0.1:8088',
    'http://127.0.0.1.nip.io',
    'http://0.0.0.0',
  ]) {
    assert.throws(
      service(url),
      (error) => error instanceof UserError && /allowInsecureHttp/.test(error.hint ?? ''),
      url,
    )
    assert.doesNotThrow(service(url, true), url)
  }
  for (const url of [
    'http://localhost:1',
    'http://127.0.0.1',
    'http://[::1]:8',
    'https://example.com',
    'https://169.254.169.254',
  ]) {
    assert.doesNotThrow(service(url), url)
  }
  for (const url of [
    'https://user:hunter22@example.com',
    'https://token@example.com',
    'http://u:hunter22@localhost',
  ]) {
    assert.throws(
      service(url, true),
      (error) => error instanceof UserError && !/hunter22/.test(`${error.message}${error.hint}`),
      url,
    )
  }
  for (const url of ['example.com', 'ftp://example.com', '', 'https://', 'file:///etc/passwd']) {
    assert.throws(service(url, true), UserError, url)
  }
})
