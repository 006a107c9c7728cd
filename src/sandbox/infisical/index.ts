import { type Exchange, listen } from '../listen.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { administer } from './admin.ts'
import { READER } from './credentials.ts'
import { listAuditLogs } from './list.ts'
import { serveStreams } from './streams-api.ts'
import { createWorld, SERVICE, type World } from './world.ts'

/** Writes per minute when the limiter is on: log-ins have a bucket of their own. */
const WRITE_LIMIT = 200
/** Requests that were already under way when the client was told to wait. */
const IN_FLIGHT_MS = 250

/**
 * A strict Infisical server on loopback: the audit-log query API, universal-auth, and the reading side of streams, as recorded (2025) or as
 * later source has it (2026).
 */
export async function startInfisical(options: SandboxOptions): Promise<SandboxService> {
  const world = createWorld(options)
  const listener = await listen({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => route(world, exchange),
    admin: (exchange) => administer(world, exchange),
  })
  return {
    name: SERVICE,
    urls: { infisical: listener.url, admin: `${listener.url}/__emulator` },
    config: {
      sources: {
        [SERVICE]: {
          type: SERVICE,
          url: listener.url,
          auth: {
            method: 'universal-auth',
            clientId: READER.clientId,
            clientSecret: READER.clientSecret,
          },
        },
      },
    },
    violations: world.violations,
    events: () => world.store.events(),
    close: () => listener.close(),
  }
}

async function route(world: World, exchange: Exchange): Promise<void> {
  world.request = exchange.index
  const { method, path } = exchange
  if (method === 'GET' && path === '/api/status') {
    return world.reply.json(exchange, 200, {
      date: new Date(world.options.now()).toISOString(),
      message: 'Ok',
    })
  }
  const post = method === 'POST'
  const logIn = post && path === '/api/v1/auth/universal-auth/login'
  const renew = post && path === '/api/v1/auth/token/renew'
  const list = method === 'GET' && path === '/api/v1/organization/audit-logs'
  const streams = method === 'GET' && /^\/api\/v1\/audit-log-streams(\/|$)/.test(path)
  if (!logIn && !renew && !list && !streams) return noSuchRoute(exchange, world)

  const headers: Record<string, string> = {}
  if (!admit(world, exchange, logIn || renew, headers)) return
  if (logIn) return world.auth.login(exchange)
  if (renew) return world.auth.renew(exchange)
  if (world.options.faults.take(SERVICE, 'token-expire', world.request) !== undefined)
    world.auth.expireTokens()
  const caller = world.auth.caller(exchange)
  if (caller === undefined) return
  if (streams) return serveStreams(world, exchange, caller)
  await listAuditLogs(world, exchange, caller, headers)
}

/** The framework's own 404, which knows nothing of request ids. */
function noSuchRoute(exchange: Exchange, world: World): void {
  const message = `Route ${exchange.method}:${exchange.response.req.url} not found`
  world.reply.json(exchange, 404, { message, error: 'Not Found', statusCode: 404 })
}

/** Counts the request against its bucket; sends the 429 itself. */
function admit(world: World, exchange: Exchange, write: boolean, headers: Record<string, string>): boolean {
  const { faults, now } = world.options
  const told = world.quiet
  if (told !== undefined && now() > told.from + IN_FLIGHT_MS && now() < told.until) {
    world.violate('retry-too-early', `${told.until - now()} ms before the time it was told`)
  }
  const forced = faults.take(SERVICE, 'rate-limit', world.request)
  const forcedBare = faults.take(SERVICE, 'rate-limit-bare', world.request)
  const loud = world.mode('limit', 600)
  const limit = loud ?? world.mode('limit-bare', 600)
  if (limit !== undefined) {
    const key = `${exchange.response.req.socket.remoteAddress} ${write ? 'write' : 'read'}`
    const turn = world.limiter.take(key, write ? Math.max(WRITE_LIMIT, limit) : limit)
    if (loud !== undefined)
      Object.assign(headers, limitHeaders(turn.limit, turn.remaining, turn.resetSeconds))
    if (!turn.allowed) {
      // Without headers nobody can know before.
      if (loud !== undefined) world.violate('over-limit', `more than ${turn.limit} requests in a minute`)
      return refuse(world, exchange, turn.resetSeconds, loud === undefined ? undefined : headers)
    }
  }
  const fault = forced ?? forcedBare
  if (fault === undefined) return true
  const seconds = Number(fault.value ?? 1)
  return refuse(world, exchange, seconds, forced === undefined ? undefined : limitHeaders(60, 0, seconds))
}

function limitHeaders(limit: number, remaining: number, seconds: number): Record<string, string> {
  return {
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(seconds),
  }
}

function refuse(
  world: World,
  exchange: Exchange,
  seconds: number,
  headers: Record<string, string> | undefined,
): false {
  const now = world.options.now()
  world.quiet = { from: now, until: now + seconds * 1000 - 1000 }
  const message = `Rate limit exceeded. Please try again in ${seconds} seconds`
  world.reply.error(exchange, 429, 'RateLimitExceeded', message, {
    ...(headers === undefined ? {} : { headers: { ...headers, 'retry-after': String(seconds) } }),
  })
  return false
}
