import type { FaultPlan } from '../faults.ts'
import type { Exchange } from '../listen.ts'

export const INGEST_AUDIENCE = 'https://monitor.azure.com'
export const QUERY_AUDIENCE = 'https://api.loganalytics.io'
const AUDIENCES = [INGEST_AUDIENCE, QUERY_AUDIENCE]

export type TokenSettings = {
  tenantId: string
  clientId: string
  clientSecret: string
  tokenSeconds: number
}

export type Tokens = {
  /** The token endpoint of Entra, and the instance metadata service beside it. */
  answer(exchange: Exchange): void
  /** Whether the request carries a live token for that audience. */
  accepts(exchange: Exchange, audience: string): boolean
  /** Makes every token handed out so far worthless. */
  expireAll(): void
  issued(): number
}

/** Status, body, headers; status 0 cuts the connection. */
type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>]

export function createTokens(settings: TokenSettings, faults: FaultPlan, now: () => number): Tokens {
  const live = new Map<string, { readonly audience: string; readonly expiresAt: number }>()
  let issued = 0

  function issue(audience: string): { readonly token: string; readonly expiresIn: number } {
    issued += 1
    // Opaque, as clients must treat it; long enough for redaction to know it.
    const token = `sandbox-token-${issued.toString().padStart(6, '0')}-${audience.length}`
    live.set(token, { audience, expiresAt: now() + settings.tokenSeconds * 1000 })
    return { token, expiresIn: settings.tokenSeconds }
  }

  function entra(exchange: Exchange): Answer {
    const due = (kind: string) => faults.take('azure', kind, exchange.index)
    const form = new URLSearchParams(exchange.body.toString('utf8'))
    const refuse = (status: number, error: string, code: number, words: string): Answer => [
      status,
      { error, error_description: `AADSTS${code}: ${words}`, error_codes: [code] },
    ]
    if (exchange.method !== 'POST') return [404, { error: 'not_found' }]
    if (due('token-reset') !== undefined) return [0, undefined]
    if (due('token-unavailable') !== undefined) return [503, { error: 'temporarily_unavailable' }]
    if (due('token-busy') !== undefined) return [429, { error: 'throttled' }, { 'retry-after': '1' }]
    if (!String(exchange.headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
      return refuse(400, 'invalid_request', 900144, 'the body must be a form')
    }
    if (exchange.path !== `/${settings.tenantId}/oauth2/v2.0/token`) {
      return refuse(400, 'invalid_request', 90002, 'Tenant not found')
    }
    if (form.get('grant_type') !== 'client_credentials') {
      return refuse(400, 'unsupported_grant_type', 70003, 'The grant type is not supported')
    }
    if (form.get('client_id') !== settings.clientId) {
      return refuse(400, 'unauthorized_client', 700016, 'Application was not found in the directory')
    }
    if (form.get('client_secret') !== settings.clientSecret || due('token-refused') !== undefined) {
      return refuse(401, 'invalid_client', 7000215, 'Invalid client secret provided')
    }
    const audience = /^(.*?)\/?\/\.default$/.exec(form.get('scope') ?? '')?.[1]
    if (audience === undefined || !AUDIENCES.includes(audience)) {
      return refuse(400, 'invalid_scope', 70011, 'The provided value for scope is not valid')
    }
    const { token, expiresIn } = issue(audience)
    return [
      200,
      {
        token_type: 'Bearer',
        expires_in: expiresIn,
        ext_expires_in: expiresIn,
        access_token: token,
      },
    ]
  }

  function metadata(exchange: Exchange): Answer {
    if (exchange.headers['metadata'] !== 'true') return [400, { error: 'invalid_request' }]
    const resource = (exchange.query.get('resource') ?? '').replace(/\/$/, '')
    if (!AUDIENCES.includes(resource)) return [400, { error: 'invalid_resource' }]
    const { token, expiresIn } = issue(resource)
    return [
      200,
      {
        access_token: token,
        expires_in: String(expiresIn),
        token_type: 'Bearer',
        resource,
      },
    ]
  }

  return {
    answer(exchange) {
      const isMetadata = exchange.method === 'GET' && exchange.path === '/metadata/identity/oauth2/token'
      const [status, body, headers] = isMetadata ? metadata(exchange) : entra(exchange)
      if (status === 0) exchange.reset()
      else exchange.reply(status, body, headers)
    },
    accepts(exchange, audience) {
      const token = /^Bearer (.+)$/.exec(String(exchange.headers['authorization'] ?? ''))?.[1]
      const known = token === undefined ? undefined : live.get(token)
      return known !== undefined && known.audience === audience && known.expiresAt > now()
    },
    expireAll: () => live.clear(),
    issued: () => issued,
  }
}
