import { AuthError, type RemoteDetails } from '../../core/errors.ts'
import type { HttpReply, HttpRequest, HttpService, RetryPolicy } from '../../core/http.ts'
import { registerSecret, type Secret } from '../../core/secret.ts'
import { isTokenRefused, problemOf, saying } from './problem.ts'

export type Auth =
  | { readonly method: 'universal-auth'; readonly clientId: Secret; readonly clientSecret: Secret }
  | { readonly method: 'token'; readonly token: Secret }

export type Asked = Pick<HttpRequest, 'path' | 'query' | 'operation' | 'signal' | 'maxResponseBytes'>

type Token = { readonly value: string; readonly isFirst: boolean; hasWorked: boolean }

const LOGIN_PATH = '/api/v1/auth/universal-auth/login'
const SERVICE = 'Infisical'

/**
 * Everything that is asked with a token. One log-in serves all workers of a run, since each is an event in the log. A token that is
 * refused after it has worked (expired, used up) is replaced; credentials that were refused are never sent again: three failures lock them.
 */
export class Session {
  readonly #http: HttpService
  readonly #auth: Auth
  #token: Promise<Token> | undefined
  #refusal: AuthError | undefined
  #value: string | undefined
  logins = 0

  constructor(http: HttpService, auth: Auth) {
    this.#http = http
    this.#auth = auth
  }

  /** @throws AuthError when the credentials or a fresh token are refused */
  async get(asked: Asked, policy?: RetryPolicy): Promise<HttpReply> {
    for (;;) {
      const current = this.#current(asked.signal)
      const token = await current
      const headers = { authorization: `Bearer ${token.value}` }
      const reply = await this.#http.request({ ...asked, method: 'GET', headers }, policy)
      if (!isTokenRefused(reply)) {
        token.hasWorked = true
        return reply
      }
      // Another worker may have replaced it meanwhile; then this one goes on with the new token.
      if (this.#token === current) this.#dismiss(token, reply)
    }
  }

  /** Logs in if nobody has, and proves nothing more. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#current(signal)
  }

  /** What the token says about its bearer, unverified; undefined before the first log-in and for tokens that say nothing. */
  claims():
    | { readonly identityId: string | undefined; readonly organizationId: string | undefined }
    | undefined {
    const payload = this.#value?.split('.')[1]
    if (payload === undefined) return undefined
    try {
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      const text = (key: string) => {
        const value =
          claims !== null && typeof claims === 'object' ? (claims as { [key: string]: unknown })[key] : ''
        return typeof value === 'string' && value !== '' ? value : undefined
      }
      return {
        identityId: text('identityId') ?? text('userId'),
        organizationId: text('orgId') ?? text('organizationId'),
      }
    } catch {
      return undefined
    }
  }

  #current(signal: AbortSignal): Promise<Token> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    if (this.#token === undefined) {
      const token = this.#obtain(signal)
      this.#token = token
      token.catch((error: unknown) => {
        if (error instanceof AuthError) this.#refusal = error
        if (this.#token === token) this.#token = undefined
      })
    }
    return this.#token
  }

  #dismiss(token: Token, reply: HttpReply): void {
    if (this.#auth.method === 'token') {
      this.#refusal = refused('the token', this.#auth.token.origin, reply, {
        hint: 'make a new token in Infisical (Token Auth), or use universal-auth, which logs in again by itself',
      })
    } else if (!token.isFirst && !token.hasWorked) {
      this.#refusal = refused('a token that it had just issued', this.#auth.clientId.origin, reply, {
        hint: 'check the trusted IPs and the number of uses of the identity’s access tokens',
      })
    }
    if (this.#refusal !== undefined) throw this.#refusal
    this.#token = undefined
  }

  async #obtain(signal: AbortSignal): Promise<Token> {
    if (this.#auth.method === 'token') {
      const value = await this.#auth.token.reveal()
      this.#value = value
      return { value, isFirst: true, hasWorked: false }
    }
    const { clientId, clientSecret } = this.#auth
    const body = JSON.stringify({
      clientId: await clientId.reveal(),
      clientSecret: await clientSecret.reveal(),
    })
    const reply = await this.#http.request({
      method: 'POST',
      path: LOGIN_PATH,
      headers: { 'content-type': 'application/json' },
      body,
      operation: 'log in',
      signal,
    })
    if (reply.status !== 200) throw loginRefused(clientId, reply)
    const granted = reply.json()
    const value =
      granted !== null && typeof granted === 'object' && 'accessToken' in granted
        ? granted.accessToken
        : undefined
    if (typeof value !== 'string' || value === '') {
      throw new AuthError(`${SERVICE} answered the log-in without an accessToken (${reply.status})`, {
        service: SERVICE,
        operation: 'log in',
        hint: 'check that the URL is that of an Infisical server',
      })
    }
    registerSecret(value)
    this.#value = value
    const isFirst = this.logins === 0
    this.logins += 1
    return { value, isFirst, hasWorked: false }
  }
}

function loginRefused(clientId: Secret, reply: HttpReply): AuthError {
  if (reply.status === 404 && problemOf(reply).error !== 'NotFound') {
    return refused('the log-in', clientId.origin, reply, {
      hint: 'check the URL: there is no Infisical log-in at this address',
    })
  }
  return refused('the log-in', clientId.origin, reply, {
    hint: 'check clientId, clientSecret and the identity’s trusted IPs; three failures lock the log-in for five minutes, so it was not tried again',
  })
}

function refused(what: string, origin: string, reply: HttpReply, details: RemoteDetails): AuthError {
  const problem = problemOf(reply)
  const whose = origin === 'literal' ? '' : ` of ${origin}`
  return new AuthError(`${SERVICE} refused ${what}${whose} ${saying(reply, problem)}`, {
    service: SERVICE,
    operation: 'log in',
    status: reply.status,
    requestId: problem.requestId,
    ...details,
  })
}
