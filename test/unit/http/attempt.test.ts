import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ContractError, UnavailableError, UserError } from '../../../src/core/errors.ts'
import { type HttpFailure, type HttpReply, isFailure } from '../../../src/core/http.ts'
import { ask, client, deadPort, json, serve, serveSockets } from './loopback.ts'

const POST = {
  method: 'POST',
  path: '/events',
  body: 'x'.repeat(1000),
  operation: 'deliver a batch',
} as const

function failed(answer: HttpReply | HttpFailure): HttpFailure {
  assert.ok(isFailure(answer), 'a reply came')
  return answer
}

async function attemptAt(t: TestContext, url: string, timeoutMs = 5000) {
  const service = client(t).http.service({ service: 'Acme', baseUrl: url, allowInsecureHttp: true })
  const answer = await service.attempt(ask({ ...POST, timeoutMs }))
  assert.equal(service.requests(), 1, 'an attempt is one request')
  return answer
}

test('attempt() knows that nothing was sent when the connection is refused', async (t) => {
  const port = await deadPort(t)
  const failure = failed(await attemptAt(t, `http://127.0.0.1:${port}`))
  assert.equal(failure.code, 'connect')
  assert.equal(failure.nothingSent, true)
  assert.ok(failure.error instanceof UnavailableError)
  assert.match(
    failure.error.message,
    /^Could not deliver a batch: Acme cannot be reached at http:\/\/127\.0\.0\.1:\d+: connection refused$/,
  )
  assert.match(failure.error.hint ?? '', new RegExp(`http://127.0.0.1:${port}.*auditctl doctor`))
})

test('attempt() knows that nothing was sent when the name is unknown', async (t) => {
  const failure = failed(await attemptAt(t, 'http://no-such-host.invalid'))
  assert.equal(failure.code, 'dns')
  assert.equal(failure.nothingSent, true)
  assert.match(failure.error.message, /name of http:\/\/no-such-host\.invalid is not known/)
})

