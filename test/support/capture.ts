import { type Exchange, type Listener, listen } from '../../src/sandbox/listen.ts'

/** A server that keeps what it is sent and answers as it is told. */
export type Capture = {
  readonly url: string
  readonly requests: readonly Exchange[]
  close(): Promise<void>
}

export async function startCapture(
  answer: (exchange: Exchange) => void = (exchange) => exchange.reply(200, {}),
): Promise<Capture> {
  const requests: Exchange[] = []
  const server: Listener = await listen({
    handle: (exchange) => {
      requests.push(exchange)
      answer(exchange)
    },
  })
  return { url: server.url, requests, close: () => server.close() }
}
