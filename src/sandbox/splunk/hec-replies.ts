import type { Exchange } from '../listen.ts'

/** HEC's words for its codes, and the status each comes with. @source "Troubleshoot HTTP Event Collector" */
const CODES: Readonly<Record<number, readonly [status: number, text: string]>> = {
  0: [200, 'Success'],
  1: [403, 'Token disabled'],
  2: [401, 'Token is required'],
  3: [401, 'Invalid authorization'],
  4: [403, 'Invalid token'],
  5: [400, 'No data'],
  6: [400, 'Invalid data format'],
  7: [400, 'Incorrect index'],
  8: [500, 'Internal server error'],
  9: [503, 'Server is busy'],
  10: [400, 'Data channel is missing'],
  11: [400, 'Invalid data channel'],
  12: [400, 'Event field is required'],
  13: [400, 'Event field cannot be blank'],
  14: [400, 'ACK is disabled'],
  15: [400, 'Error in handling indexed fields'],
  16: [400, 'Query string authorization is not enabled'],
  17: [200, 'HEC is healthy'],
  18: [503, 'HEC is unhealthy, queues are full'],
  19: [503, 'HEC is unhealthy, ack service unavailable'],
  20: [503, 'HEC is unhealthy, queues are full, ack service unavailable'],
  21: [400, 'Invalid token'],
  22: [400, 'Token disabled'],
  23: [503, 'Server is shutting down'],
  24: [200, 'Success but queue approaching capacity'],
  25: [200, 'Success but ACK channel approaching capacity'],
  26: [429, 'Queue at capacity'],
  27: [429, 'ACK channel at capacity'],
  28: [400, 'Data channel is missing, sticky sessions may be needed'],
}

export type HecExtra = { readonly ackId?: number; readonly 'invalid-event-number'?: number }

export function replyCode(
  exchange: Exchange,
  code: number,
  extra: HecExtra = {},
  headers: Record<string, string> = {},
  status?: number,
): void {
  const [usual, text] = CODES[code] ?? [500, 'Unknown']
  exchange.reply(status ?? usual, { text, code, ...extra }, headers)
}

export function replyNotFound(exchange: Exchange, status: 404 | 405): void {
  exchange.reply(status, { text: 'The requested URL was not found on this server.', code: 404 })
}

/** What a web server or a proxy says in HEC's place. */
export function replyPage(exchange: Exchange, status: number, headers: Record<string, string> = {}): void {
  exchange.reply(
    status,
    `<!doctype html><html><head><title>${status}</title></head><body>${status}</body></html>`,
    {
      'content-type': 'text/html; charset=UTF-8',
      ...headers,
    },
  )
}
