import { createHash } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import { dice } from './hash.ts'

/** What the real server says with every answer. */
const HEADERS: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=15552000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
  vary: 'Origin',
  'access-control-allow-origin': 'http://127.0.0.1:4000',
  'access-control-allow-credentials': 'true',
}

const JSON_TYPE = 'application/json; charset=utf-8'

export type Reply = {
  json(exchange: Exchange, status: number, body: unknown, headers?: Record<string, string>): void
  /** `tag` stands for the content where hashing a large page would cost more than making it. */
  bytes(exchange: Exchange, body: Buffer, headers?: Record<string, string>, tag?: string): void
  error(exchange: Exchange, status: number, error: string, message: unknown, more?: ErrorMore): void
}

export type ErrorMore = { readonly details?: unknown; readonly headers?: Record<string, string> }

export function replies(seed: number): Reply {
  const random = dice(seed)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const requestId = (): string =>
    `req-${Array.from({ length: 14 }, () => letters[Math.floor(random() * letters.length)]).join('')}`
  const reply: Reply = {
    json: (exchange, status, body, headers) =>
      send(exchange, status, Buffer.from(JSON.stringify(body)), headers, undefined),
    bytes: (exchange, body, headers, tag) => send(exchange, 200, body, headers, tag),
    error(exchange, status, error, message, { details, headers } = {}) {
      // The key order of the real bodies.
      const body = {
        reqId: requestId(),
        statusCode: status,
        message,
        ...(details === undefined ? {} : { details }),
        error,
      }
      reply.json(exchange, status, body, headers)
    },
  }
  return reply
}

function send(
  exchange: Exchange,
  status: number,
  body: Buffer,
  headers: Record<string, string> = {},
  tag: string | undefined,
): void {
  const etag = `"${createHash('sha1')
    .update(tag ?? body)
    .digest('base64')}"`
  const all = { ...HEADERS, ...headers, 'content-type': JSON_TYPE, etag }
  if (exchange.headers['if-none-match'] === etag) exchange.reply(304, Buffer.alloc(0), all)
  else exchange.reply(status, body, all)
}
