import { AuthError, RemoteConfigError, RemoteError } from '../../core/errors.ts'
import {
  type HttpFailure,
  type HttpReply,
  type HttpRequest,
  type HttpService,
  isFailure,
} from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import { registerSecret, type Secret } from '../../core/secret.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import { detailsOf, problemOf, SERVICE, saying } from './problem.ts'

export type Credentials =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'client'; readonly clientId: Secret; readonly clientSecret: Secret }

type Token = { readonly value: string; readonly renewAt: EpochMs; hasWorked: boolean }

export type SessionParts = {
  readonly http: HttpService
  /** Where client credentials are exchanged. */
  readonly authority: HttpService
  readonly clock: Clock
  readonly credentials: Credentials
  readonly tenant: string | undefined
  /** Each audit query takes a turn. */
  readonly pace: (signal: AbortSignal) => Promise<void>
}

const OPERATION = 'log in'
const SCOPES = 'audit:read audit:export'

export type Asked = Omit<HttpRequest, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>
  /** False for what is counted apart from audit queries. */
  readonly isAuditQuery?: boolean
}

/**
 * Everything that is asked with a token, inside one tenant. A token of client credentials is renewed before it expires, and once when it is
 * refused after it has worked; credentials that were refused are never sent again.
 */
export class Session {
  readonly #parts: SessionParts
  #token: Promise<Token> | undefined
  #refusal: AuthError | undefined
  logins = 0

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Resolves with any answer but a refused token. @throws AuthError when the credentials or a fresh token are refused */
  async send(asked: Asked): Promise<HttpReply> {
    let isRepeated = false
    for (;;) {
      const token = await this.#current(asked.signal)
      const reply = await this.#once(asked, token)
      if (reply.status === 401) {
        await this.#replace(token, reply)
        continue
      }
      token.hasWorked = true
      // The vendor's advice: an internal error is tried again once, and no more.
      if (reply.status !== 500 || isRepeated) return answered(reply, asked.operation)
      isRepeated = true
      await this.#parts.clock.sleep(SECOND_MS * (0.5 + this.#parts.clock.random()), asked.signal)
    }
  }

  /** What must not happen twice is sent once; only a refused token, which proves that nothing happened, is replaced. */
  async sendOnce(asked: Asked): Promise<HttpReply | HttpFailure> {
    for (;;) {
      const token = await this.#current(asked.signal)
      const answer = await this.#parts.http.attempt(this.#prepared(asked, token))
      if (isFailure(answer) || answer.status !== 401) {
        if (!isFailure(answer)) token.hasWorked = true
        return answer
      }
      await this.#replace(token, answer)
    }
  }

  /** Obtains a token if nobody has, and proves nothing more. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#current(signal)
  }

  async #once(asked: Asked, token: Token): Promise<HttpReply> {
    const { http, pace } = this.#parts
    if (asked.isAuditQuery !== false) await pace(asked.signal)
    return http.request(this.#prepared(asked, token), { neverRetry: [500] })
  }

  #prepared({ isAuditQuery: _, ...asked }: Asked, token: Token): HttpRequest {
    const { tenant } = this.#parts
    const headers = {
      ...asked.headers,
      authorization: `Bearer ${token.value}`,
      ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
    }
    return { ...asked, headers }
  }

  async #current(signal: AbortSignal): Promise<Token> {
    if (this.#refusal !== undefined) throw this.#refusal
    const pending = this.#token
    const known = await pending
    if (known !== undefined && known.renewAt > this.#parts.clock.now()) return known
    // Several may have waited for the same one; the first of them makes the next.
    if (this.#token === pending) {
      const token = this.#obtain(signal)
      this.#token = token
      token.catch((error: unknown) => {
        if (error instanceof AuthError) this.#refusal = error
        if (this.#token === token) this.#token = undefined
      })
    }
    return this.#token as Promise<Token>
  }

  async #replace(token: Token, reply: HttpReply): Promise<void> {
    // Another worker may have replaced it meanwhile; then this one goes on with the new token.
    if ((await this.#token) === token) this.#dismiss(token, reply)
    if (this.#refusal !== undefined) throw this.#refusal
  }

  #dismiss(token: Token, reply: HttpReply): void {
    const { credentials } = this.#parts
    if (credentials.kind === 'token') {
      this.#refusal = refused(`the token${whose(credentials.token)}`, reply, {
        hint: 'personal tokens live 90 days by default: make a new one with the scope audit:read, or use clientId and clientSecret',
      })
    } else if (!token.hasWorked) {
      this.#refusal = refused('a token that its identity provider had just issued', reply, {
        hint: 'check that url and authUrl belong to the same installation',
      })
    }
    if (this.#refusal !== undefined) throw this.#refusal
    this.#token = undefined
  }

  async #obtain(signal: AbortSignal): Promise<Token> {
    const { credentials, authority, clock } = this.#parts
    if (credentials.kind === 'token') {
      const value = await credentials.token.reveal()
      return { value, renewAt: Number.POSITIVE_INFINITY, hasWorked: false }
    }
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: await credentials.clientId.reveal(),
      client_secret: await credentials.clientSecret.reveal(),
      scope: SCOPES,
    })
    this.logins += 1
    const reply = await authority.request({
      method: 'POST',
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      operation: OPERATION,
      signal,
    })
    if (reply.status === 404 || reply.status === 405 || (reply.status >= 300 && reply.status < 400)) {
      throw new RemoteConfigError(`there is no log-in of ${SERVICE} at this address (${reply.status})`, {
        ...detailsOf(reply, problemOf(reply), OPERATION),
        hint: 'check authUrl: the origin of the identity provider, by default https://scaikey.scailabs.ai',
      })
    }
    if (reply.status !== 200) {
      throw refused(`the client credentials${whose(credentials.clientId)}`, reply, {
        hint: 'check clientId and clientSecret, and that the client may have the scopes audit:read and audit:export; it was not tried again',
      })
    }
    const granted = reply.json() as { readonly access_token?: unknown; readonly expires_in?: unknown } | null
    const value = granted?.access_token
    if (typeof value !== 'string' || value === '') {
      throw new AuthError(`${SERVICE} answered the log-in without an access_token`, {
        service: SERVICE,
        operation: OPERATION,
        hint: 'check authUrl: the origin of the identity provider',
      })
    }
    registerSecret(value)
    const seconds = Number(granted?.expires_in)
    const lifeMs = seconds > 0 ? seconds * SECOND_MS : 60 * MINUTE_MS
    // A minute before its end, or at half of its life where that is short.
    return { value, renewAt: clock.now() + Math.max(lifeMs / 2, lifeMs - MINUTE_MS), hasWorked: false }
  }
}

function answered(reply: HttpReply, operation: string): HttpReply {
  if (reply.status !== 500) return reply
  const problem = problemOf(reply)
  throw new RemoteError(`Could not ${operation}: ${SERVICE} failed ${saying(reply, problem)}`, {
    ...detailsOf(reply, problem, operation),
    hint: 'try again later; if it stays so, report it to ScaiLabs with the request id',
  })
}

function refused(what: string, reply: HttpReply, more: { readonly hint: string }): AuthError {
  const problem = problemOf(reply)
  return new AuthError(`${SERVICE} refused ${what} ${saying(reply, problem)}`, {
    ...detailsOf(reply, problem, OPERATION),
    code: 'auth',
    ...more,
  })
}

function whose(secret: Secret): string {
  return secret.origin === 'literal' ? '' : ` of ${secret.origin}`
}
