import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { HttpFailure, HttpReply, HttpRequest, HttpService, StreamReply } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import { decompress } from './decompress.ts'
import { exchange, type WireFailure, type WireReply, type WireRequest } from './exchange.ts'
import { type Asked, failureCode, failureError } from './failure.ts'
import { openStream } from './open-stream.ts'
import type { RateLimiter } from './rate-limit.ts'
import { httpReply, requestIdOf } from './reply.ts'
import { type Failed, isFailed, type RetryParts, untilAnswered } from './retry-loop.ts'
import { targetsOf } from './target.ts'
import { totalTimeouts } from './total-timeouts.ts'

export type ServiceParts = {
  readonly service: string
  readonly base: URL
  readonly dispatcher: Dispatcher
  readonly proxy: string | undefined
  /** One for reading and one for everything else: servers count them apart. */
  readonly limiters: { readonly read: RateLimiter; readonly write: RateLimiter }
  readonly pace: ((signal: AbortSignal) => Promise<void>) | undefined
  readonly clock: Clock
  readonly log: Log
  /** Sent with every request unless the request says otherwise. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly maxAttempts: number
  readonly maxWaitMs: number
  /** Shared by the services of one origin: whether it ever answered in this run. */
  readonly contact: { hasAnswered: boolean }
}

type Prepared = {
  readonly request: HttpRequest
  readonly wire: WireRequest
  readonly asked: Asked
  readonly limiter: RateLimiter
}

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024
const MAX_IDLE_MS = 60_000
const gzipAsync = promisify(gzip)

/** One far side, reached through its pool. */
export function httpService(parts: ServiceParts): HttpService {
  const { service, clock, dispatcher } = parts
  const targetOf = targetsOf(parts.base)
  const timeoutOf = totalTimeouts(clock)
  let requests = 0

  const prepare = async (request: HttpRequest, maxBytes = MAX_RESPONSE_BYTES): Promise<Prepared> => {
    request.signal.throwIfAborted()
    const { origin, path } = targetOf(request)
    const headers: Record<string, string> = { ...parts.headers }
    for (const name in request.headers) headers[name.toLowerCase()] = request.headers[name] ?? ''
    let body: string | Uint8Array | undefined = request.body
    if (request.gzip === true && body !== undefined) {
      body = await gzipAsync(body, { level: 1 })
      headers['content-encoding'] = 'gzip'
    }
    const timeoutMs = request.timeoutMs ?? parts.timeoutMs
    return {
      request,
      wire: {
        method: request.method,
        origin,
        path,
        headers,
        body,
        signal: request.signal,
        timeoutMs,
        idleTimeoutMs: Math.min(timeoutMs, MAX_IDLE_MS),
        maxBytes,
      },
      asked: { service, operation: request.operation, origin, timeoutMs, proxy: parts.proxy },
      limiter:
        request.method === 'GET' || request.method === 'HEAD' ? parts.limiters.read : parts.limiters.write,
    }
  }

  /** One request on the wire, in its turn. @throws the signal's reason while waiting for the turn */
  const send = async <
    T extends { readonly kind: string; readonly status: number; readonly headers: Record<string, string> },
  >(
    { wire, limiter }: Prepared,
    how: (dispatcher: Dispatcher, wire: WireRequest) => Promise<T | WireFailure>,
  ): Promise<T | Failed> => {
    if (parts.pace !== undefined) await parts.pace(wire.signal)
    const taken = limiter.take(wire.signal)
    const permit = taken instanceof Promise ? await taken : taken
    let answer: T | WireFailure | undefined
    try {
      requests += 1
      answer = await how(dispatcher, wire)
    } finally {
      permit.done(answer !== undefined && 'status' in answer ? answer : undefined)
    }
    if ('status' in answer) {
      parts.contact.hasAnswered = true
      return answer
    }
    const { cause, hasStarted } = answer
    return {
      kind: 'failed',
      code: wire.signal.aborted ? 'aborted' : failureCode(cause, hasStarted),
      hasStarted,
      cause,
    }
  }

  const finish = async (
    { request, wire }: Prepared,
    raw: WireReply,
    attempts: number,
  ): Promise<HttpReply | Failed> => {
    const { status, headers } = raw
    const receivedAtMs = clock.now()
    try {
      const encoding = headers['content-encoding']
      const bytes = encoding === undefined ? raw.body : await decompress(raw.body, encoding, wire.maxBytes)
      return httpReply({
        service,
        operation: request.operation,
        status,
        headers,
        bytes,
        attempts,
        receivedAtMs,
      })
    } catch (cause) {
      return { kind: 'failed', code: failureCode(cause, true), hasStarted: true, cause }
    }
  }

  const once = async (prepared: Prepared, attempts: number): Promise<HttpReply | Failed> => {
    const answer = await send(prepared, (to, wire) => exchange(to, wire, timeoutOf(wire.timeoutMs)))
    return answer.kind === 'reply' ? finish(prepared, answer, attempts) : answer
  }

  const onceStreamed = async (
    prepared: Prepared,
    attempts: number,
  ): Promise<StreamReply | HttpReply | Failed> => {
    const answer = await send(prepared, openStream)
    if (answer.kind === 'failed') return answer
    if (answer.kind === 'reply') return finish(prepared, answer, attempts)
    const { status, headers } = answer
    return {
      status,
      headers,
      requestId: requestIdOf(headers),
      body: readable(answer.body, prepared, attempts),
    }
  }

  /** A body whose failures are ours. */
  async function* readable(body: AsyncIterable<Uint8Array>, { wire, asked }: Prepared, attempts: number) {
    try {
      yield* body
    } catch (cause) {
      wire.signal.throwIfAborted()
      throw failureError(failureCode(cause, true), cause, asked, attempts)
    }
  }

  const retryParts = ({ asked, limiter, wire }: Prepared): RetryParts => ({
    ...parts,
    asked,
    limiter,
    signal: wire.signal,
  })

  return {
    requests: () => requests,
    async request(request, policy = {}) {
      const prepared = await prepare(request, request.maxResponseBytes)
      return untilAnswered<HttpReply>(retryParts(prepared), policy, (attempt) => once(prepared, attempt))
    },
    async stream(request, policy = {}) {
      const maxBytes = request.maxResponseBytes ?? Number.POSITIVE_INFINITY
      const prepared = await prepare(request, maxBytes)
      return untilAnswered<StreamReply>(retryParts(prepared), policy, (attempt) =>
        onceStreamed(prepared, attempt),
      )
    },
    async attempt(request): Promise<HttpReply | HttpFailure> {
      const prepared = await prepare(request, request.maxResponseBytes)
      const answer = await once(prepared, 1)
      if (!isFailed(answer)) return answer
      if (request.signal.aborted && !answer.hasStarted) throw request.signal.reason
      const { code, hasStarted, cause } = answer
      return {
        kind: 'failure',
        code,
        nothingSent: !hasStarted,
        error: failureError(code, cause, prepared.asked, 1),
      }
    },
  }
}
