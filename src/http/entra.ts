import {
  AuditctlError,
  AuthError,
  ContractError,
  RemoteConfigError,
  type RemoteError,
} from '../core/errors.ts'
import type { HttpReply, HttpService } from '../core/http.ts'
import type { Clock } from '../core/runtime.ts'
import { registerSecret, type Secret } from '../core/secret.ts'
import { MINUTE_MS, SECOND_MS } from '../core/time-range.ts'
import { isRedirect, redirectRefusal } from './redirect.ts'

export type EntraTokens = {
  /**
   * A bearer token for one audience, `https://monitor.azure.com/.default`; the same one until shortly before it expires, and one request
   * however many callers ask.
   * @throws AuthError when the credentials are refused, and again without asking on every later call; RemoteConfigError when what answers
   * is no such authority
   */
  token(scope: string, signal: AbortSignal): Promise<string>
  /** Forgets a token that the far side refused, so that the next call fetches another. */
  forget(scope: string): void
}

/** Before the expiry that Microsoft names; clocks differ and a request takes its time. */
const EARLY_MS = 5 * MINUTE_MS

type Token = { readonly value: string; readonly expiresAt: number }

/**
 * Microsoft's token exchange with client credentials, for delivery and for search.
 * @param parts.authority the service at `azure.authorityUrl`, whose URL is `parts.authorityUrl`
 * @source https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow (read 2026-11-20)
 */
export function entraTokens(parts: {
  readonly authority: HttpService
  readonly authorityUrl: string
  readonly clock: Clock
  readonly tenant: string
  readonly clientId: string
  readonly clientSecret: Secret
}): EntraTokens {
  const { clock } = parts
  const tokens = new Map<string, Token>()
  const inFlight = new Map<string, Promise<Token>>()
  /** By scope; `''` stands for the credentials themselves. */
  const refusals = new Map<string, RemoteError>()

  const fetchToken = async (scope: string, signal: AbortSignal): Promise<Token> => {
    const askedAt = clock.monotonic()
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: parts.clientId,
      client_secret: await parts.clientSecret.reveal(),
      scope,
    })
    const reply = await parts.authority.request({
      method: 'POST',
      path: `/${encodeURIComponent(parts.tenant)}/oauth2/v2.0/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      operation: 'get a token from Microsoft Entra',
      signal,
    })
    if (reply.status !== 200) {
      const refusal = refused(reply, parts.authorityUrl)
      refusals.set(reply.status === 401 ? '' : scope, refusal)
      throw refusal
    }
    const { value, lifetimeMs } = tokenOf(reply)
    registerSecret(value)
    const usableMs = Math.max(lifetimeMs - EARLY_MS, lifetimeMs / 2)
    return { value, expiresAt: askedAt + usableMs }
  }

  const shared = (scope: string, signal: AbortSignal): Promise<Token> => {
    const running = inFlight.get(scope)
    if (running !== undefined) return running
    const started = fetchToken(scope, signal).finally(() => inFlight.delete(scope))
    inFlight.set(scope, started)
    return started
  }

  return {
    async token(scope, signal) {
      for (;;) {
        signal.throwIfAborted()
        const refusal = refusals.get('') ?? refusals.get(scope)
        if (refusal !== undefined) throw refusal
        const known = tokens.get(scope)
        if (known !== undefined && clock.monotonic() < known.expiresAt) return known.value
        const isOurs = !inFlight.has(scope)
        try {
          tokens.set(scope, await shared(scope, signal))
        } catch (error) {
          // The one who asked for all of us gave up; that is no answer for the others.
          if (isOurs || error instanceof AuditctlError) throw error
        }
      }
    },
    forget(scope) {
      tokens.delete(scope)
    },
  }
}

function tokenOf(reply: HttpReply): { readonly value: string; readonly lifetimeMs: number } {
  const body = objectOf(reply.json())
  const value = body['access_token']
  // The older endpoint spells the number as a string.
  const seconds = Number(body['expires_in'])
  if (typeof value !== 'string' || value === '' || !(seconds > 0)) {
    const field = typeof value === 'string' && value !== '' ? 'expires_in' : 'access_token'
    throw new ContractError(`Microsoft Entra sent a token answer without ${field}`, {
      service: 'Microsoft Entra',
      status: reply.status,
      requestId: reply.requestId,
      hint: 'check azure.authorityUrl; if it is right, report this with the request id',
    })
  }
  return { value, lifetimeMs: seconds * SECOND_MS }
}

function refused(reply: HttpReply, authorityUrl: string): RemoteError {
  const { status, requestId } = reply
  const asked = { service: 'Microsoft Entra', operation: 'get a token from Microsoft Entra' }
  if (isRedirect(status)) return redirectRefusal(reply, { ...asked, url: authorityUrl })
  if (status !== 400 && status !== 401 && status !== 403) {
    return new RemoteConfigError(`What answers at ${authorityUrl} is not Microsoft Entra (${status})`, {
      ...asked,
      status,
      requestId,
      hint: 'check azure.authorityUrl and the tenant',
    })
  }
  const body = parsed(reply)
  const seen = [
    typeof body['error'] === 'string' ? body['error'].slice(0, 60) : '',
    /AADSTS\d+/.exec(String(body['error_description'] ?? ''))?.[0] ?? '',
    String(status),
  ]
  return new AuthError(
    `Microsoft Entra refused the credentials (${seen.filter((part) => part !== '').join(', ')})`,
    {
      ...asked,
      status,
      requestId,
      hint: 'check the tenant, the client id, the client secret (has it expired?) and the scope, then run auditctl doctor',
    },
  )
}

function parsed(reply: HttpReply): Readonly<Record<string, unknown>> {
  try {
    return objectOf(reply.json())
  } catch {
    // An error page is refused like an error message.
    return {}
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
}
