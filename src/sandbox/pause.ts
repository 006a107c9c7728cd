import type { Exchange } from './listen.ts'

/** Waits before an answer; ends early when the client has gone. */
export function pause(exchange: Exchange, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    exchange.response.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
