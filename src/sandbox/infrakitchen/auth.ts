import { createHmac } from 'node:crypto'
import type { Exchange } from '../listen.ts'
import type { Release } from './release.ts'
import { KINDS, numberedId } from './rows.ts'

/** Throwaway credentials, the same in every sandbox. */
export const READER = { identifier: 'audit', password: 'sandbox-ik-password-0123456789' } as const
/** A service account that nobody has given a role yet. */
export const FRESH = { identifier: 'fresh', password: 'sandbox-ik-fresh-0123456789' } as const
export const PERSONAL_TOKEN = `ik_${'0a1b2c3d'.repeat(4)}_${'sandboxPersonalToken'.padEnd(43, 'x')}`

const KEY = 'sandbox'
const LIFE_SECONDS = 30 * 24 * 3600

export type Caller = { readonly id: string; readonly mayRead: boolean; readonly isDeactivated: boolean }

/** Why there is no caller, as each generation puts it. */
export type Refusal = { readonly kind: 'missing' | 'invalid'; readonly reason: string }

export type Auth = {
  caller(exchange: Exchange): Caller | Refusal
  /** The exchange of a service account; undefined when it is refused. */
  exchangeToken(
    identifier: unknown,
    password: unknown,
  ): { readonly token: string; readonly expiresAt: string } | undefined
  guestToken(): string
  expireTokens(): void
  readonly logins: () => number
}

export function authOf(parts: {
  readonly now: () => number
  readonly release: Release
  readonly ttlSeconds: () => number | undefined
  readonly violate: (rule: string, detail: string) => void
}): Auth {
  const { now, release, ttlSeconds, violate } = parts
  const accounts = [
    { ...READER, id: numberedId(KINDS.user, 101), mayRead: true },
    { ...FRESH, id: numberedId(KINDS.user, 102), mayRead: false },
  ]
  const guest = { id: numberedId(KINDS.user, 6), mayRead: true, isDeactivated: false }
  const refused = new Set<string>()
  let expiredUntil = 0
  let logins = 0
  let serial = 0

  const sign = (id: string): string => {
    const life = ttlSeconds() ?? LIFE_SECONDS
    serial += 1
    const claims = {
      aud: 'infrakitchen',
      sub: id,
      exp: Math.floor(now() / 1000) + life,
      jti: serial,
      pld: { id },
    }
    const head = [{ alg: 'HS256', typ: 'infrakitchen.auth.token' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${head}.${createHmac('sha256', KEY).update(head).digest('base64url')}`
  }

  return {
    caller(exchange) {
      const [, token] = /^Bearer (.+)$/i.exec(exchange.headers.authorization ?? '') ?? []
      if (token === undefined) return { kind: 'missing', reason: 'Not authenticated' }
      if (token === PERSONAL_TOKEN && release.hasPersonalTokens) return guest
      const [head = '', payload = '', signature = ''] = token.split('.')
      const invalid = (reason: string): Refusal => ({ kind: 'invalid', reason })
      if (createHmac('sha256', KEY).update(`${head}.${payload}`).digest('base64url') !== signature)
        return invalid('Invalid authentication credentials')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as {
        sub: string
        exp: number
        jti: number
      }
      if (claims.exp * 1000 <= now() || claims.jti <= expiredUntil)
        return invalid(
          'Invalid authentication credentials. 401: Invalid authentication credentials. Signature has expired',
        )
      if (claims.sub === guest.id) return guest
      const account = accounts.find(({ id }) => id === claims.sub)
      return account === undefined
        ? invalid('Invalid authentication credentials')
        : { id: account.id, mayRead: account.mayRead, isDeactivated: false }
    },
    exchangeToken(identifier, password) {
      logins += 1
      const account = accounts.find((one) => one.identifier === identifier && one.password === password)
      if (account === undefined) {
        const key = JSON.stringify([identifier, password])
        if (refused.has(key)) violate('log-in-repeated', String(identifier))
        refused.add(key)
        return undefined
      }
      const token = sign(account.id)
      return { token, expiresAt: new Date(now() + LIFE_SECONDS * 1000).toISOString() }
    },
    guestToken() {
      logins += 1
      return sign(guest.id)
    },
    expireTokens() {
      expiredUntil = serial
    },
    logins: () => logins,
  }
}
