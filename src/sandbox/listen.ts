import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { UserError } from '../core/errors.ts'

/** A request that arrived whole, and the ways to answer it. */
export type Exchange = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** As received, still compressed if it came compressed. */
  readonly body: Buffer
  /** Which request of this service it is, from 1; admin requests do not count. */
  readonly index: number
  readonly receivedAt: number
  reply(status: number, body: unknown, headers?: Record<string, string>): void
  /** For answers that come in pieces, drip or end early. */
  readonly response: ServerResponse
  /** Cuts the connection without an answer. */
  reset(): void
}

export type Handler = (exchange: Exchange) => void | Promise<void>

/** A broken rule of the wire that a lenient server would have let pass. Tests assert that there are none. */
export type Violation = { readonly request: number; readonly rule: string; readonly detail: string }

export type Listener = {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves `handle` on loopback. `admin` answers paths under `/__emulator/` (state, faults, reset), which are not counted.
 * A handler that throws is a bug of the sandbox: it is answered with 599 and printed.
 */
export async function listen(options: {
  readonly port?: number
  readonly handle: Handler
  readonly admin?: Handler
  /** Called for a body that is still arriving; return true to take over (partial reads, size limits). */
  readonly early?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** PEM; without it plain HTTP is spoken. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined
}): Promise<Listener> {
  let index = 0
  const sockets = new Set<Socket>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (options.early?.(request, response)) return
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://sandbox.invalid')
      const isAdmin = url.pathname.startsWith('/__emulator/')
      if (!isAdmin) index += 1
      const exchange: Exchange = {
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks),
        index,
        receivedAt: Date.now(),
        response,
        reply(status, body, headers = {}) {
          if (response.destroyed || response.headersSent) return
          const raw = typeof body === 'string' || Buffer.isBuffer(body)
          const bytes = Buffer.isBuffer(body)
            ? body
            : Buffer.from(raw ? (body as string) : JSON.stringify(body))
          response.writeHead(status, {
            'content-type': raw ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
            'content-length': bytes.length,
            ...headers,
          })
          response.end(bytes)
        },
        reset() {
          request.socket.resetAndDestroy()
        },
      }
      const handler = isAdmin ? (options.admin ?? notFound) : options.handle
      Promise.resolve()
        .then(() => handler(exchange))
        .catch((error: unknown) => {
          process.stderr.write(`sandbox: ${error instanceof Error ? error.stack : String(error)}\n`)
          exchange.reply(599, { sandbox: 'bug' })
        })
    })
  }
  const { tls } = options
  const server: Server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer)
  server.keepAliveTimeout = 72_000
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(notListening(cause, options.port)))
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function notListening(cause: NodeJS.ErrnoException, port: number | undefined): Error {
  if (cause.code !== 'EADDRINUSE' && cause.code !== 'EACCES') return cause
  const why = cause.code === 'EACCES' ? 'it is reserved' : 'another program listens there'
  return new UserError(`the port ${port} of 127.0.0.1 cannot be used: ${why}`, {
    cause,
    hint: 'name another first port with --port, or leave it out: any free ones are taken then',
  })
}

function notFound(exchange: Exchange): void {
  exchange.reply(404, { error: 'no such admin route' })
}
