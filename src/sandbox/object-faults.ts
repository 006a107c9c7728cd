import type { FaultPlan } from './faults.ts'
import type { Exchange } from './listen.ts'

/** Waited by the fault `slow`. */
const SLOW_MS = 30_000

/** Faults that all object stores share and that come before the request is looked at; true when it was answered. */
export async function interrupted(exchange: Exchange, service: string, faults: FaultPlan): Promise<boolean> {
  const { index } = exchange
  // `latency=50`: a store that is far away.
  const latencyMs = Number(faults.standing(service, 'latency', index)?.value ?? 0)
  if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs))
  if (faults.standing(service, 'slow', index)) {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS).unref())
  }
  if (faults.take(service, 'reset-before', index)) {
    exchange.reset()
    return true
  }
  // `status=429+2`: with that many seconds in Retry-After.
  const standing = faults.standing(service, 'status', index)
  const status =
    standing !== undefined && !standing.counted ? faults.take(service, 'status', index) : standing
  if (status !== undefined) {
    const [code = '500', wait] = (status.value ?? '').split('+')
    exchange.reply(Number(code), '', wait === undefined ? {} : { 'retry-after': wait })
    return true
  }
  if (faults.take(service, 'proxy-page', index)) {
    exchange.reply(200, '<html><body>Sign in</body></html>', { 'content-type': 'text/html' })
    return true
  }
  return false
}

/** Promises the whole body and breaks off in its middle. */
export function cutBody({ response }: Exchange, bytes: Buffer, headers: Record<string, string> = {}): void {
  response.writeHead(200, { ...headers, 'content-length': bytes.length })
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy())
}
