import type { Exchange } from '../listen.ts'
import type { World } from './world.ts'

/** Throwaway credentials, the same in every sandbox. */
export const TOKEN = 'skt_sandbox_reader_0123456789abcdef'
export const READ_ONLY_TOKEN = 'skt_sandbox_readonly_0123456789abcdef'
export const NO_SCOPE_TOKEN = 'skt_sandbox_noscope_0123456789abcdef'
export const CLIENT = {
  clientId: 'sandbox-client',
  clientSecret: 'sandbox-client-secret-0123456789',
} as const
export const TENANT = 'tnt_acme_prod'
const PARTNER = 'ptn_acme'

export type Caller = {
  readonly identityId: string
  readonly scopes: readonly string[]
  readonly tenant: string
}
export type Denied = { readonly status: number; readonly code: string; readonly message: string }

export type Auth = {
  caller(exchange: Exchange): Caller | Denied
  /** POST /oauth/token. */
  grant(exchange: Exchange): void
  expireTokens(): void
}

const READER = ['audit:read', 'audit:export']
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  [TOKEN]: READER,
  [READ_ONLY_TOKEN]: ['audit:read'],
  [NO_SCOPE_TOKEN]: ['secrets:read'],
}

export function authOf(world: World): Auth {
  const { now } = world.options
  const tokens = new Map<string, { readonly expiresAt: number; readonly scopes: readonly string[] }>()
  const refused = new Set<string>()
  const note = (credentials: string): void => {
    if (refused.has(credentials)) world.violate('credentials-repeated', 'refused before')
    refused.add(credentials)
  }
  return {
    caller(exchange) {
      const header = exchange.headers.authorization
      if (header === undefined) return denied(401, 'authentication_required', 'A bearer token is needed.')
      const token = header.replace(/^Bearer /, '')
      const issued = tokens.get(token)
      if (issued !== undefined && issued.expiresAt <= now())
        return denied(401, 'token_expired', 'The token has expired.')
      const scopes = issued?.scopes ?? SCOPES[token]
      if (scopes === undefined) {
        note(token)
        return denied(401, 'token_invalid', 'The token is not valid.')
      }
      const tenant = exchange.headers['x-tenant-id']
      if (tenant !== undefined && tenant !== TENANT) {
        return String(tenant).startsWith('tnt_')
          ? denied(403, 'tenant_access_denied', 'This tenant belongs to another partner.')
          : denied(404, 'tenant_not_found', 'There is no such tenant.')
      }
      return {
        identityId: issued === undefined ? 'user:ana@example.com' : 'sa:auditctl',
        scopes,
        tenant: TENANT,
      }
    },
    grant(exchange) {
      world.logins += 1
      const form = new URLSearchParams(exchange.body.toString('utf8'))
      if (!String(exchange.headers['content-type']).startsWith('application/x-www-form-urlencoded'))
        world.violate('token-form', 'not form-encoded')
      const isClient =
        form.get('client_id') === CLIENT.clientId && form.get('client_secret') === CLIENT.clientSecret
      if (form.get('grant_type') !== 'client_credentials' || !isClient) {
        note(form.toString())
        exchange.reply(401, { error: 'invalid_client', error_description: 'Client authentication failed' })
        return
      }
      const seconds = Number(world.mode('token-ttl', '60') ?? 3600)
      const token = `eyJ${Buffer.from(`sandbox ${world.logins}`).toString('base64url')}.sandbox.sandbox`
      tokens.set(token, { expiresAt: now() + seconds * 1000, scopes: READER })
      exchange.reply(200, { access_token: token, token_type: 'Bearer', expires_in: seconds })
    },
    expireTokens() {
      for (const [token, { scopes }] of tokens) tokens.set(token, { expiresAt: 0, scopes })
    },
  }
}

export function whoamiBody({ identityId, scopes, tenant }: Caller) {
  return {
    identity_id: identityId,
    identity_type: identityId.startsWith('sa:') ? 'service_account' : 'user',
    display_name: 'Sandbox',
    tenant_id: tenant,
    partner_id: PARTNER,
    scopes,
    groups: [],
    roles: ['auditor'],
    mfa_verified_at: null,
    token_expires_at: null,
  }
}

function denied(status: number, code: string, message: string): Denied {
  return { status, code, message }
}
