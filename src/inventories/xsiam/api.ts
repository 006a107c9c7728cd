import { createHash, randomBytes } from 'node:crypto'
import {
  AuthError,
  RateLimitError,
  RemoteConfigError,
  type RemoteDetails,
  UnavailableError,
} from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { HttpReply, HttpRequest, StreamReply } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { SECOND_MS } from '../../core/time-range.ts'
import type { InventoryParts } from '../define-inventory.ts'
import type { XqlConnection, XsiamSearchSettings } from './options.ts'

/** XSIAM refused to run the query as it is written: an unknown dataset or column. */
export class RefusedQuery extends RemoteConfigError {}

export type XsiamApi = {
  /** `reply` of a call. @throws AuthError, RefusedQuery, RemoteConfigError, RateLimitError, UnavailableError */
  call(path: string, data: JsonObject, operation: string, signal: AbortSignal): Promise<unknown>
  /** The body of a call as it arrives. @throws the same */
  stream(
    path: string,
    data: JsonObject,
    operation: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>
}

const SERVICE = 'XSIAM'
const NONCE_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Said with a 500 while four queries of the tenant are running. @source github.com/demisto/content, XQL query engine */
const BUSY = /parallel running queries/i
const QUOTA = /quota/i
const MAX_BUSY = 60
const BUSY_WAIT_MS = 10 * SECOND_MS
const MAX_FAILED = 4

/** The public API. @source Cortex XSIAM Platform APIs, "Run XQL query APIs" */
export function createXsiamApi(
  name: string,
  settings: XsiamSearchSettings,
  connection: XqlConnection,
  parts: InventoryParts,
): XsiamApi {
  const { clock } = parts
  const service = parts.http.service({
    service: SERVICE,
    baseUrl: `${connection.url
      .replace(/[?#].*$/s, '')
      .replace(/\/+$/, '')
      .replace(/\/public_api\/v1$/, '')}/public_api/v1`,
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
    rate: settings.rate,
  })

  async function headers(): Promise<Record<string, string>> {
    const key = await connection.key.reveal()
    const own = { 'content-type': 'application/json', 'x-xdr-auth-id': connection.keyId }
    if (connection.keyType !== 'advanced') return { ...own, authorization: key }
    const nonce = Array.from(randomBytes(64), (byte) => NONCE_LETTERS[byte % NONCE_LETTERS.length]).join('')
    const timestamp = String(clock.now())
    const authorization = createHash('sha256').update(`${key}${nonce}${timestamp}`).digest('hex')
    return { ...own, authorization, 'x-xdr-nonce': nonce, 'x-xdr-timestamp': timestamp }
  }

  /** A 500 says in its words whether it passes; the client would only see the status. */
  async function ask<T extends HttpReply | StreamReply>(
    send: (request: HttpRequest, policy: { readonly neverRetry: readonly number[] }) => Promise<T>,
    request: Omit<HttpRequest, 'headers'>,
  ): Promise<T> {
    for (let busy = 0, failed = 0; ; ) {
      const reply = await send({ ...request, headers: await headers() }, { neverRetry: [500] })
      if (reply.status === 200 || 'body' in reply) return reply
      if (BUSY.test(reply.text())) {
        busy += 1
        if (busy >= MAX_BUSY) throw refusal(reply, request.operation)
        parts.log.info('XSIAM runs as many queries as it allows: waiting for a place')
        await clock.sleep(BUSY_WAIT_MS, request.signal)
        continue
      }
      failed += 1
      if (reply.status !== 500 || failed >= MAX_FAILED || QUOTA.test(reply.text()))
        throw refusal(reply, request.operation)
      await clock.sleep(SECOND_MS * 2 ** failed * (1 + clock.random()), request.signal)
    }
  }

  const requestOf = (path: string, data: JsonObject, operation: string, signal: AbortSignal) =>
    ({ method: 'POST', path, body: JSON.stringify({ request_data: data }), operation, signal }) as const

  function refusal(reply: HttpReply, operation: string): Error {
    const said = messageOf(reply)
    const message = `stream ${name}: could not ${operation}: XSIAM answered ${reply.status}${said === '' ? '' : `: ${said}`}`
    const details: RemoteDetails = {
      service: SERVICE,
      operation,
      status: reply.status,
      requestId: reply.requestId,
    }
    if (QUOTA.test(said)) return new RateLimitError(message, { ...details, hint: QUOTA_HINT })
    switch (reply.status) {
      case 401:
      case 403:
        return new AuthError(message, {
          ...details,
          hint: `check search.keyId (${connection.keyId}), search.key (${connection.key.origin}), search.keyType and the key's role, which must have XQL rights; a collector key cannot search`,
        })
      case 402:
        return new AuthError(message, {
          ...details,
          hint: 'the licence of the tenant does not include this API',
        })
      case 400:
        return new RefusedQuery(message, {
          ...details,
          hint: `check search.dataset (${connection.dataset}) and idField: the dataset exists once the first event has arrived`,
        })
      default:
        return reply.status >= 500
          ? new UnavailableError(message, { ...details, hint: 'try again later' })
          : new RemoteConfigError(message, { ...details, hint: 'check search.url: https://api-<tenant>' })
    }
  }

  return {
    async call(path, data, operation, signal) {
      const reply = await ask(
        (request, policy) => service.request(request, policy),
        requestOf(path, data, operation, signal),
      )
      return (reply.json() as { readonly reply?: unknown } | null)?.reply
    },
    async stream(path, data, operation, signal) {
      const reply = await ask(
        (request, policy) => service.stream(request, policy),
        requestOf(path, data, operation, signal),
      )
      if ('body' in reply) return reply.body
      throw refusal(reply, operation)
    },
  }
}

export const QUOTA_HINT =
  'the query units of the day are shared with the analysts: try again tomorrow, or with a shorter window'

/** The envelope of an error: `err_msg`, and what `err_extra` adds to it. */
function messageOf(reply: HttpReply): string {
  let said = reply.text()
  try {
    const { reply: envelope } = reply.json() as {
      readonly reply?: { err_msg?: unknown; err_extra?: unknown }
    }
    if (envelope !== undefined)
      said = [envelope.err_msg, envelope.err_extra].map(textOf).filter(Boolean).join(': ')
  } catch {
    // Something else than the API has answered: its words as they are.
  }
  return redact(
    said
      .replace(/[\s\p{C}]+/gu, ' ')
      .slice(0, 300)
      .trim(),
  )
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
