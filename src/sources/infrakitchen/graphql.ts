import { AuthError, ContractError, RemoteError, UnavailableError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { EventScanner } from '../../core/event-scanner.ts'
import type { HttpReply } from '../../core/http.ts'
import { sliceEvents, sliceOrParse } from '../../core/json-slice.ts'
import {
  type ApiParts,
  type AuditApi,
  NotHereError,
  type PageAsked,
  type RawPage,
  RefusedFilterError,
} from './backend.ts'
import { readEvents } from './events.ts'
import { clean, detailsOf, isMarkup, NEEDS_ROLE, refusalOf, SERVICE } from './problem.ts'
import { MAX_PAGE_BYTES } from './rest.ts'

const OPERATION = 'read the audit log'
const LOGS_OPERATION = 'read the execution log'
/** The server's word for whatever failed inside; a database that is busy for a moment says it too. */
const INTERNAL_TRIES = 3

/** Asked for in REST's spelling, so that an installation's log keeps its shape when it is upgraded. */
const PROBE_FIELDS = 'id created_at: createdAt'
const FIELDS = `${PROBE_FIELDS} model user_id: userId action entity_id: entityId revision_number: revisionNumber creator { id identifier display_name: displayName email provider deactivated }`
const TARGET_NAMES = ' entity_data: entityData'
const LOG_FIELDS =
  'id entity entity_id: entityId revision audit_log_id: auditLogId level data created_at: createdAt execution_start: executionStart expire_at: expireAt trace_id: traceId'
const ARGUMENTS = '(filter: $filter, sort: $sort, range: $range)'
const VARIABLES = '($filter: JSON, $sort: [String!], $range: [Int!])'

type GraphqlError = { readonly message: string; readonly code: string }

/** Releases from 0.4 on. @source docs/references/api/graphql.md of electrolux-oss/infrakitchen at bac36f6 */
export class GraphqlApi implements AuditApi {
  readonly #parts: ApiParts
  /** Not every release has names of targets. */
  #hasTargetNames = true
  readonly #scanner: EventScanner

  constructor(parts: ApiParts) {
    this.#parts = parts
    this.#scanner = new EventScanner(parts.page.shape)
  }

  get tellsNames(): boolean {
    return this.#hasTargetNames
  }

  async page({ filter, sort, start, end, isProbe = false, signal }: PageAsked): Promise<RawPage> {
    const { page } = this.#parts
    const { idKey, timeKey } = page.shape
    for (;;) {
      const fields = isProbe ? PROBE_FIELDS : `${FIELDS}${this.#hasTargetNames ? TARGET_NAMES : ''}`
      // Counting is dear; pages after the first do without.
      const total = start === 0 ? ' total: auditLogsCount(filter: $filter)' : ''
      const query = `query AuditLogs${VARIABLES} { auditLogs${ARGUMENTS} { ${fields} }${total} }`
      const variables = { filter, sort, range: [start, end] }
      const reply = await this.#ask(query, variables, OPERATION, signal)
      const arrayKey = ['data', 'auditLogs']
      const sliced = sliceEvents(reply.bytes, { arrayKey, idKey, timeKey, scanner: this.#scanner })
      const envelope = sliced?.envelope() ?? (reply.json() as JsonObject)
      const errors = errorsOf(envelope)
      if (errors.length > 0) {
        if (this.#hasTargetNames && errors.every(({ message }) => /entity_?data/i.test(message))) {
          this.#hasTargetNames = false
          this.#parts.log.debug(`${SERVICE} does not tell the names of targets`)
          continue
        }
        throw failure(errors, reply, OPERATION)
      }
      try {
        const { spans } = sliced ?? sliceOrParse(reply.bytes, { arrayKey, idKey, timeKey })
        const data = envelope['data'] as JsonObject | undefined
        return {
          events: readEvents(spans, page),
          total: typeof data?.['total'] === 'number' ? data['total'] : undefined,
          clockSkewMs: reply.clockSkewMs,
        }
      } catch (cause) {
        if (!(cause instanceof ContractError)) throw cause
        throw new ContractError(`Could not ${OPERATION}: ${cause.message}`, {
          ...detailsOf(reply, OPERATION),
          cause,
          hint: 'if it stays so, report it with the server’s version',
        })
      }
    }
  }

  async logs(filter: JsonObject, range: readonly [number, number], signal: AbortSignal) {
    const query = `query Logs${VARIABLES} { logs${ARGUMENTS} { ${LOG_FIELDS} } }`
    const variables = { filter, sort: ['created_at', 'ASC'], range }
    const reply = await this.#ask(query, variables, LOGS_OPERATION, signal)
    const body = reply.json() as JsonObject
    const errors = errorsOf(body)
    if (errors.length > 0) throw failure(errors, reply, LOGS_OPERATION)
    const lines = (body['data'] as JsonObject | null | undefined)?.['logs']
    if (Array.isArray(lines)) return lines.filter((line) => line !== null && typeof line === 'object')
    throw new ContractError(`Could not ${LOGS_OPERATION}: the reply has no data.logs`, {
      ...detailsOf(reply, LOGS_OPERATION),
      hint: 'if it stays so, report it with the server’s version',
    })
  }

  /** A 200, whatever stands in it; one that says INTERNAL is asked for again. */
  async #ask(
    query: string,
    variables: JsonObject,
    operation: string,
    signal: AbortSignal,
  ): Promise<HttpReply> {
    const { session, clock } = this.#parts
    for (let tries = 1; ; tries += 1) {
      const reply = await session.send({
        method: 'POST',
        path: '/api/graphql',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables }),
        operation,
        signal,
        maxResponseBytes: MAX_PAGE_BYTES,
      })
      if (reply.status !== 200)
        throw refusalOf(
          reply,
          operation,
          'GraphQL',
          'check the role of the user, and any proxy in front of the server',
        )
      if (isMarkup(reply.bytes)) throw new NotHereError('a web page answers instead of GraphQL')
      const isSmall = reply.bytes.length < 10_000
      const errors = isSmall ? errorsOf(reply.json() as JsonObject) : []
      const isTransient = errors.some(
        ({ code, message }) => code === 'INTERNAL' && !/Cannot query field/.test(message),
      )
      if (!isTransient || tries >= INTERNAL_TRIES) return reply
      this.#parts.log.info(`${SERVICE}: ${errors[0]?.message ?? 'INTERNAL'}, trying again`, { operation })
      await clock.sleep(tries * 500 * (0.5 + clock.random()), signal)
    }
  }
}

