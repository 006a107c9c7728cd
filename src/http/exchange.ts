import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { freeBytes, takeBytes } from '../core/free-bytes.ts'
import { BodyTooLargeError } from './decompress.ts'

/** One request as the wire sees it. */
export type WireRequest = {
  readonly method: Dispatcher.HttpMethod
  readonly origin: string
  /** With the query. */
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array | undefined
  readonly signal: AbortSignal
  /** For everything: connecting, sending, waiting, receiving. */
  readonly timeoutMs: number
  readonly idleTimeoutMs: number
  /** Of the body as it arrives. */
  readonly maxBytes: number
}

export type WireReply = {
  readonly kind: 'reply'
  readonly status: number
  readonly headers: Record<string, string>
  /** Still encoded as `content-encoding` says. */
  readonly body: Buffer
}

/** `hasStarted`: the request was being written, so some of it may have left. */
export type WireFailure = {
  readonly kind: 'wire-failure'
  readonly cause: unknown
  readonly hasStarted: boolean
}

/** The total time of a request was up. */
export class TotalTimeoutError extends Error {
  override readonly name = 'TotalTimeoutError'
  readonly code = 'TOTAL_TIMEOUT'
  constructor(timeoutMs: number) {
    super(`no complete answer within ${timeoutMs} ms`)
  }
}

/** A body up to this size gets its memory at once, on the server's word. */
const MAX_TRUSTED_LENGTH = 16 * 1024 * 1024

/**
 * Sends one request and reads the whole answer. A handler of our own and not `Dispatcher.request`: it hears the moment at which writing
 * begins, before which nothing can have left, and it bounds the body while it arrives. Redirects are answers. `timeout` aborts when the
 * request's total time is up.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: WireRequest,
  timeout = AbortSignal.timeout(request.timeoutMs),
): Promise<WireReply | WireFailure> {
  return new Promise((resolve) => {
    const { signal, maxBytes } = request
    let controller: Dispatcher.DispatchController | undefined
    let stopped: Error | undefined
    let hasStarted = false
    let status = 0
    let headers: Record<string, string> = {}
    let whole: Buffer | undefined
    let size = 0
    const chunks: Buffer[] = []
    let copied: Buffer | undefined

    const settle = (answer: WireReply | WireFailure) => {
      signal.removeEventListener('abort', onAbort)
      timeout.removeEventListener('abort', onTimeout)
      resolve(answer)
    }
    // Answers at once, even while still connecting; undici drops the request when its turn comes.
    const stop = (reason: Error) => {
      stopped ??= reason
      settle({ kind: 'wire-failure', cause: stopped, hasStarted })
      controller?.abort(stopped)
    }
    const onAbort = () => stop(asError(signal.reason))
    const onTimeout = () => stop(new TotalTimeoutError(request.timeoutMs))

    if (signal.aborted) return stop(asError(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    timeout.addEventListener('abort', onTimeout, { once: true })

    dispatcher.dispatch(
      {
        origin: request.origin,
        path: request.path,
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        // The total timeout covers it.
        headersTimeout: 0,
        bodyTimeout: request.idleTimeoutMs,
      },
      {
        onRequestStart(started) {
          if (stopped !== undefined) return started.abort(stopped)
          controller = started
          hasStarted = true
        },
        onResponseStart(_, statusCode, received) {
          if (statusCode < 200) return
          status = statusCode
          headers = joined(received)
          const length = request.method === 'HEAD' ? 0 : Number(headers['content-length'] ?? 0)
          if (length > maxBytes) stop(new BodyTooLargeError(maxBytes))
          else if (length > 0 && length <= MAX_TRUSTED_LENGTH) whole = takeBytes(length)
        },
        onResponseData(_, chunk) {
          size += chunk.length
          if (size > maxBytes) stop(new BodyTooLargeError(maxBytes))
          else if (whole === undefined) chunks.push(chunk)
          else {
            chunk.copy(whole, size - chunk.length)
            // What the socket read before this is done with; what it reads now, undici may still look at.
            if (copied !== undefined && copied.buffer !== chunk.buffer) freeBytes(copied)
            copied = chunk
          }
        },
        onResponseEnd() {
          const body = whole === undefined ? Buffer.concat(chunks, size) : whole.subarray(0, size)
          settle({ kind: 'reply', status, headers, body })
        },
        onResponseError(_, cause) {
          settle({ kind: 'wire-failure', cause: stopped ?? cause, hasStarted })
        },
      },
    )
  })
}

/** Repeated headers joined by `, `, as `HttpReply` has them. */
export function joined(headers: IncomingHttpHeaders): Record<string, string> {
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) headers[name] = value.join(', ')
  }
  return headers as Record<string, string>
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
