import { AuthError, type RemoteConfigError, type RemoteDetails } from '../../core/errors.ts'
import type { HttpReply, HttpRequest, HttpService, RetryPolicy } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { isRedirect, redirectRefusal } from '../../http/redirect.ts'
import { Bearer, type Granted } from '../bearer.ts'
import { isTokenRefused, problemOf, saying } from './problem.ts'

export type Auth =
  | { readonly method: 'universal-auth'; readonly clientId: Secret; readonly clientSecret: Secret }
  | { readonly method: 'token'; readonly token: Secret }

export type Asked = Pick<HttpRequest, 'path' | 'query' | 'operation' | 'signal' | 'maxResponseBytes'>

const LOGIN_PATH = '/api/v1/auth/universal-auth/login'
const SERVICE = 'Infisical'

/** Everything that is asked with a token. One log-in serves all workers of a run, since each is an event in the log; three failures lock the credentials. */
export class Session {
  readonly #http: HttpService
  readonly #auth: Auth
  readonly #url: string
  readonly #bearer: Bearer<HttpReply>

  /** @param url the server's base address, for messages */
  constructor(http: HttpService, auth: Auth, url: string) {
    this.#http = http
    this.#auth = auth
    this.#url = url
    this.#bearer = new Bearer({
      obtain: (signal) => this.#obtain(signal),
      isRefused: isTokenRefused,
      judge: (token, reply) => this.#judge(token, reply),
    })
  }

  /** @throws AuthError when the credentials or a fresh token are refused */
  get(asked: Asked, policy?: RetryPolicy): Promise<HttpReply> {
    return this.#bearer.carry(async (token) => {
      const headers = { authorization: `Bearer ${token}` }
      const reply = await this.#http.request({ ...asked, method: 'GET', headers }, policy)
      if (isRedirect(reply.status)) throw this.#redirected(reply, asked.operation)
      return reply
    }, asked.signal)
  }

  /** Logs in if nobody has, and proves nothing more. */
  start(signal: AbortSignal): Promise<void> {
    return this.#bearer.start(signal)
  }

  /** What the token says about its bearer, unverified; undefined before the first log-in and for tokens that say nothing. */
  claims(): { readonly identityId: string | undefined; readonly organizationId: string | undefined } {
    return {
      identityId: this.#bearer.claim('identityId', 'userId'),
      organizationId: this.#bearer.claim('orgId', 'organizationId'),
    }
  }

  #judge(
    { isFirst, hasWorked }: { readonly isFirst: boolean; readonly hasWorked: boolean },
    reply: HttpReply,
  ): AuthError | undefined {
    if (this.#auth.method === 'token') {
      return refused('the token', this.#auth.token.origin, reply, {
        hint: 'make a new token in Infisical (Token Auth), or use universal-auth, which logs in again by itself',
      })
    }
    if (isFirst || hasWorked) return undefined
    return refused('a token that it had just issued', this.#auth.clientId.origin, reply, {
      hint: 'check the trusted IPs and the number of uses of the identity’s access tokens',
    })
  }

  async #obtain(signal: AbortSignal): Promise<Granted> {
    if (this.#auth.method === 'token') return { value: await this.#auth.token.reveal() }
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
    if (isRedirect(reply.status)) throw this.#redirected(reply, 'log in')
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
    return { value }
  }

  #redirected(reply: HttpReply, operation: string): RemoteConfigError {
    return redirectRefusal(reply, { service: SERVICE, operation, url: this.#url })
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
