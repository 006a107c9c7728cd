import type { Exchange } from '../listen.ts'
import type { World } from './world.ts'

export type Headers = Record<string, string>

/** The envelope of every refusal. */
export function refuse(
  exchange: Exchange,
  headers: Headers,
  status: number,
  code: string,
  message: string,
  details?: unknown,
) {
  const request_id = headers['x-request-id']
  exchange.reply(
    status,
    { error: { code, message, ...(details === undefined ? {} : { details }), request_id } },
    headers,
  )
}

/** JSON of the server, whole or, when that is the fault, its first half. */
export function sendText(world: World, exchange: Exchange, text: string, headers: Headers) {
  const body = world.take('truncate') === undefined ? text : text.slice(0, text.length / 2)
  exchange.reply(200, body, { ...headers, 'content-type': 'application/json' })
}
