import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { UnavailableError } from '../../../src/core/errors.ts'
import { isFailure } from '../../../src/core/http.ts'
import { ask, client, fixture, json, listenOn, serve, serveSockets } from './loopback.ts'

/** A proxy that finds every host on this machine, at the port that was asked for. */
async function serveProxy(t: TestContext, status = 200) {
  const seen: { readonly line: string; readonly authorization: string | undefined }[] = []
  const proxy = createServer((incoming, response) => {
    const target = new URL(incoming.url ?? '')
    seen.push({
      line: `${incoming.method} ${incoming.url}`,
      authorization: incoming.headers['proxy-authorization'],
    })
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const onward = httpRequest({
      host: '127.0.0.1',
      port: target.port,
      path: target.pathname,
      method: incoming.method,
      headers,
    })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  })
  proxy.on('connect', (incoming, client: Socket) => {
    seen.push({ line: `CONNECT ${incoming.url}`, authorization: incoming.headers['proxy-authorization'] })
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const onward = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(client).pipe(onward)
    })
    onward.on('error', () => client.destroy())
    client.on('error', () => onward.destroy())
    t.after(() => onward.destroy())
  })
  const port = await listenOn(t, proxy)
  return { url: `http://127.0.0.1:${port}`, port, seen }
}

test('an https target is reached through CONNECT, with its own certificate check and the proxy’s credentials', async (t) => {
  const server = await serve(t, (response) => json(response, 200, { ok: true }), {})
  const proxy = await serveProxy(t)
  const { http } = client(t, { env: { HTTPS_PROXY: `http://user:pa%20ss@127.0.0.1:${proxy.port}` } })
  const baseUrl = `https://service.test:${server.port}`
  const service = http.service({ service: 'Acme', baseUrl, tls: { caFile: fixture('ca.pem') } })
  const reply = await service.request(ask({ headers: { authorization: 'Bearer for-the-server' } }))
  assert.deepEqual(reply.json(), { ok: true })
  assert.deepEqual(proxy.seen, [
    {
      line: `CONNECT service.test:${server.port}`,
      authorization: `Basic ${Buffer.from('user:pa ss').toString('base64')}`,
    },
  ])
  assert.equal(server.seen[0]?.headers['proxy-authorization'], undefined)
  assert.equal(server.seen[0]?.headers.authorization, 'Bearer for-the-server')
  await assert.rejects(http.service({ service: 'Acme', baseUrl }).request(ask()), (error) => {
    return error instanceof UnavailableError && error.code === 'tls'
  })
})

test('a certificate for another name is refused behind a proxy too, at once, and the URL is blamed', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}), {})
  const proxy = await serveProxy(t)
  const { http } = client(t, { env: { HTTPS_PROXY: proxy.url } })
  const baseUrl = `https://other.test:${server.port}`
  const service = http.service({ service: 'Acme', baseUrl, tls: { caFile: fixture('ca.pem') } })
  await assert.rejects(service.request(ask()), (error) => {
    assert.ok(error instanceof UnavailableError)
    assert.deepEqual([error.code, error.attempts], ['tls', 1])
    assert.match(error.hint ?? '', /another name: check the host in the URL/)
    return true
  })
  assert.equal(server.seen.length, 0)
})

test('an http target is asked for at the proxy in full', async (t) => {
  const server = await serve(t, (response, { body }) => json(response, 200, { got: body.toString() }))
  const proxy = await serveProxy(t)
  const { http } = client(t, { env: { http_proxy: proxy.url } })
  const baseUrl = `http://service.test:${server.port}`
  const service = http.service({ service: 'Acme', baseUrl, allowInsecureHttp: true })
  const answer = await service.attempt(ask({ method: 'POST', path: '/x', body: 'hello' }))
  assert.ok(!isFailure(answer))
  assert.deepEqual(answer.json(), { got: 'hello' })
  assert.deepEqual(
    proxy.seen.map(({ line }) => line),
    [`POST ${baseUrl}/x`],
  )
  assert.equal(server.seen[0]?.headers.host, `service.test:${server.port}`)
})

test('loopback and what NO_PROXY names are reached without the proxy', async (t) => {
  const server = await serve(t, (response) => json(response, 200, {}))
  const proxy = await serveProxy(t)
  const direct = client(t, { env: { ALL_PROXY: proxy.url } }).http
  await direct.service({ service: 'Acme', baseUrl: server.url }).request(ask())
  assert.equal(server.seen.length, 1)

  const exempt = client(t, { env: { ALL_PROXY: proxy.url, NO_PROXY: '.invalid' } }).http
  const service = exempt.service({ service: 'Acme', baseUrl: 'https://host.invalid' })
  await assert.rejects(
    service.request(ask()),
    (error) => error instanceof UnavailableError && error.code === 'dns',
  )
  assert.deepEqual(proxy.seen, [])
})

test('a proxy that refuses is named, without its password, and nothing was sent', async (t) => {
  const proxy = await serveProxy(t, 407)
  const { http } = client(t, { env: { HTTPS_PROXY: `http://user:hunter22@127.0.0.1:${proxy.port}` } })
  const service = http.service({ service: 'Acme', baseUrl: 'https://service.test' })
  const answer = await service.attempt(ask({ method: 'POST', body: 'x' }))
  assert.ok(isFailure(answer))
  assert.deepEqual([answer.code, answer.nothingSent], ['proxy', true])
  assert.match(
    answer.error.message,
    new RegExp(`the proxy 127\\.0\\.0\\.1:${proxy.port} did not let us through .*407`),
  )
  assert.doesNotMatch(`${answer.error.message} ${(answer.error as UnavailableError).hint}`, /hunter22/)
})

test('a proxy that cannot be reached or breaks off is a failure before anything was sent', async (t) => {
  const broken = await serveSockets(t, (socket) => socket.once('data', () => socket.destroy()))
  for (const url of [broken.url, 'http://127.0.0.1:1']) {
    const service = client(t, { env: { HTTPS_PROXY: url } }).http.service({
      service: 'Acme',
      baseUrl: 'https://service.test',
    })
    const answer = await service.attempt(ask({ method: 'POST', body: 'x' }))
    assert.ok(isFailure(answer))
    assert.equal(answer.nothingSent, true)
    assert.match(`${(answer.error as UnavailableError).hint}`, /proxy|PROXY/)
  }
})

test('a socks5 proxy is spoken to in its own language', async (t) => {
  const server = await serve(t, (response) => json(response, 200, { ok: true }), {})
  const asked: string[] = []
  const socks = await serveSockets(t, (socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]))
      socket.once('data', (request) => {
        asked.push(request.subarray(5, 5 + (request[4] ?? 0)).toString())
        const onward = connect(request.readUInt16BE(request.length - 2), '127.0.0.1', () => {
          socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          onward.pipe(socket).pipe(onward)
        })
        t.after(() => onward.destroy())
      })
    })
  })
  const { http } = client(t, { env: { ALL_PROXY: `socks5h://127.0.0.1:${socks.port}` } })
  const baseUrl = `https://service.test:${server.port}`
  const service = http.service({ service: 'Acme', baseUrl, tls: { caFile: fixture('ca.pem') } })
  assert.deepEqual((await service.request(ask())).json(), { ok: true })
  assert.deepEqual(asked, ['service.test'])
})
