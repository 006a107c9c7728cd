import { ContractError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { EventScanner } from '../../core/event-scanner.ts'
import type { HttpReply, RetryPolicy } from '../../core/http.ts'
import { sliceOrParse } from '../../core/json-slice.ts'
import {
  type ApiParts,
  type AuditApi,
  NotHereError,
  type PageAsked,
  type RawPage,
  RefusedFilterError,
} from './backend.ts'
import { readEvents } from './events.ts'
import { detailsOf, isMarkup, NEEDS_ROLE, refusalOf, saying, wordsOf } from './problem.ts'

const OPERATION = 'read the audit log'
const LOGS_OPERATION = 'read the execution log'
/** One page holds a run of entries of one instant, however long: the server has no limit of its own. */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024

/** Releases 0.1 to 0.3. @source server/src/core/audit_logs/router.py of electrolux-oss/infrakitchen at v0.3.1 */
export class RestApi implements AuditApi {
  readonly tellsNames = false
  readonly #parts: ApiParts
  readonly #scanner: EventScanner

  constructor(parts: ApiParts) {
    this.#parts = parts
    this.#scanner = new EventScanner(parts.page.shape)
  }

  async page({ filter, sort, start, end, signal }: PageAsked): Promise<RawPage> {
    const reply = await this.#get('/api/audit_logs', OPERATION, { filter, sort, range: [start, end] }, signal)
    if (isMarkup(reply.bytes)) throw new NotHereError('a web page answers instead of REST')
    try {
      const { page } = this.#parts
      const { idKey, timeKey } = page.shape
      const { spans } = sliceOrParse(reply.bytes, {
        arrayKey: undefined,
        idKey,
        timeKey,
        scanner: this.#scanner,
      })
      return {
        events: readEvents(spans, page),
        total: totalOf(reply.headers['content-range']),
        clockSkewMs: reply.clockSkewMs,
      }
    } catch (cause) {
      if (!(cause instanceof ContractError)) throw cause
      throw new ContractError(`Could not ${OPERATION}: ${cause.message}`, {
        ...detailsOf(reply, OPERATION),
        cause,
        hint: cause.hint ?? 'check the URL; if it stays so, report it with the server’s version',
      })
    }
  }

  async logs(filter: JsonObject, range: readonly [number, number], signal: AbortSignal) {
    const asked = { filter, sort: ['created_at', 'ASC'], range }
    const ask = () => this.#get('/api/logs', LOGS_OPERATION, asked, signal, { neverRetry: [500] })
    // What fails in the database may do so for ever, a column of texts compared with an id for one: asked once more, and no more.
    const reply = await ask().catch(async (error: unknown) => {
      if (!(error instanceof RefusedFilterError) || !error.hasFailed) throw error
      const { clock } = this.#parts
      await clock.sleep(500 * (0.5 + clock.random()), signal)
      return ask()
    })
    const lines = reply.json()
    if (Array.isArray(lines)) return lines.filter((line) => line !== null && typeof line === 'object')
    throw new ContractError(`Could not ${LOGS_OPERATION}: the reply is not an array`, {
      ...detailsOf(reply, LOGS_OPERATION),
      hint: 'if it stays so, report it with the server’s version',
    })
  }

  async #get(
    path: string,
    operation: string,
    asked: { readonly filter: JsonObject; readonly sort: unknown; readonly range: unknown },
    signal: AbortSignal,
    policy?: RetryPolicy,
  ): Promise<HttpReply> {
    const isFiltered = Object.keys(asked.filter).length > 0
    const query = {
      filter: isFiltered ? JSON.stringify(asked.filter) : undefined,
      sort: JSON.stringify(asked.sort),
      range: JSON.stringify(asked.range),
    }
    const reply = await this.#parts.session.send(
      { method: 'GET', path, query, operation, signal, maxResponseBytes: MAX_PAGE_BYTES },
      policy,
    )
    if (reply.status === 200) return reply
    throw refusal(reply, operation)
  }
}

/** The error for an answer that is no 200; a filter that the release does not know is told apart. */
function refusal(reply: HttpReply, operation: string): Error {
  const { status } = reply
  const isFilterRefused = /^(?:Invalid field name|Unsupported operator|Field .* is not a relationship)/.test(
    wordsOf(reply),
  )
  if (status === 500 || (status === 400 && isFilterRefused))
    return new RefusedFilterError(saying(reply), status === 500)
  return refusalOf(reply, operation, 'REST', NEEDS_ROLE)
}

/** `audit_logs 0-99/4210`: only what follows the slash can be trusted. */
function totalOf(header: string | undefined): number | undefined {
  const text = /\/(\d+)\s*$/.exec(header ?? '')?.[1]
  return text === undefined ? undefined : Number(text)
}