test('attempt() knows that nothing was sent when the TLS handshake fails', async (t) => {
  const plain = await serveSockets(t, (socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
  )
  const failure = failed(await attemptAt(t, plain.url.replace('http:', 'https:')))
  assert.equal(failure.code, 'tls')
  assert.equal(failure.nothingSent, true)
  assert.match(failure.error.message, /TLS/)
})

test('attempt() knows that nothing was sent when the connection is never made', async (t) => {
  // The port is open, but its TLS handshake never goes on.
  const silent = await serveSockets(t, () => {})
  const failure = failed(await attemptAt(t, silent.url.replace('http:', 'https:'), 150))
  assert.equal(failure.code, 'timeout')
  assert.equal(failure.nothingSent, true)
})

const afterSending: readonly (readonly [string, string, (socket: Socket) => void])[] = [
  ['resets after reading', 'reset', (socket) => socket.once('data', () => socket.resetAndDestroy())],
  ['closes without an answer', 'reset', (socket) => socket.once('data', () => socket.end())],
  [
    'resets in the middle of its answer',
    'reset',
    (socket) => reply(socket, 'content-length: 100\r\n\r\n{"ok":', 'reset'),
  ],
  [
    'closes in the middle of its answer',
    'reset',
    (socket) => reply(socket, 'content-length: 100\r\n\r\n{"ok":', 'end'),
  ],
  [
    'cuts a chunked answer',
    'reset',
    (socket) => reply(socket, 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nwo', 'end'),
  ],
  [
    'cuts a chunked answer on a closing connection',
    'reset',
    (socket) =>
      reply(socket, 'connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\nwo', 'end'),
  ],
  ['hangs', 'timeout', () => {}],
  [
    'hangs in the middle of its answer',
    'timeout',
    (socket) => reply(socket, 'content-length: 100\r\n\r\n{"ok":', 'stay'),
  ],
  [
    'does not speak HTTP',
    'protocol',
    (socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  ],
]

function reply(socket: Socket, rest: string, then: 'reset' | 'end' | 'stay') {
  socket.once('data', () => {
    socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => {
      // After the bytes are on their way, so that the reset does not overtake them.
      if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 5)
      if (then === 'end') socket.end()
    })
  })
}

for (const [what, code, onSocket] of afterSending) {
  test(`attempt() does not claim that nothing was sent when the server ${what}`, async (t) => {
    const server = await serveSockets(t, onSocket)
    const failure = failed(await attemptAt(t, server.url, code === 'timeout' ? 150 : 5000))
    assert.equal(failure.code, code)
    assert.equal(failure.nothingSent, false)
    assert.equal(server.connections(), 1, 'a POST is never repeated')
    assert.match(failure.error.message, /^Could not deliver a batch: /)
  })
}

test('attempt() claims that nothing was sent to a server that resets at once only if the request was not begun', async (t) => {
  // Which of the two it is depends on whether the reset or the first write comes first.
  const server = await serveSockets(t, (socket) => socket.resetAndDestroy())
  const failure = failed(await attemptAt(t, server.url))
  assert.ok(
    failure.code === 'connect' ? failure.nothingSent : failure.code === 'reset' && !failure.nothingSent,
  )
  assert.equal(server.connections(), 1)
})

test('attempt() does not claim that nothing was sent when an idle connection breaks under the next request', async (t) => {
  const server = await serveSockets(t, (socket, index) => {
    let requests = 0
    socket.on('data', (chunk) => {
      if (!chunk.includes('POST')) return
      requests += 1
      if (index === 1 && requests === 2) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  assert.ok(!isFailure(await service.attempt(ask(POST))))
  // undici uses a connection again only after a turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 20))
  const failure = failed(await service.attempt(ask(POST)))
  assert.deepEqual([failure.code, failure.nothingSent, server.connections()], ['reset', false, 1])
  assert.ok(!isFailure(await service.attempt(ask(POST))))
})

test('attempt() takes every status as the answer, once', async (t) => {
  const server = await serve(t, (response, _, index) =>
    json(response, [503, 429, 301, 401][index - 1] ?? 200, {}, { location: '/x' }),
  )
  const { http, clock } = client(t)
  const service = http.service({ service: 'Acme', baseUrl: server.url })
  const statuses: number[] = []
  for (let i = 0; i < 4; i += 1) {
    const answer = await service.attempt(ask(POST))
    assert.ok(!isFailure(answer))
    assert.equal(answer.attempts, 1)
    statuses.push(answer.status)
  }
  assert.deepEqual(statuses, [503, 429, 301, 401])
  assert.equal(server.seen.length, 4)
  assert.deepEqual(clock.slept, [])
})

test('attempt() sends the body as it is, or gzipped with the header that says so', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}))
  const service = client(t).http.service({ service: 'Acme', baseUrl: `${server.url}/base/` })
  const body = Buffer.from('x'.repeat(5000))
  await service.attempt(
    ask({ ...POST, body, headers: { 'Content-Type': 'application/json', 'User-Agent': 'mine' } }),
  )
  await service.attempt(ask({ ...POST, body: body.subarray(10, 20), gzip: true }))
  const [plain, zipped] = server.seen
  assert.equal(plain?.url, '/base/events')
  assert.deepEqual(plain?.body, body)
  assert.equal(plain?.headers['content-type'], 'application/json')
  assert.equal(plain?.headers['user-agent'], 'mine')
  assert.equal(plain?.headers['content-encoding'], undefined)
  assert.equal(zipped?.headers['content-encoding'], 'gzip')
  assert.equal(zipped?.headers['content-length'], String(zipped?.body.length))
  assert.equal(zipped?.headers['user-agent'], 'auditctl/1.2.3')
  assert.deepEqual(zipped?.body, Buffer.from(gzipSync('x'.repeat(10), { level: 1 })))
})

test('attempt() throws the reason of an abort that came before anything was sent, and tells one that came after', async (t) => {
  const silent = await serveSockets(t, () => {})
  const reason = new Error('stop now')
  const aborted = AbortSignal.abort(reason)
  const service = client(t).http.service({ service: 'Acme', baseUrl: silent.url })
  await assert.rejects(service.attempt(ask({ ...POST, signal: aborted })), reason)
  assert.equal(silent.connections(), 0)

  // Connected, but still in the handshake.
  const overTls = client(t).http.service({ service: 'Acme', baseUrl: silent.url.replace('http:', 'https:') })
  const early = new AbortController()
  const pending = overTls.attempt(ask({ ...POST, signal: early.signal }))
  setTimeout(() => early.abort(reason), 30)
  await assert.rejects(pending, reason)

  const late = new AbortController()
  const reading = await serveSockets(t, (socket) => socket.once('data', () => late.abort(reason)))
  const other = client(t).http.service({ service: 'Acme', baseUrl: reading.url })
  const failure = failed(await other.attempt(ask({ ...POST, signal: late.signal })))
  assert.deepEqual([failure.code, failure.nothingSent], ['aborted', false])
})

test('attempt() gives up on an answer that is too large, without reading it all', async (t) => {
  let written = 0
  const server = await serve(t, (response, { url }) => {
    if (url === '/declared') response.writeHead(200, { 'content-length': 10_000_000 })
    const chunk = Buffer.alloc(64 * 1024)
    const timer = setInterval(() => {
      if (response.destroyed || written > 50_000_000) clearInterval(timer)
      else written += response.write(chunk) ? chunk.length : 0
    }, 0)
    response.on('error', () => {})
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  for (const path of ['/declared', '/chunked']) {
    const failure = failed(await service.attempt(ask({ ...POST, path, maxResponseBytes: 200_000 })))
    assert.deepEqual([failure.code, failure.nothingSent], ['too-large', false])
    assert.ok(failure.error instanceof ContractError)
    assert.match(failure.error.message, /larger than 200000 bytes/)
  }
  assert.ok(written < 20_000_000, `${written} bytes were written`)
})

test('attempt() calls a header with a line break the user’s mistake, without showing it', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}))
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const failure = failed(
    await service.attempt(ask({ ...POST, headers: { authorization: 'Bearer secret-token\n' } })),
  )
  assert.deepEqual([failure.code, failure.nothingSent], ['invalid-request', true])
  assert.ok(failure.error instanceof UserError)
  assert.doesNotMatch(failure.error.message, /secret-token/)
})
