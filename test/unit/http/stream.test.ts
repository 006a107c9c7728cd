import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ContractError, UnavailableError } from '../../../src/core/errors.ts'
import type { HttpReply, StreamReply } from '../../../src/core/http.ts'
import { ask, client, json, serve, serveSockets } from './loopback.ts'

function bodyOf(reply: StreamReply | HttpReply): AsyncIterable<Uint8Array> {
  assert.ok('body' in reply, 'the answer was read whole')
  return reply.body
}

async function collect(reply: StreamReply | HttpReply): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bodyOf(reply)))
}

test('stream() hands a body over while it arrives', async (t) => {
  let goOn = () => {}
  const server = await serve(t, (response) => {
    response.write('first')
    goOn = () => response.end('second')
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const chunks: string[] = []
  for await (const chunk of bodyOf(await service.stream(ask()))) {
    chunks.push(Buffer.from(chunk).toString())
    goOn()
  }
  assert.deepEqual(chunks, ['first', 'second'])
})

test('stream() decompresses on the way', async (t) => {
  const text = Buffer.from('line\n'.repeat(200_000))
  const server = await serve(t, (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text)),
  )
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  assert.deepEqual(await collect(await service.stream(ask())), text)
})

test('stream() repeats refusals before the body, and hands other answers over whole', async (t) => {
  const server = await serve(t, (response, _, index) =>
    json(response, [503, 429, 404][index - 1] ?? 200, { index }),
  )
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const reply = await service.stream(ask())
  assert.ok('bytes' in reply)
  assert.deepEqual([reply.status, reply.attempts, reply.json()], [404, 3, { index: 3 }])
})

test('stream() throws from the iteration when the body breaks off, and never ends as if it were whole', async (t) => {
  const cuts = [
    'content-length: 100\r\n\r\n{"ok":',
    'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
    'connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n',
  ]
  for (const rest of cuts) {
    const server = await serveSockets(t, (socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`)),
    )
    const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
    const reply = await service.stream(ask())
    await assert.rejects(
      collect(reply),
      (error) => error instanceof UnavailableError && error.code === 'reset',
      rest,
    )
    assert.equal(server.connections(), 1)
  }
  const zipped = gzipSync('x'.repeat(1000))
  const cut = await serve(t, (response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' })
    response.write(zipped.subarray(0, 12), () => setTimeout(() => response.socket?.destroy(), 5))
  })
  const broken = await client(t).http.service({ service: 'Acme', baseUrl: cut.url }).stream(ask())
  await assert.rejects(
    collect(broken),
    (error) => error instanceof UnavailableError && error.code === 'reset',
  )
  const server = await serve(t, (response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(zipped.subarray(0, zipped.length - 9))
  })
  const reply = await client(t).http.service({ service: 'Acme', baseUrl: server.url }).stream(ask())
  await assert.rejects(collect(reply), (error) => error instanceof ContractError && error.code === 'decode')
})

test('stream() ends a silence by its timeout, however long the whole takes', async (t) => {
  const server = await serve(t, (response, { url }) => {
    let sent = 0
    response.write('x')
    const timer = setInterval(() => {
      sent += 1
      if (url === '/slow' && sent === 8) response.end()
      else if (url === '/slow') response.write('x')
    }, 60)
    response.on('close', () => clearInterval(timer))
  })
  const service = client(t, { timeoutMs: 250 }).http.service({ service: 'Acme', baseUrl: server.url })
  assert.equal((await collect(await service.stream(ask({ path: '/slow' })))).length, 8)
  const silent = await service.stream(ask({ path: '/silent' }))
  await assert.rejects(
    collect(silent),
    (error) => error instanceof UnavailableError && error.code === 'timeout',
  )
})

test('stream() closes the connection when the reader stops early, and ends with the reason of an abort', async (t) => {
  const closed: Promise<unknown>[] = []
  const server = await serve(t, (response) => {
    closed.push(once(response, 'close'))
    response.write('x')
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  for await (const _ of bodyOf(await service.stream(ask()))) break
  await closed[0]

  const reason = new Error('enough')
  const controller = new AbortController()
  const reply = await service.stream(ask({ signal: controller.signal }))
  await assert.rejects(async () => {
    for await (const _ of bodyOf(reply)) controller.abort(reason)
  }, reason)
  await closed[1]
})

test('stream() bounds the body only when asked to, after decompression', async (t) => {
  const server = await serve(t, (response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000)))
  })
  const service = client(t).http.service({ service: 'Acme', baseUrl: server.url })
  const reply = await service.stream(ask({ maxResponseBytes: 100_000 }))
  await assert.rejects(
    collect(reply),
    (error) => error instanceof ContractError && error.code === 'too-large',
  )
  assert.equal((await collect(await service.stream(ask()))).length, 5_000_000)
})
