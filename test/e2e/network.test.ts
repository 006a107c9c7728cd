import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { idsOf, type SandboxProcess, startSandboxProcess } from '../support/sandbox-process.ts'

const EVENTS = 300
const TLS = join(import.meta.dirname, '../fixtures/tls')
const pem = (name: string) => readFileSync(join(TLS, `${name}.pem`))
const QUERY = ['query', '--from', '2026-11-01', '--to', '2026-11-01T01:00:00Z']

/** What stands between the built program and its server: TLS, proxies and those who redirect. */
describe('the network', () => {
  let sandbox: SandboxProcess
  const servers: Server[] = []
  const sockets = new Set<Socket>()

  before(async () => {
    sandbox = await startSandboxProcess(['--events', String(EVENTS), '--seed', '4'])
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    for (const server of servers) server.close()
    await sandbox.stop()
  })

  async function listening(server: Server): Promise<number> {
    servers.push(server)
    server.on('connection', (socket: Socket) => sockets.add(socket))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  /** Hands a request on to the sandbox. */
  const hand = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { hostname, port } = new URL(sandbox.urls['infisical'] ?? '')
    const path = (incoming.url ?? '').replace(/^http:\/\/[^/]*/, '')
    const { method, headers } = incoming
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  }

  const tlsServer = (wantsClient: boolean) =>
    listening(
      createTlsServer(
        {
          key: pem('server-key'),
          cert: pem('server'),
          ca: pem('ca'),
          requestCert: wantsClient,
          rejectUnauthorized: wantsClient,
        },
        hand,
      ),
    )

  /** Leads every name to this machine; `seen` is what it was asked for. */
  async function startProxy(): Promise<{ readonly url: string; readonly seen: string[] }> {
    const seen: string[] = []
    const proxy = createServer((incoming, response) => {
      seen.push(`${incoming.method} ${new URL(incoming.url ?? '').host}`)
      hand(incoming, response)
    })
    proxy.on('connect', (incoming, client: Socket) => {
      seen.push(`CONNECT ${incoming.url}`)
      const onward = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(client).pipe(onward)
      })
      sockets.add(onward)
      onward.on('error', () => client.destroy())
      client.on('error', () => onward.destroy())
    })
    return { url: `http://127.0.0.1:${await listening(proxy)}`, seen }
  }

  async function query(
    change: Record<string, unknown>,
    options: { readonly env?: Record<string, string>; readonly args?: readonly string[] } = {},
  ) {
    sandbox.configure((config) => ({
      ...config,
      sources: { infisical: { ...config.sources['infisical'], ...change } },
    }))
    const { env = {}, args = [] } = options
    return sandbox.run([...QUERY, ...args], { env })
  }

  const caFile = join(TLS, 'ca.pem')

  test('an https server is reached through the proxy of HTTPS_PROXY, by CONNECT', async () => {
    const [port, proxy] = [await tlsServer(false), await startProxy()]
    const source = { url: `https://service.test:${port}`, tls: { caFile } }
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY']) {
      proxy.seen.length = 0
      const ended = await query(source, { env: { [name]: proxy.url } })
      assert.equal(ended.code, 0, ended.stderr)
      assert.equal(idsOf(ended.stdout).length, EVENTS)
      assert.deepEqual([...new Set(proxy.seen)], [`CONNECT service.test:${port}`])
    }
    proxy.seen.length = 0
    const exempt = await query(source, {
      env: { HTTPS_PROXY: proxy.url, NO_PROXY: 'other.test,.service.test' },
      args: ['--retries', '0'],
    })
    assert.equal(exempt.code, 6, 'nobody else knows the name')
    assert.deepEqual(proxy.seen, [])
  })

  test('a plain http server is reached through the proxy of HTTP_PROXY', async () => {
    const proxy = await startProxy()
    const ended = await query(
      { url: 'http://service.test:8080', allowInsecureHttp: true },
      { env: { HTTP_PROXY: proxy.url } },
    )
    assert.equal(ended.code, 0, ended.stderr)
    assert.equal(idsOf(ended.stdout).length, EVENTS)
    assert.deepEqual([...new Set(proxy.seen)], ['POST service.test:8080', 'GET service.test:8080'])
  })

  test('a server of an authority of one’s own, and one that wants a client certificate, are read', async () => {
    const own = await query({ url: `https://localhost:${await tlsServer(false)}`, tls: { caFile } })
    assert.equal(own.code, 0, own.stderr)
    const url = `https://localhost:${await tlsServer(true)}`
    const client = { certFile: join(TLS, 'client.pem'), keyFile: join(TLS, 'client-key.pem') }
    const known = await query({ url, tls: { caFile, ...client } })
    assert.equal(known.code, 0, known.stderr)
    assert.equal(idsOf(known.stdout).length, EVENTS)
    assert.equal((await query({ url, tls: { caFile } }, { args: ['--retries', '0'] })).code, 6)
  })

  test('a redirect is followed nowhere: neither the credentials nor the token go along', async () => {
    const taken: string[] = []
    const thief = await listening(
      createServer((incoming, response) => {
        taken.push(`${incoming.method} ${incoming.url}`)
        response.end('{}')
      }),
    )
    for (const method of ['POST', 'GET']) {
      const port = await listening(
        createServer((incoming, response) => {
          if (incoming.method !== method) return hand(incoming, response)
          response.writeHead(307, { location: `http://127.0.0.1:${thief}/api` })
          response.end()
        }),
      )
      const ended = await query({ url: `http://127.0.0.1:${port}` })
      assert.equal(ended.code, 2, ended.stderr)
      assert.match(ended.stderr, /^auditctl: .*redirect.*307/m)
      assert.match(ended.stderr, new RegExp(`http://127\\.0\\.0\\.1:${thief}`))
    }
    assert.deepEqual(taken, [])
  })
})
