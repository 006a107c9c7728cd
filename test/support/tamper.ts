import {
  request as ask,
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { JsonObject } from '../../src/core/event.ts'

export type Reply = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** What happens to a request that carries events. `forward` lets it through and gives the far side's own reply. */
export type Mischief = (response: ServerResponse, forward: () => Promise<Reply>) => Promise<void> | void

/** A proxy between a stream and its receiver, which lets everything through but what `mischief` does to requests with events. */
export type Tampered = {
  readonly settings: JsonObject
  mischief: Mischief | undefined
  close(): Promise<void>
}

const ORIGIN = /http:\/\/127\.0\.0\.1:\d+/g

/** The settings with every loopback address in them led through a proxy. `mark`: what stands in every body that carries events. */
export async function tampered(settings: JsonObject, mark: string): Promise<Tampered> {
  const text = JSON.stringify(settings)
  const proxies = new Map<string, Server>()
  const sockets = new Set<Socket>()
  const front: { -readonly [Key in keyof Tampered]: Tampered[Key] } = {
    settings,
    mischief: undefined,
    async close() {
      for (const server of proxies.values()) server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
  for (const origin of new Set(text.match(ORIGIN) ?? [])) {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('error', () => {})
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', async () => {
        const body = Buffer.concat(chunks)
        const forward = () =>
          forwarded(`${origin}${request.url}`, request.method ?? 'GET', request.headers, body)
        if (front.mischief !== undefined && body.includes(mark)) await front.mischief(response, forward)
        else pass(response, await forward())
      })
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    proxies.set(origin, server)
  }
  const addressOf = (origin: string): string => {
    const address = proxies.get(origin)?.address() as AddressInfo | undefined
    return `http://127.0.0.1:${address?.port}`
  }
  front.settings = JSON.parse(text.replace(ORIGIN, addressOf)) as JsonObject
  return front
}

export function pass(response: ServerResponse, { status, headers, body }: Reply): void {
  const { 'transfer-encoding': _, connection: __, ...own } = headers
  response.writeHead(status, { ...own, 'content-length': body.length }).end(body)
}

function forwarded(url: string, method: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = ask(url, { method, headers: { ...headers, host: new URL(url).host } }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
