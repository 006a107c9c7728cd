import {
  type HttpClient,
  type HttpFailure,
  type HttpReply,
  type HttpRequest,
  type HttpService,
  isFailure,
  type RetryPolicy,
  type ServiceSettings,
} from '../../core/http.ts'
import { SECOND_MS } from '../../core/time-range.ts'
import { isLoopbackHost } from '../../http/address.ts'

/** What was seen of one far side on the way: nothing of it was asked for. */
export type Sighting = {
  readonly service: string
  readonly origin: string
  /** Encrypted, or on this machine. */
  readonly isPrivate: boolean
  readonly isVerified: boolean
  /** The server's clock minus ours, of the answer that was quickest to come. */
  skewMs: number | undefined
  limit: number | undefined
  remaining: number | undefined
  throttled: number
  /** A log-in was answered with a token. */
  hasLoggedIn: boolean
  /** When the bearer tokens that were sent end, by their own account; undefined for one that does not say. */
  readonly tokenEnds: Set<number | undefined>
}

/** A doctor is not to be kept waiting by a patient that does not answer. */
const TIMEOUT_MS = 20 * SECOND_MS
const MAX_ATTEMPTS = 2

/** The client, with patience cut short, and what goes by noted down. */
export function watchHttp(client: HttpClient): {
  readonly http: HttpClient
  readonly sightings: () => readonly Sighting[]
} {
  const seen = new Map<string, Sighting>()
  const http: HttpClient = {
    service(settings) {
      const sighting = sightingOf(settings, seen)
      return watched(client.service(settings), sighting)
    },
    // Whoever made the client closes it.
    close: async () => {},
  }
  return { http, sightings: () => [...seen.values()] }
}

function sightingOf(settings: ServiceSettings, seen: Map<string, Sighting>): Sighting {
  const url = URL.canParse(settings.baseUrl) ? new URL(settings.baseUrl) : undefined
  const origin = url?.origin ?? ''
  const key = `${settings.service} ${origin}`
  const sighting = seen.get(key) ?? {
    service: settings.service,
    origin,
    isPrivate: url?.protocol !== 'http:' || isLoopbackHost(url.hostname),
    isVerified: settings.tls?.insecureSkipVerify !== true,
    skewMs: undefined,
    limit: undefined,
    remaining: undefined,
    throttled: 0,
    hasLoggedIn: false,
    tokenEnds: new Set(),
  }
  seen.set(key, sighting)
  return sighting
}

function watched(service: HttpService, sighting: Sighting): HttpService {
  const shortened = (request: HttpRequest): HttpRequest => ({
    ...request,
    timeoutMs: Math.min(request.timeoutMs ?? TIMEOUT_MS, TIMEOUT_MS),
  })
  const impatient = (policy: RetryPolicy = {}): RetryPolicy => ({
    ...policy,
    maxAttempts: Math.min(policy.maxAttempts ?? MAX_ATTEMPTS, MAX_ATTEMPTS),
  })
  const note = <Answer extends HttpReply | HttpFailure>(request: HttpRequest, answer: Answer): Answer => {
    if (!isFailure(answer)) noteReply(sighting, request, answer)
    return answer
  }
  return {
    request: async (request, policy) =>
      note(request, await service.request(shortened(request), impatient(policy))),
    attempt: async (request) => note(request, await service.attempt(shortened(request))),
    async stream(request, policy) {
      const answer = await service.stream(shortened(request), impatient(policy))
      if ('bytes' in answer) return note(request, answer)
      noteToken(sighting, request)
      noteLimits(sighting, answer.headers)
      return answer
    },
    requests: () => service.requests(),
  }
}

function noteReply(sighting: Sighting, request: HttpRequest, reply: HttpReply): void {
  const { clockSkewMs } = reply
  const isNearer =
    sighting.skewMs === undefined || Math.abs(clockSkewMs ?? Number.NaN) < Math.abs(sighting.skewMs)
  if (clockSkewMs !== undefined && isNearer) sighting.skewMs = clockSkewMs
  if (reply.status === 429) sighting.throttled += 1
  // One that was retried was refused before.
  else if (reply.attempts > 1 && reply.headers['x-ratelimit-limit'] !== undefined) sighting.throttled += 1
  if (
    reply.status === 200 &&
    request.method === 'POST' &&
    /"access_?token"/i.test(reply.text().slice(0, 4000))
  )
    sighting.hasLoggedIn = true
  noteToken(sighting, request)
  noteLimits(sighting, reply.headers)
}

function noteLimits(sighting: Sighting, headers: Readonly<Record<string, string>>): void {
  const limit = numberOf(headers['x-ratelimit-limit'] ?? headers['ratelimit-limit'])
  const remaining = numberOf(headers['x-ratelimit-remaining'] ?? headers['ratelimit-remaining'])
  if (limit !== undefined) sighting.limit = limit
  if (remaining !== undefined) sighting.remaining = Math.min(remaining, sighting.remaining ?? remaining)
}

function numberOf(text: string | undefined): number | undefined {
  const found = /^\s*(\d+)/.exec(text ?? '')?.[1]
  return found === undefined ? undefined : Number(found)
}

function noteToken(sighting: Sighting, { headers = {} }: HttpRequest): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== 'authorization') continue
    const token = /^Bearer\s+(\S+)$/i.exec(value)?.[1]
    if (token !== undefined) sighting.tokenEnds.add(tokenEnd(token))
  }
}

/** When a JSON Web Token ends, in epoch milliseconds; undefined for any other token and for one that does not say. */
export function tokenEnd(token: string): number | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    const exp = claims !== null && typeof claims === 'object' && 'exp' in claims ? claims.exp : undefined
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * SECOND_MS : undefined
  } catch {
    // Any text with dots in it may be a token.
    return undefined
  }
}
