import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { HttpClient, HttpService, ServiceSettings } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import { isLoopbackHost } from './address.ts'
import { ACCEPTED_ENCODINGS } from './decompress.ts'
import { type Environment, proxyFor } from './proxy.ts'
import { evenPace, type RateLimiter, rateLimiter } from './rate-limit.ts'
import { safeLookup } from './safe-lookup.ts'
import { httpService } from './service.ts'
import { checkedBase } from './target.ts'
import { tlsOptions } from './tls.ts'

export type HttpClientParts = {
  readonly clock: Clock
  readonly log: Log
  /** Where the proxy variables are. */
  readonly env: Environment
  readonly version: string
  /** For one attempt as a whole, unless the service or the request says otherwise; default 60 s. */
  readonly timeoutMs?: number
  /** Further attempts of a read after the first; default 5. */
  readonly retries?: number
  /** The longest wait a server may ask for, and of all waits of one request; default 300 s. */
  readonly maxWaitMs?: number
}

const TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 10_000
const RETRIES = 5
const MAX_WAIT_MS = 300_000

/**
 * The process's one way to the network: a keep-alive pool per origin, pacing shared by all who talk to it, TLS 1.2 at least, proxies by the
 * environment. Nothing is opened before the first request.
 */
export function createHttpClient(parts: HttpClientParts): HttpClient {
  const { clock, log } = parts
  const pools = new Map<string, Dispatcher>()
  const limiters = new Map<string, RateLimiter>()
  const contacts = new Map<string, { hasAnswered: boolean }>()
  const warned = new Set<string>()
  const maxWaitMs = parts.maxWaitMs ?? MAX_WAIT_MS

  const limiterFor = (origin: string, service: string, kind: 'read' | 'write') =>
    remembered(limiters, `${kind} ${origin}`, () =>
      rateLimiter({
        clock,
        maxWaitMs,
        onWait: (ms) => {
          log.info(`${service}: its rate limit is used up, waiting ${Math.ceil(ms / 1000)} s`, {
            service,
            waitMs: ms,
          })
        },
      }),
    )

  const poolFor = (origin: string, settings: ServiceSettings, proxy: URL | undefined, timeoutMs: number) => {
    const tls = tlsOptions(settings.tls)
    const connectTimeout = Math.min(CONNECT_TIMEOUT_MS, timeoutMs)
    return remembered(pools, JSON.stringify([origin, settings.tls ?? null, connectTimeout]), () =>
      proxy === undefined
        ? new Pool(origin, { connectTimeout, allowH2: false, connect: { ...tls, lookup: safeLookup() } })
        : new ProxyAgent({
            uri: proxy.href,
            connectTimeout,
            allowH2: false,
            requestTls: { ...tls },
            // Only there: undici takes a SOCKS proxy with TLS settings for one that is spoken to over TLS.
            ...(proxy.protocol === 'https:'
              ? { proxyTls: { minVersion: 'TLSv1.2', allowH2: false } }
              : undefined),
          }),
    )
  }

  return {
    service(settings): HttpService {
      const base = checkedBase(settings)
      const { origin } = base
      const timeoutMs = settings.timeoutMs ?? parts.timeoutMs ?? TIMEOUT_MS
      const proxy = proxyFor(base, parts.env)
      if (settings.tls?.insecureSkipVerify === true && !warned.has(origin)) {
        warned.add(origin)
        log.warn(
          `the certificate of ${settings.service} at ${origin} is not verified (tls.insecureSkipVerify)`,
          {
            service: settings.service,
            origin,
          },
        )
      }
      return httpService({
        service: settings.service,
        base,
        dispatcher: poolFor(origin, settings, proxy, timeoutMs),
        proxy: proxy?.host,
        limiters: {
          read: limiterFor(origin, settings.service, 'read'),
          write: limiterFor(origin, settings.service, 'write'),
        },
        pace: settings.pace ?? (settings.rate === undefined ? undefined : evenPace(clock, settings.rate)),
        clock,
        log,
        headers: {
          'user-agent': `auditctl/${parts.version}`,
          ...(isLoopbackHost(base.hostname) ? undefined : { 'accept-encoding': ACCEPTED_ENCODINGS }),
        },
        timeoutMs,
        maxAttempts: (parts.retries ?? RETRIES) + 1,
        maxWaitMs,
        contact: remembered(contacts, origin, () => ({ hasAnswered: false })),
      })
    },
    async close() {
      const open = [...pools.values()]
      pools.clear()
      await Promise.all(open.map((pool) => pool.destroy()))
    },
  }
}

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
