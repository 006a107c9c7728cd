import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createServer as createSocketServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { HttpRequest } from '../../../src/core/http.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { createHttpClient, type HttpClientParts } from '../../../src/http/client.ts'
import { fakeClock } from '../../support/fake-clock.ts'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}
export type Answer = (response: ServerResponse, seen: Seen, index: number) => void

export const FIXTURES = new URL('../../fixtures/tls/', import.meta.url)
export const fixture = (name: string) => new URL(name, FIXTURES).pathname

/** A server on loopback that answers by function and keeps every request; closed with the test. */
export async function serve(t: TestContext, answer: Answer, tls?: ServerOptions) {
  const seen: Seen[] = []
  const listener = (request: import('node:http').IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks),
      }
      seen.push(one)
      answer(response, one, seen.length)
    })
  }
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer(
          { key: readFileSync(fixture('server-key.pem')), cert: readFileSync(fixture('server.pem')), ...tls },
          listener,
        )
  const port = await listenOn(t, server)
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, seen, server }
}

/** A server of bare sockets, for answers that no HTTP server would give. */
export async function serveSockets(t: TestContext, onSocket: (socket: Socket, index: number) => void) {
  let connections = 0
  const server = createSocketServer((socket) => {
    socket.on('error', () => {})
    connections += 1
    onSocket(socket, connections)
  })
  const port = await listenOn(t, server)
  return { url: `http://127.0.0.1:${port}`, port, connections: () => connections }
}

/** A port on which nothing listens. */
export async function deadPort(t: TestContext): Promise<number> {
  const server = createSocketServer()
  const port = await listenOn(t, server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

export async function listenOn(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  const track = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  server.on('connection', track)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** A client on a fake clock, closed with the test. */
export function client(t: TestContext, parts: Partial<HttpClientParts> = {}) {
  const clock = fakeClock()
  const http = createHttpClient({ clock, log: SILENT, env: {}, version: '1.2.3', timeoutMs: 5000, ...parts })
  t.after(() => http.close())
  return { http, clock }
}

/** A request with the parts that a test does not care about. */
export function ask(parts: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'GET',
    path: '/',
    operation: 'read the audit log',
    signal: new AbortController().signal,
    ...parts,
  }
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  })
  response.end(bytes)
}
