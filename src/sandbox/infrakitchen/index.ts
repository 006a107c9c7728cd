import { setTimeout as wait } from 'node:timers/promises'
import { type Exchange, listen } from '../listen.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import { FRESH, PERSONAL_TOKEN, READER } from './auth.ts'
import { ApiError } from './filter.ts'
import { serveGraphql } from './graphql.ts'
import { SERVICE } from './release.ts'
import { serveRest } from './rest.ts'
import { nativeRow, numberedId, type Row, rawRow, USERS } from './rows.ts'
import { checkFaults, createWorld, type World } from './world.ts'

/** A strict InfraKitchen on loopback, REST (generation 2025, or a release up to 0.3) or GraphQL. */
export async function startInfrakitchen(options: SandboxOptions): Promise<SandboxService> {
  const world = createWorld(options)
  const listener = await listen({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => route(world, exchange),
    admin: (exchange) => administer(world, exchange),
  })
  return {
    name: SERVICE,
    urls: { [SERVICE]: listener.url },
    config: {
      sources: {
        [SERVICE]: {
          type: SERVICE,
          url: listener.url,
          auth: { method: 'service-account', ...READER },
          ...(world.zone === undefined ? {} : { timezone: world.zone }),
        },
      },
    },
    violations: world.violations,
    *events() {
      for (const row of world.store.rows()) yield nativeRow(row, world.release, world.zone)
    },
    close: () => listener.close(),
  }
}

async function route(world: World, exchange: Exchange) {
  const { method, path } = exchange
  const { release, auth } = world
  world.request = exchange.index
  exchange.response.setHeader('x-process-time', '0.0042')
  exchange.response.setHeader('access-control-expose-headers', 'Content-Range')
  exchange.response.setHeader('date', new Date(world.options.now()).toUTCString())
  if (await interfere(world, exchange)) return
  if (path === '/zstatus') return exchange.reply(200, JSON.stringify('OK'))
  if (method === 'POST' && path === '/api/auth/service_account/token') return exchangeToken(world, exchange)
  const [, scope] = /^\/api\/auth\/guest\/callback\/(\w+)$/.exec(path) ?? []
  if (method === 'GET' && scope !== undefined) return guest(world, exchange, scope)

  const isGraphql = method === 'POST' && path === '/api/graphql' && release.graphql !== 'none'
  const isRest = method === 'GET' && /^\/api\/(?:audit_logs|logs)(?:\/|$)/.test(path) && release.hasRest
  if (!isGraphql && !isRest) return exchange.reply(404, { detail: 'Not Found' })
  const caller = auth.caller(exchange)
  const problem = release.graphql === 'full' ? 'message' : 'detail'
  if ('kind' in caller && caller.kind === 'invalid') return exchange.reply(401, { [problem]: caller.reason })
  if (isGraphql) return serveGraphql(world, exchange, caller)
  if ('kind' in caller) {
    const isOld = release.version === '0.1.0'
    return exchange.reply(
      isOld ? 403 : 401,
      { detail: caller.reason },
      isOld ? {} : { 'www-authenticate': 'Bearer' },
    )
  }
  if (!caller.mayRead || world.take('forbidden') !== undefined)
    return exchange.reply(403, { detail: 'GET method is forbidden' })
  try {
    serveRest(world, exchange)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    exchange.reply(error.status, { message: error.message })
  }
}

/** Accidents that strike before the question is looked at. */
async function interfere(world: World, exchange: Exchange): Promise<boolean> {
  const slowMs = world.mode('slow', 100)
  if (slowMs !== undefined) await wait(slowMs)
  if (world.take('token-expire') !== undefined) world.auth.expireTokens()
  const vanished = world.take('vanish')
  if (vanished !== undefined) world.store.vanish(Number(vanished || 500))
  const wanted = world.take('rate-limit')
  if (wanted !== undefined)
    exchange.reply(429, { message: 'Too many requests' }, { 'retry-after': wanted || '1' })
  else if (world.take('reset') !== undefined) exchange.reset()
  else if (world.take('error-500') !== undefined) exchange.reply(500, { message: 'Internal server error' })
  else if (world.take('html') !== undefined)
    exchange.reply(200, '<!doctype html><title>InfraKitchen</title>', { 'content-type': 'text/html' })
  else return false
  return true
}

function exchangeToken(world: World, exchange: Exchange) {
  const body = JSON.parse(exchange.body.toString('utf8') || '{}') as {
    identifier?: unknown
    password?: unknown
  }
  if (body.identifier === undefined && body.password === undefined)
    return exchange.reply(400, { detail: 'identifier and password are required' })
  const granted = world.auth.exchangeToken(body.identifier, body.password)
  if (granted === undefined) return exchange.reply(401, { detail: 'Invalid password or username' })
  exchange.reply(200, { token: granted.token, expires_at: granted.expiresAt })
}

function guest(world: World, exchange: Exchange, scope: string) {
  if (!['default', 'infra', 'super'].includes(scope))
    return exchange.reply(422, {
      message: [{ type: 'enum', loc: ['path', 'scope'], msg: 'Input should be default, infra or super' }],
    })
  exchange.reply(307, '', {
    location: '/',
    'set-cookie': `guest-token=${world.auth.guestToken()}; HttpOnly; Secure; Path=/; SameSite=lax`,
  })
}

/** `POST /__emulator/events` with `{"late":[{"timeUs":…}]}`, entries whose transactions end only now, or with JSON lines kept to the byte. */
function administer(world: World, exchange: Exchange) {
  const body = exchange.body.toString('utf8') || '{}'
  switch (`${exchange.method} ${exchange.path.slice('/__emulator/'.length)}`) {
    case 'GET state':
      return exchange.reply(200, {
        service: SERVICE,
        version: world.release.version,
        requests: world.request,
        probes: world.probes,
        logins: world.auth.logins(),
        violations: world.violations,
        credentials: { reader: READER, fresh: FRESH, personalToken: PERSONAL_TOKEN },
      })
    case 'POST faults': {
      const { faults = [] } = JSON.parse(body) as { faults?: string[] }
      for (const spec of faults) world.options.faults.add(spec)
      checkFaults(world.options.faults)
      return exchange.reply(200, {})
    }
    case 'POST events': {
      if (String(exchange.headers['content-type']).includes('ndjson')) {
        const lines = body.split('\n').filter((line) => line !== '')
        for (const line of lines) world.store.add(rawRow(line))
        return exchange.reply(200, { added: lines.length })
      }
      const { late = [] } = JSON.parse(body) as {
        late?: { readonly timeUs: number; readonly number: number }[]
      }
      for (const one of late) world.store.add(lateRow(one.timeUs, one.number))
      return exchange.reply(200, { added: late.length })
    }
    default:
      return exchange.reply(404, { error: 'no such admin route' })
  }
}

function lateRow(timeUs: number, number: number): Row {
  return {
    id: numberedId(0x1a7e, number),
    model: 'resource',
    action: 'update',
    user: USERS[0] as Row['user'],
    hasCreator: true,
    entityId: numberedId(0xe771, number),
    entityName: `late-${number}`,
    timeUs,
    revision: 1,
    workflow: null,
  }
}
