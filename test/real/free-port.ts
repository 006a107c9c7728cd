import { type AddressInfo, createServer } from 'node:net'

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Asks until anything answers there. @throws Error after `ms`, or when the server is gone */
export async function untilAnswered(
  url: string,
  ms: number,
  isGone: () => boolean = () => false,
): Promise<void> {
  const until = Date.now() + ms
  while (Date.now() < until) {
    if (isGone()) throw new Error(`the server for ${url} ended before it answered`)
    try {
      await (await fetch(url)).arrayBuffer()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  throw new Error(`${url} did not answer within ${ms} ms`)
}
