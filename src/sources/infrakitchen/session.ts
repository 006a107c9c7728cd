import { AuthError, RemoteConfigError } from '../../core/errors.ts'
import type { HttpReply, HttpRequest, HttpService, RetryPolicy } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { Bearer, type Granted, whose } from '../bearer.ts'
import { detailsOf, SERVICE, saying } from './problem.ts'

export type Auth =
  | { readonly method: 'service-account'; readonly identifier: string; readonly password: Secret }
  | { readonly method: 'token'; readonly token: Secret }
  | { readonly method: 'guest'; readonly scope?: 'default' | 'infra' | 'super' | undefined }

const OPERATION = 'log in'

/** Everything that is asked with a token. */
export class Session {
  readonly #http: HttpService
  readonly #auth: Auth
  readonly #bearer: Bearer<HttpReply>

  constructor(http: HttpService, auth: Auth) {
    this.#http = http
    this.#auth = auth
    this.#bearer = new Bearer({
      obtain: (signal) => this.#obtain(signal),
      isRefused: ({ status }) => status === 401,
      judge: ({ hasWorked }, reply) => this.#judge(hasWorked, reply),
    })
  }

  /** Resolves with any answer but a refused token. @throws AuthError when the credentials or a fresh token are refused */
  send(request: HttpRequest, policy?: RetryPolicy): Promise<HttpReply> {
    return this.#bearer.carry((token) => {
      const headers = { ...request.headers, authorization: `Bearer ${token}` }
      return this.#http.request({ ...request, headers }, policy)
    }, request.signal)
  }

  /** Logs in if nobody has, and proves nothing more. */
  start(signal: AbortSignal): Promise<void> {
    return this.#bearer.start(signal)
  }

  /** Of the token, unverified: `sub` is the user's id. */
  claim(name: string): string | undefined {
    return this.#bearer.claim(name)
  }

  #judge(hasWorked: boolean, reply: HttpReply): AuthError | undefined {
    if (this.#auth.method === 'token') {
      return refused(`the token${whose(this.#auth.token)}`, reply, {
        hint: 'it has expired, was deleted, or is of another server: make a new personal token (0.5 and later), or use a service account',
      })
    }
    if (hasWorked) return undefined
    return refused('a token that it had just issued', reply, {
      hint: 'check the clock of the server, and whether a proxy in front of it changes the Authorization header',
    })
  }

  async #obtain(signal: AbortSignal): Promise<Granted> {
    if (this.#auth.method === 'token') return { value: await this.#auth.token.reveal() }
    if (this.#auth.method === 'guest')
      return { value: await this.#visit(this.#auth.scope ?? 'default', signal) }
    return { value: await this.#exchange(this.#auth, signal) }
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
