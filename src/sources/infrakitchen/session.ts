import { AuthError, RemoteConfigError } from '../../core/errors.ts'
import type { HttpReply, HttpRequest, HttpService, RetryPolicy } from '../../core/http.ts'
import { registerSecret, type Secret } from '../../core/secret.ts'
import { detailsOf, SERVICE, saying } from './problem.ts'

export type Auth =
  | { readonly method: 'service-account'; readonly identifier: string; readonly password: Secret }
  | { readonly method: 'token'; readonly token: Secret }
  | { readonly method: 'guest'; readonly scope?: 'default' | 'infra' | 'super' | undefined }

type Token = { readonly value: string; readonly isFirst: boolean; hasWorked: boolean }

const OPERATION = 'log in'

/**
 * Everything that is asked with a token. A token that is refused after it has worked is replaced where it can be; credentials that were
 * refused are never sent again.
 */
export class Session {
  readonly #http: HttpService
  readonly #auth: Auth
  #token: Promise<Token> | undefined
  #refusal: Error | undefined
  #value: string | undefined
  logins = 0

  constructor(http: HttpService, auth: Auth) {
    this.#http = http
    this.#auth = auth
  }

  /** Resolves with any answer but a refused token. @throws AuthError when the credentials or a fresh token are refused */
  async send(request: HttpRequest, policy?: RetryPolicy): Promise<HttpReply> {
    for (;;) {
      const current = this.#current(request.signal)
      const token = await current
      const headers = { ...request.headers, authorization: `Bearer ${token.value}` }
      const reply = await this.#http.request({ ...request, headers }, policy)
      if (reply.status !== 401) {
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

  /** The user id inside the token, unverified; undefined before the first log-in and for tokens that say nothing. */
  userId(): string | undefined {
    try {
      const payload = this.#value?.split('.')[1] ?? ''
      const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
      const subject =
        claims !== null && typeof claims === 'object' && 'sub' in claims ? claims.sub : undefined
      return typeof subject === 'string' ? subject : undefined
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
      this.#refusal = refused(`the token${whose(this.#auth.token)}`, reply, {
        hint: 'it has expired, was deleted, or is of another server: make a new personal token (0.5 and later), or use a service account',
      })
    } else if (!token.hasWorked) {
      this.#refusal = refused('a token that it had just issued', reply, {
        hint: 'check the clock of the server, and whether a proxy in front of it changes the Authorization header',
      })
    }
    if (this.#refusal !== undefined) throw this.#refusal
    this.#token = undefined
  }

  async #obtain(signal: AbortSignal): Promise<Token> {
    const isFirst = this.logins === 0
    let value: string
    if (this.#auth.method === 'token') value = await this.#auth.token.reveal()
    else if (this.#auth.method === 'guest') value = await this.#visit(this.#auth.scope ?? 'default', signal)
    else value = await this.#exchange(this.#auth, signal)
    registerSecret(value)
    this.#value = value
    this.logins += 1
    return { value, isFirst, hasWorked: false }
  }

  /** Present in every release, GraphQL ones included. */
  async #exchange(
    auth: { readonly identifier: string; readonly password: Secret },
    signal: AbortSignal,
  ): Promise<string> {
    const reply = await this.#http.request({
      method: 'POST',
      path: '/api/auth/service_account/token',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: auth.identifier, password: await auth.password.reveal() }),
      operation: OPERATION,
      signal,
    })
    if (reply.status === 404 || reply.status === 405) throw wrongAddress(reply)
    if (reply.status !== 200) {
      throw refused(`the service account ${JSON.stringify(auth.identifier)}`, reply, {
        hint: 'check identifier and password, and that the log-in of service accounts is enabled; it was not tried again',
      })
    }
    const granted = reply.json()
    const token =
      granted !== null && typeof granted === 'object' && 'token' in granted ? granted.token : undefined
    if (typeof token !== 'string' || token === '') throw wrongAddress(reply)
    return token
  }

  /** What a browser does: the guest's page sets a cookie whose value is a token. Leaves a `login` entry in the log. */
  async #visit(scope: string, signal: AbortSignal): Promise<string> {
    const path = `/api/auth/guest/callback/${scope}`
    const reply = await this.#http.request({ method: 'GET', path, operation: OPERATION, signal })
    if (reply.status === 404) throw wrongAddress(reply)
    const token = /(?:^|[,;]\s*)guest-token="?([^;,"\s]+)/.exec(reply.headers['set-cookie'] ?? '')?.[1]
    if (reply.status >= 400 || token === undefined) {
      throw refused(`a guest of the scope ${scope}`, reply, {
        hint: 'guests may be switched off: use a service account or a token',
      })
    }
    return token
  }
}

function refused(what: string, reply: HttpReply, more: { readonly hint: string }): AuthError {
  return new AuthError(`${SERVICE} refused ${what} ${saying(reply)}`, {
    ...detailsOf(reply, OPERATION),
    ...more,
  })
}

function wrongAddress(reply: HttpReply): RemoteConfigError {
  return new RemoteConfigError(`There is no ${SERVICE} log-in at this address ${saying(reply)}`, {
    ...detailsOf(reply, OPERATION),
    hint: 'check the URL of the source: the origin of the installation, without /api',
  })
}

function whose(secret: Secret): string {
  return secret.origin === 'literal' ? '' : ` of ${secret.origin}`
}
