import { parseDuration } from '../../core/duration.ts'
import type { Exchange } from '../listen.ts'
import { addPlainEvent } from './plain-event.ts'
import type { Selection } from './store.ts'
import { SERVICE, type World } from './world.ts'

/** Faults that take the place of the page; true when the request is settled. */
export async function interfere(
  world: World,
  exchange: Exchange,
  bounds: Pick<Selection, 'fromUs' | 'toUs'>,
  headers: Record<string, string>,
): Promise<boolean> {
  const { reply, options } = world
  const due = (kind: string) => options.faults.take(SERVICE, kind, world.request)
  const slow = world.mode('slow', 100)
  if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, slow))
  if (due('late') !== undefined) addLate(world)
  if (due('hang') !== undefined) return true
  if (due('reset') !== undefined) {
    exchange.reset()
    return true
  }
  if (due('error-500') !== undefined) {
    reply.error(exchange, 500, 'DatabaseError', 'Something went wrong', { headers })
    return true
  }
  const wide = options.faults.list().find((one) => one.service === SERVICE && one.kind === 'error-504')
  const end = Math.min(bounds.toUs, options.now() * 1000)
  if (wide !== undefined && end - bounds.fromUs > (parseDuration(wide.value ?? '0s') ?? 0) * 1000) {
    if (world.mode('error-504', 0) !== undefined) {
      const message = 'Failed to fetch audit logs due to timeout. Add more search filters.'
      reply.error(exchange, 504, 'GatewayTimeoutError', message, { headers })
      return true
    }
  }
  const html = due('html')
  if (html !== undefined) {
    const status = Number(html.value ?? 200)
    exchange.reply(
      status,
      '<!doctype html><html><head><title>Sign in</title></head><body>proxy</body></html>\n',
      {
        'content-type': 'text/html; charset=utf-8',
      },
    )
    return true
  }
  return false
}

/** Faults of the page itself; undefined when the answer has been sent or cut off. */
export function spoil(
  world: World,
  exchange: Exchange,
  page: Buffer,
  headers: Record<string, string>,
): Buffer | undefined {
  const due = (kind: string) => world.options.faults.take(SERVICE, kind, world.request)
  if (world.mode('pretty', 1) !== undefined) {
    return Buffer.from(JSON.stringify(JSON.parse(page.toString('utf8')), null, 2))
  }
  if (due('truncate') !== undefined) return page.subarray(0, Math.ceil(page.length / 2))
  if (due('reset-body') === undefined) return page
  // The head promises everything; the connection ends half way.
  exchange.response.writeHead(200, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': page.length,
  })
  exchange.response.write(page.subarray(0, Math.ceil(page.length / 2)), () => exchange.reset())
  return undefined
}

/** A row that was raised long ago and is stored only now. */
function addLate(world: World): void {
  const { set } = world.store
  addPlainEvent(world, set.timeUs(Math.floor(set.size / 2)) + 7, { secretKey: 'LATE', secretPath: '/' })
}