/** The error for a 200 that is none. */
function failure(errors: readonly GraphqlError[], reply: HttpReply, operation: string): Error {
  const [first] = errors
  const { message = '', code = '' } = first ?? {}
  const said = `(${code === '' ? 'GraphQL error' : code}): ${message}`
  const details = { ...detailsOf(reply, operation), code: code === '' ? undefined : code.toLowerCase() }
  if (
    errors.some((error) => /Cannot query field ['"]?(?:auditLogs|auditLogsCount|logs)\b/.test(error.message))
  ) {
    return new NotHereError(`GraphQL without an audit log ${said}`)
  }
  const denied = errors.find((error) => error.code === 'ACCESS_DENIED' || error.code === 'UNAUTHORIZED')
  if (denied !== undefined) {
    return new AuthError(
      `${SERVICE} does not let this user ${operation} (${denied.code}): ${denied.message}`,
      {
        ...detailsOf(reply, operation),
        hint: /^Not authenticated/.test(denied.message)
          ? 'the user may be deactivated, or a proxy takes the Authorization header away'
          : NEEDS_ROLE,
      },
    )
  }
  if (code === 'VALIDATION') return new RefusedFilterError(said)
  if (code === 'INTERNAL' || code === '') {
    return new UnavailableError(`Could not ${operation}: ${SERVICE} failed ${said}`, {
      ...details,
      hint: 'try again later; the server’s own log says more',
    })
  }
  return new RemoteError(`Could not ${operation}: ${SERVICE} refused the request ${said}`, {
    ...details,
    hint: 'if it stays so, report it with the server’s version',
  })
}

function errorsOf(body: unknown): readonly GraphqlError[] {
  const errors = body !== null && typeof body === 'object' && 'errors' in body ? body.errors : undefined
  if (!Array.isArray(errors)) return []
  return errors.map((error: unknown) => {
    const { message, extensions } = (error ?? {}) as {
      message?: unknown
      extensions?: { code?: unknown } | null
    }
    const code = extensions?.code
    return {
      message: typeof message === 'string' ? clean(message) : 'no words',
      code: typeof code === 'string' ? clean(code) : '',
    }
  })
}
