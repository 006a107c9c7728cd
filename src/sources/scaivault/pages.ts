import { AuthError, ContractError, RemoteConfigError, RemoteError } from '../../core/errors.ts'
import type { SpanEvent } from '../../core/event.ts'
import type { HttpReply } from '../../core/http.ts'
import type { Log } from '../../core/runtime.ts'
import type { EventShape } from '../../core/source.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import { EnvelopeReader, type Listing } from './envelope.ts'
import { detailsOf, problemOf, SERVICE, saying } from './problem.ts'
import type { Pushdown } from './pushdown.ts'
import { Replies } from './replies.ts'
import type { Session } from './session.ts'

export const LIST_PATH = '/v1/audit/logs'
export const MAX_ROWS = 1000
const OPERATION = 'read the audit log'

/** The cursor was made up, or has expired. Never seen above this folder. */
export class CursorError extends Error {
  override readonly name = 'CursorError'
}

export type PageAsked = {
  readonly range: TimeRange
  readonly cursor: string | undefined
  readonly limit: number
}

/** One request: a page of events, or an error that says what to do next. */
export class PageReader {
  readonly pushdown: Pushdown
  readonly log: Log
  readonly replies = new Replies()
  readonly #session: Session
  readonly #envelopes: EnvelopeReader

  constructor(
    parts: { readonly session: Session; readonly shape: EventShape; readonly log: Log },
    pushdown: Pushdown,
  ) {
    this.#session = parts.session
    this.log = parts.log
    this.pushdown = pushdown
    this.#envelopes = new EnvelopeReader(parts.shape, (place) =>
      parts.log.debug(
        `${SERVICE} answers with its entries ${place === '' ? 'as a bare array' : `under ${place}`}`,
        { place },
      ),
    )
  }

  /** @throws CursorError when the chain of pages must be begun anew */
  async read({ range, cursor, limit }: PageAsked, signal: AbortSignal): Promise<Listing> {
    for (;;) {
      const query = { ...this.pushdown.params(), ...boundsOf(range), limit, cursor }
      const reply = await this.#session.send({
        method: 'GET',
        path: LIST_PATH,
        query,
        operation: OPERATION,
        signal,
      })
      if (reply.status === 200) return listingOf(this.#envelopes, reply, OPERATION, this.replies.spare)
      this.#refuse(reply, cursor)
    }
  }

  warnings(): readonly string[] {
    const names = this.#envelopes.otherNames ?? []
    return [
      ...this.pushdown.warnings(),
      ...(names.length === 0
        ? []
        : [
            `the server's entries have ${names.join(', ')}: tables and CSV leave those columns empty; --shape common fills them, and --fields takes the server's names`,
          ]),
    ]
  }

  /** Returns when the next request will ask differently. @throws RemoteError otherwise */
  #refuse(reply: HttpReply, cursor: string | undefined): void {
    const problem = problemOf(reply)
    const said = saying(reply, problem)
    if (cursor !== undefined && (problem.code === 'invalid_cursor' || problem.fields.includes('cursor'))) {
      throw new CursorError(said)
    }
    if (reply.status === 422 || reply.status === 400) {
      const named = problem.fields.filter((field) =>
        this.pushdown.drop(field, problem.message.slice(0, 80) || problem.code),
      )
      if (named.length > 0) {
        // A cursor belongs to the filters it was given for.
        if (cursor !== undefined) throw new CursorError(said)
        return
      }
    }
    throw refusal(reply, OPERATION)
  }
}

/** @throws ContractError in words that say what was read */
export function listingOf(
  envelopes: EnvelopeReader,
  reply: HttpReply,
  operation: string,
  spare?: SpanEvent[],
): Listing {
  try {
    return envelopes.read(reply.bytes, spare)
  } catch (cause) {
    if (!(cause instanceof ContractError)) throw cause
    throw new ContractError(`Could not ${operation}: ${cause.message}`, {
      ...detailsOf(reply, problemOf(reply), operation),
      cause,
      code: 'contract',
      hint: cause.hint ?? 'check the URL; if it stays so, report it with the request id',
    })
  }
}

/** The error for an answer that no other question would mend. */
export function refusal(reply: HttpReply, operation: string): RemoteError {
  const problem = problemOf(reply)
  const said = saying(reply, problem)
  const details = detailsOf(reply, problem, operation)
  if (reply.status === 403) {
    return new AuthError(`${SERVICE} does not let this identity ${operation} ${said}`, {
      ...details,
      hint: hintFor(problem.code),
    })
  }
  if (problem.code === 'tenant_not_found') {
    return new RemoteConfigError(`${SERVICE} knows no such tenant ${said}`, {
      ...details,
      hint: 'check the tenant of the source',
    })
  }
  if (reply.status === 404 || reply.status === 405 || (reply.status >= 300 && reply.status < 400)) {
    return new RemoteConfigError(`${SERVICE} has nothing at this address to ${operation} with ${said}`, {
      ...details,
      hint: 'check the URL of the source: the origin of the installation, without /v1',
    })
  }
  return new RemoteError(`Could not ${operation}: ${SERVICE} refused the request ${said}`, {
    ...details,
    hint: 'if it stays so, report it with the request id',
  })
}

function hintFor(code: string): string {
  const hints: Readonly<Record<string, string>> = {
    insufficient_scope: 'the token needs the scope audit:read, and audit:export for jobs',
    mfa_required: 'use a service account, or log in again with a second factor',
    ip_not_allowed: 'this machine’s address is not on the list of the policy',
    time_window_violation: 'the policy allows this at other hours only',
    tenant_access_denied:
      'acting in another tenant needs partner-admin rights: leave tenant out if the token is of that tenant',
  }
  return (
    hints[code] ?? 'check the scopes and policies of the identity, and whether tenant names its own tenant'
  )
}

/** A microsecond more at both ends: which of them are inside is nowhere said, and what is too much is left out here. */
export function boundsOf({ from, to }: TimeRange): { readonly from: string; readonly to: string } {
  return { from: isoTime(from - 1).replace('Z', '999Z'), to: isoTime(to).replace('Z', '001Z') }
}
