import type { Exchange } from '../listen.ts'
import { IDENTITIES, type Identity, READER, readToken, signToken } from './credentials.ts'
import { uuidOf } from './hash.ts'
import type { Issue } from './query.ts'
import type { Reply } from './reply.ts'

type Token = {
  readonly identity: Identity
  readonly expiresAt: number
  uses: number
  expired: boolean
}

export type Auth = {
  login(exchange: Exchange): void
  renew(exchange: Exchange): void
  /** The caller, one use of its token spent; undefined when the refusal has been sent. */
  caller(exchange: Exchange): Identity | undefined
  /** A token as an administrator would hand it out for token auth. */
  staticToken(identity?: Identity): string
  /** From now on every token given out so far is refused as expired. */
  expireTokens(): void
  logins(): number
  clear(): void
}

export type AuthRules = {
  readonly now: () => number
  readonly seed: number
  readonly reply: Reply
  /** Seconds a new token lives. */
  ttlSeconds(): number
  /** Uses a token has; 0 is any number. */
  usesLimit(): number
  violate(rule: string, detail: string): void
}

const LOCK_AFTER = 3
const LOCK_MS = 300_000
const FORGET_MS = 30_000

export function authOf(rules: AuthRules): Auth {
  const { now, reply } = rules
  const tokens = new Map<string, Token>()
  const failures = new Map<string, { count: number; lastAt: number; lockedUntil: number }>()
  const refused = new Set<string>()
  let logins = 0

  const issue = (identity: Identity, tokenId: string, ttlMs: number): string => {
    tokens.set(tokenId, { identity, expiresAt: now() + ttlMs, uses: 0, expired: false })
    return signToken({
      identityId: identity.identityId,
      identityAccessTokenId: tokenId,
      authTokenType: 'identityAccessToken',
    })
  }
  const granted = (identity: Identity): Readonly<Record<string, unknown>> => {
    logins += 1
    const ttl = rules.ttlSeconds()
    const accessToken = issue(identity, uuidOf(rules.seed + 17, logins), ttl * 1000)
    return { accessToken, expiresIn: ttl, accessTokenMaxTTL: Math.max(ttl, 2_592_000), tokenType: 'Bearer' }
  }
  const fail = (clientId: string): void => {
    const before = failures.get(clientId)
    const count = before === undefined || now() - before.lastAt > FORGET_MS ? 1 : before.count + 1
    failures.set(clientId, {
      count,
      lastAt: now(),
      lockedUntil: count >= LOCK_AFTER ? now() + LOCK_MS : 0,
    })
  }

  return {
    login(exchange) {
      const body = jsonBody(exchange)
      if (body === undefined) return reply.error(exchange, 500, 'InternalServerError', 'Something went wrong')
      const issues = ['clientId', 'clientSecret'].flatMap((name) => missing(body, name))
      if (issues.length > 0) return reply.error(exchange, 422, 'ValidationFailure', issues)
      const [clientId, clientSecret] = [String(body['clientId']), String(body['clientSecret'])]
      const pair = `${clientId}\n${clientSecret}`
      if (refused.has(pair)) {
        rules.violate('login-retried', `client ${clientId} logs in again with what was refused`)
      }
      const identity = IDENTITIES.find((one) => one.clientId === clientId)
      if (identity === undefined) {
        refused.add(pair)
        return reply.error(exchange, 404, 'NotFound', 'No identity with specified client ID was found')
      }
      if (now() < (failures.get(clientId)?.lockedUntil ?? 0)) {
        const locked = 'This identity auth method is temporarily locked, please try again later'
        return reply.error(exchange, 401, 'UnauthorizedError', locked)
      }
      if (identity.clientSecret !== clientSecret) {
        fail(clientId)
        refused.add(pair)
        return reply.error(exchange, 401, 'UnauthorizedError', 'Invalid credentials')
      }
      failures.delete(clientId)
      reply.json(exchange, 200, granted(identity))
    },
    renew(exchange) {
      const body = jsonBody(exchange)
      if (body === undefined) return reply.error(exchange, 500, 'InternalServerError', 'Something went wrong')
      const issues = missing(body, 'accessToken')
      if (issues.length > 0) return reply.error(exchange, 422, 'ValidationFailure', issues)
      const read = readToken(String(body['accessToken']))
      if ('refusal' in read) return reply.error(exchange, 403, 'TokenError', read.refusal)
      const token = tokens.get(read.tokenId)
      if (token === undefined || token.expired) {
        return reply.error(exchange, 401, 'UnauthorizedError', 'No identity access token found')
      }
      reply.json(exchange, 200, granted(token.identity))
    },
    caller(exchange) {
      const { authorization } = exchange.headers
      if (authorization === undefined) {
        reply.error(exchange, 401, 'UnauthorizedError', 'Token missing')
        return undefined
      }
      // The real server cuts seven characters off and never looks at them.
      const read = readToken(authorization.slice(7))
      if ('refusal' in read) {
        reply.error(exchange, 403, 'TokenError', read.refusal)
        return undefined
      }
      const token = tokens.get(read.tokenId)
      if (token === undefined) {
        reply.error(exchange, 401, 'UnauthorizedError', 'No identity access token found')
        return undefined
      }
      if (token.expired || now() >= token.expiresAt) {
        reply.error(exchange, 403, 'TokenError', 'Your token has expired. Please re-authenticate.')
        return undefined
      }
      const most = rules.usesLimit()
      if (most > 0 && token.uses >= most) {
        const spent = 'Unable to renew because access token number of uses limit reached'
        reply.error(exchange, 401, 'UnauthorizedError', spent)
        return undefined
      }
      token.uses += 1
      return token.identity
    },
    staticToken: (identity = READER) => issue(identity, `static-${identity.role}`, Number.POSITIVE_INFINITY),
    expireTokens: () => {
      for (const token of tokens.values()) token.expired = true
    },
    logins: () => logins,
    clear: () => {
      failures.clear()
      refused.clear()
    },
  }
}

function jsonBody(exchange: Exchange): Readonly<Record<string, unknown>> | undefined {
  try {
    const body: unknown = JSON.parse(exchange.body.toString('utf8') || '{}')
    return body !== null && typeof body === 'object' ? (body as Readonly<Record<string, unknown>>) : {}
  } catch {
    return undefined
  }
}

function missing(body: Readonly<Record<string, unknown>>, name: string): readonly Issue[] {
  const value = body[name]
  if (typeof value === 'string') return []
  const received = value === undefined ? 'undefined' : value === null ? 'null' : typeof value
  const message = value === undefined ? 'Required' : `Expected string, received ${received}`
  return [{ code: 'invalid_type', expected: 'string', received, path: [name], message }]
}
