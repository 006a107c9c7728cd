import { setTimeout as wait } from 'node:timers/promises'
import type { JsonObject } from '../../core/event.ts'
import { type Exchange, listen } from '../listen.ts'
import type { SandboxOptions, SandboxService } from '../service.ts'
import {
  type Auth,
  authOf,
  CLIENT,
  NO_SCOPE_TOKEN,
  READ_ONLY_TOKEN,
  TENANT,
  TOKEN,
  whoamiBody,
} from './auth.ts'
import { microsOf } from './entries.ts'
import { createExport, type Jobs, showExports } from './exports.ts'
import { type Cursors, listEntries } from './list.ts'
import { type Headers, refuse, sendText } from './reply.ts'
import { checkFaults, createWorld, SERVICE, type World } from './world.ts'

type Place = { readonly world: World; readonly auth: Auth; readonly cursors: Cursors; readonly jobs: Jobs }

/** A strict ScaiVault on loopback, with its identity provider on the same address: the audit API as documented, and the proposals for the rest. */
export async function startScaivault(options: SandboxOptions): Promise<SandboxService> {
  const world = createWorld(options)
  const place: Place = { world, auth: authOf(world), cursors: { epoch: 0 }, jobs: new Map() }
  const listener = await listen({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => route(place, exchange),
    admin: (exchange) => administer(place, exchange),
  })
  return {
    name: SERVICE,
    urls: { [SERVICE]: listener.url },
    config: { sources: { [SERVICE]: { type: SERVICE, url: listener.url, token: TOKEN, tenant: TENANT } } },
    violations: world.violations,
    *events() {
      const everything = { fromUs: 0, toUs: Number.POSITIVE_INFINITY, matches: () => true }
      for (const sequence of world.store.all(everything))
        yield JSON.parse(world.store.text(sequence)) as JsonObject
    },
    close: () => listener.close(),
  }
}

