import { AuthError, RemoteConfigError, RemoteError } from '../../core/errors.ts'
import {
  type HttpFailure,
  type HttpReply,
  type HttpRequest,
  type HttpService,
  isFailure,
} from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import type { Secret } from '../../core/secret.ts'
import { MINUTE_MS, SECOND_MS } from '../../core/time-range.ts'
import { Bearer, type Granted, whose } from '../bearer.ts'
import { detailsOf, problemOf, SERVICE, saying } from './problem.ts'

export type Credentials =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'client'; readonly clientId: Secret; readonly clientSecret: Secret }

export type SessionParts = {
  readonly http: HttpService
  /** The same server, at the pace of audit queries. */
  readonly queries: HttpService
  /** Where client credentials are exchanged. */
  readonly authority: HttpService
  readonly clock: Clock
  readonly credentials: Credentials
  readonly tenant: string | undefined
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
  readonly #bearer: Bearer<HttpReply | HttpFailure>

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#bearer = new Bearer({
      obtain: (signal) => this.#obtain(signal),
      isRefused: (answer) => !isFailure(answer) && answer.status === 401,
      judge: ({ hasWorked }, answer) => this.#judge(hasWorked, answer as HttpReply),
      now: parts.clock.now,
    })
  }

  /** Resolves with any answer but a refused token. @throws AuthError when the credentials or a fresh token are refused */
  async send(asked: Asked): Promise<HttpReply> {
    const { clock, http, queries } = this.#parts
    const service = asked.isAuditQuery === false ? http : queries
    for (let isRepeated = false; ; isRepeated = true) {
      const reply = (await this.#bearer.carry(
        (token) => service.request(this.#prepared(asked, token), { neverRetry: [500] }),
        asked.signal,
      )) as HttpReply
      // The vendor's advice: an internal error is tried again once, and no more.
      if (reply.status !== 500 || isRepeated) return answered(reply, asked.operation)
      await clock.sleep(SECOND_MS * (0.5 + clock.random()), asked.signal)
    }
  }

  /** What must not happen twice is sent once; only a refused token, which proves that nothing happened, is replaced. */
  sendOnce(asked: Asked): Promise<HttpReply | HttpFailure> {
    return this.#bearer.carry((token) => this.#parts.http.attempt(this.#prepared(asked, token)), asked.signal)
  }

  #prepared({ isAuditQuery: _, ...asked }: Asked, token: string): HttpRequest {
    const { tenant } = this.#parts
    const headers = {
      ...asked.headers,
      authorization: `Bearer ${token}`,
      ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
    }
    return { ...asked, headers }
  }

  #judge(hasWorked: boolean, reply: HttpReply): AuthError | undefined {
    const { credentials } = this.#parts
    if (credentials.kind === 'token') {
      return refused(`the token${whose(credentials.token)}`, reply, {
        hint: 'personal tokens live 90 days by default: make a new one with the scope audit:read, or use clientId and clientSecret',
      })
    }
    if (hasWorked) return undefined
    return refused('a token that its identity provider had just issued', reply, {
      hint: 'check that url and authUrl belong to the same installation',
    })
  }

  async #obtain(signal: AbortSignal): Promise<Granted> {
    const { credentials, authority, clock } = this.#parts
    if (credentials.kind === 'token') return { value: await credentials.token.reveal() }
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: await credentials.clientId.reveal(),
      client_secret: await credentials.clientSecret.reveal(),
      scope: SCOPES,
    })
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
    const seconds = Number(granted?.expires_in)
    const lifeMs = seconds > 0 ? seconds * SECOND_MS : 60 * MINUTE_MS
    // A minute before its end, or at half of its life where that is short.
    return { value, renewAt: clock.now() + Math.max(lifeMs / 2, lifeMs - MINUTE_MS) }
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