async function route(place: Place, exchange: Exchange) {
  const { world, auth } = place
  world.request = exchange.index
  const headers: Headers = {
    'x-request-id': `req_${exchange.index.toString(16).padStart(6, '0')}`,
    date: new Date(world.options.now()).toUTCString(),
  }
  const { method } = exchange
  // Also what is answered with an accident is a query that was sent.
  if (method === 'GET' && /^\/v1(?:\/t\/[^/]+)?\/audit\//.test(exchange.path))
    world.queriesAt.push(world.options.now())
  if (await interfere(place, exchange, headers)) return
  if (method === 'GET' && /^\/v1\/health(?:\/ready)?$/.test(exchange.path))
    return exchange.reply(200, { status: 'ok' }, headers)
  if (method === 'POST' && exchange.path === '/oauth/token') return auth.grant(exchange)

  const [, pathTenant, rest = exchange.path.slice(3)] = /^\/v1\/t\/([^/]+)(\/.*)$/.exec(exchange.path) ?? []
  if (pathTenant !== undefined && pathTenant !== TENANT)
    return refuse(exchange, headers, 404, 'tenant_not_found', 'There is no such tenant.')
  const caller = auth.caller(exchange)
  if ('status' in caller) return refuse(exchange, headers, caller.status, caller.code, caller.message)
  if (!admit(world, exchange, rest, headers)) return
  if (rest === '/auth/whoami') return exchange.reply(200, whoamiBody(caller), headers)
  const isExport = /^\/audit\/exports?(?:\/|$)/.test(rest)
  const needed = isExport ? 'audit:export' : 'audit:read'
  if (!caller.scopes.includes(needed) || world.take('forbidden') !== undefined)
    return refuse(exchange, headers, 403, 'insufficient_scope', `The scope ${needed} is needed.`)
  if (method === 'POST' && rest === '/audit/export')
    return createExport(world, exchange, headers, place.jobs, caller.identityId)
  if (method !== 'GET')
    return refuse(exchange, headers, 405, 'method_not_allowed', 'Only GET is allowed here.')
  if (isExport) return showExports(world, exchange, headers, place.jobs, rest.split('/')[3])
  serveAudit(place, exchange, rest, headers)
}

/** Accidents that strike before the question is looked at. */
async function interfere({ world, auth }: Place, exchange: Exchange, headers: Headers): Promise<boolean> {
  const slowMs = world.mode('slow', '100')
  if (slowMs !== undefined) await wait(Number(slowMs))
  if (world.take('token-expire') !== undefined) auth.expireTokens()
  const pause = world.take('rate-limit')
  if (pause !== undefined)
    refuse(exchange, { ...headers, 'retry-after': pause || '1' }, 429, 'rate_limited', 'Too many requests.')
  else if (world.take('reset') !== undefined) exchange.reset()
  else if (world.take('error-500') !== undefined)
    refuse(exchange, headers, 500, 'internal_error', 'Something went wrong.')
  else if (world.take('unavailable') !== undefined)
    refuse(exchange, headers, 503, 'service_unavailable', 'Try again later.')
  else if (world.take('html') !== undefined)
    exchange.reply(200, '<!doctype html><title>Welcome</title>', { ...headers, 'content-type': 'text/html' })
  else return false
  return true
}

/** Counts the request against its bucket; sends the 429 itself. */
function admit(world: World, exchange: Exchange, rest: string, headers: Headers): boolean {
  const { buckets } = world
  const isQuery = exchange.method === 'GET' && rest.startsWith('/audit/')
  const bucket = rest === '/auth/whoami' ? buckets.whoami : isQuery ? buckets.queries : buckets.exports
  const { allowed, headers: limits } = bucket.take()
  Object.assign(headers, limits)
  if (allowed) return true
  world.violate('over-limit', `more than ${limits['x-ratelimit-limit']} a minute`)
  refuse(exchange, headers, 429, 'rate_limited', 'Too many requests.')
  return false
}

function serveAudit({ world, cursors }: Place, exchange: Exchange, rest: string, headers: Headers) {
  if (rest === '/audit/logs') return listEntries(world, exchange, headers, cursors)
  if (world.mode('no-trails', '') !== undefined)
    return refuse(exchange, headers, 404, 'not_found', 'Not found.')
  if (rest === '/audit/summary') return summarize(world, exchange, headers)
  const [, kind, encoded = ''] = /^\/audit\/(secrets|identities)\/(.+)$/.exec(rest) ?? []
  if (kind === undefined) return refuse(exchange, headers, 404, 'not_found', 'Not found.')
  const id = encoded.split('/').map(decodeURIComponent).join('/')
  const matches =
    kind === 'secrets'
      ? (facts: { secretPath: string | null }) => facts.secretPath === id
      : (facts: { identityId: string }) => facts.identityId === id
  const everything = { fromUs: 0, toUs: Number.POSITIVE_INFINITY, matches }
  const first = world.store.all(everything).next()
  if (first.done === true)
    return refuse(
      exchange,
      headers,
      404,
      kind === 'secrets' ? 'secret_not_found' : 'identity_not_found',
      'Not found.',
    )
  const around =
    kind === 'secrets'
      ? { secret_path: id, summary: { total_accesses_30d: 1204, unique_identities_30d: 3 } }
      : { identity_id: id, summary: { total_events: 99, unique_secrets: 2 } }
  listEntries(world, exchange, headers, cursors, { matches, around })
}

function summarize(world: World, exchange: Exchange, headers: Headers) {
  const [fromUs, toUs] = ['from', 'to'].map((name) => microsOf(exchange.query.get(name) ?? ''))
  if (fromUs === undefined || toUs === undefined)
    return refuse(exchange, headers, 422, 'validation_error', 'from and to are needed', {
      fields: { from: 'is required' },
    })
  const by_action: Record<string, number> = {}
  const by_identity_type: Record<string, number> = {}
  let total_events = 0
  let successful_events = 0
  for (const sequence of world.store.all({ fromUs, toUs, matches: () => true })) {
    const { action, identityType, success } = world.store.facts(sequence)
    total_events += 1
    if (success) successful_events += 1
    by_action[action] = (by_action[action] ?? 0) + 1
    by_identity_type[identityType] = (by_identity_type[identityType] ?? 0) + 1
  }
  const body = {
    total_events,
    successful_events,
    failed_events: total_events - successful_events,
    by_action,
    by_identity_type,
  }
  sendText(world, exchange, JSON.stringify(body), headers)
}

function administer(place: Place, exchange: Exchange) {
  const { world } = place
  const body = exchange.body.toString('utf8') || '{}'
  switch (`${exchange.method} ${exchange.path.slice('/__emulator/'.length)}`) {
    case 'GET state':
      return exchange.reply(200, {
        service: SERVICE,
        requests: world.request,
        queriesAt: world.queriesAt,
        logins: world.logins,
        violations: world.violations,
        credentials: { token: TOKEN, readOnly: READ_ONLY_TOKEN, noScope: NO_SCOPE_TOKEN, client: CLIENT },
      })
    case 'POST faults': {
      const { faults = [] } = JSON.parse(body) as { faults?: string[] }
      for (const spec of faults) world.options.faults.add(spec)
      checkFaults(world.options.faults)
      return exchange.reply(200, {})
    }
    case 'POST events': {
      const lines = body.split('\n').filter((line) => line !== '')
      for (const line of lines) world.store.add(line)
      return exchange.reply(200, { added: lines.length })
    }
    default:
      return exchange.reply(404, { error: 'no such admin route' })
  }
}
