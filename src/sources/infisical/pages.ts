import {
  AuthError,
  ContractError,
  RemoteConfigError,
  type RemoteDetails,
  RemoteError,
  UnavailableError,
} from '../../core/errors.ts'
import type { AuditEvent } from '../../core/event.ts'
import { EventScanner } from '../../core/event-scanner.ts'
import { eventsOf } from '../../core/events-of.ts'
import type { HttpReply } from '../../core/http.ts'
import { sliceOrParse } from '../../core/json-slice.ts'
import type { Clock, Log } from '../../core/runtime.ts'
import type { EventShape } from '../../core/source.ts'
import { isoTime, type TimeRange } from '../../core/time-range.ts'
import { type Issue, type Problem, problemOf, saying } from './problem.ts'
import type { Pushdown } from './pushdown.ts'
import type { Session } from './session.ts'

export const LIST_PATH = '/api/v1/organization/audit-logs'
const SERVICE = 'Infisical'
const OPERATION = 'read the audit log'

/** A larger page is asked for again in parts. */
const MAX_PAGE_BYTES = 32 * 1024 * 1024
const PAGE_TRIES = 3

export type PageAsked = {
  /** The far end is the server's to interpret: older ones include it. */
  readonly range: TimeRange
  readonly offset: number
  readonly limit: number
  /** Beyond the window's own filters, to tell events of one instant apart. */
  readonly extra?: Readonly<Record<string, string>>
}

export type RawPage = {
  /** Newest first, as they came: perhaps some from outside the range, perhaps repeats. */
  readonly events: readonly AuditEvent[]
  /** As many as the server would give: there may be more. */
  readonly isFull: boolean
  readonly bytes: number
}

/** What all windows of one source learn about its server. */
export type Facts = {
  organization: string | undefined
  generation: '2025' | '2026' | undefined
  /** From an event's own expiry. */
  retentionMs: number | undefined
  /** The most that the server gives in one answer, once it has said so. */
  maxLimit: number
  /** How far the server's clock is ahead of ours, by its first page. */
  clockSkewMs?: number | undefined
}

export type PageParts = {
  readonly session: Session
  readonly shape: EventShape
  readonly clock: Clock
  readonly log: Log
  readonly facts: Facts
}

/** One request: a page of events as spans of its bytes, or an error that says what to do next. */
export class PageReader {
  readonly pushdown: Pushdown
  readonly facts: Facts
  readonly log: Log
  readonly #parts: PageParts
  readonly #scanner: EventScanner
  /** Rows that fit into one answer, once one was too large. */
  #fittingRows = Number.POSITIVE_INFINITY

  constructor(parts: PageParts, pushdown: Pushdown) {
    this.#parts = parts
    this.#scanner = new EventScanner(parts.shape)
    this.facts = parts.facts
    this.log = parts.log
    this.pushdown = pushdown
  }

  async read(asked: PageAsked, signal: AbortSignal): Promise<RawPage> {
    for (let tries = 1; ; tries += 1) {
      const limit = Math.max(1, Math.min(asked.limit, this.facts.maxLimit, this.#fittingRows))
      try {
        const reply = await this.#request(asked, limit, signal)
        if (reply.status === 200) {
          this.facts.clockSkewMs ??= reply.clockSkewMs
          if (reply.bytes.length < MAX_PAGE_BYTES / 8) this.#fittingRows *= 2
          return this.#page(reply, limit)
        }
        this.#refuse(reply, asked, limit)
        // The reason was taken out of the question.
        tries = 0
      } catch (error) {
        if (!(error instanceof ContractError) || signal.aborted) throw error
        if (error.code === 'too-large' && limit > 1) {
          this.#fittingRows = Math.ceil(limit / 4)
          tries = 0
        } else if (error.code === 'broken-page' && tries < PAGE_TRIES) {
          this.log.info(`${error.message}; asking again`)
          await this.#parts.clock.sleep(tries * 250 * (0.5 + this.#parts.clock.random()), signal)
        } else throw error
      }
    }
  }

  #request({ range, offset, extra }: PageAsked, limit: number, signal: AbortSignal): Promise<HttpReply> {
    // Both ends are always said, and the far one lies in the past: what arrives meanwhile, our own reading included, moves no row.
    const endDate = isoTime(range.to)
    const query = {
      ...this.pushdown.params(),
      ...extra,
      startDate: isoTime(range.from),
      endDate,
      limit,
      offset,
    }
    return this.#parts.session.get(
      { path: LIST_PATH, query, operation: OPERATION, signal, maxResponseBytes: MAX_PAGE_BYTES },
      { neverRetry: [504] },
    )
  }

  #page(reply: HttpReply, limit: number): RawPage {
    const { shape } = this.#parts
    try {
      const { spans } = sliceOrParse(reply.bytes, {
        arrayKey: 'auditLogs',
        idKey: shape.idKey,
        timeKey: shape.timeKey,
        scanner: this.#scanner,
      })
      const events = eventsOf(spans, shape)
      this.#learn(events[0])
      return { events, isFull: events.length >= limit, bytes: reply.bytes.length }
    } catch (cause) {
      if (!(cause instanceof ContractError)) throw cause
      throw new ContractError(`Could not ${OPERATION}: ${cause.message}`, {
        ...details(reply),
        cause,
        code: 'broken-page',
        hint: cause.hint ?? 'if it stays so, report it with the request id',
      })
    }
  }

  #learn(newest: AuditEvent | undefined): void {
    const { facts } = this
    if (newest === undefined || facts.organization !== undefined) return
    const record = newest.record()
    if (typeof record['orgId'] === 'string') facts.organization = record['orgId']
    const expiresAt = typeof record['expiresAt'] === 'string' ? Date.parse(record['expiresAt']) : Number.NaN
    if (expiresAt > newest.occurredAtMs) facts.retentionMs = expiresAt - newest.occurredAtMs
    if (record['eventClass'] !== undefined) facts.generation = '2026'
  }

  /** Returns when the next request will ask differently. @throws RemoteError otherwise */
  #refuse(reply: HttpReply, asked: PageAsked, limit: number): void {
    const problem = problemOf(reply)
    const said = saying(reply, problem)
    const span = `${isoTime(asked.range.from)} to ${isoTime(asked.range.to)}`
    if (reply.status === 504) {
      throw new UnavailableError(`${SERVICE} took too long to read ${span} ${said}`, {
        ...details(reply, problem),
        reaction: 'split-window',
        hint: 'a smaller window or more filters make the server’s query lighter',
      })
    }
    if (reply.status === 422) {
      this.#relax(reply, problem, { ...asked, limit })
      return
    }
    if (reply.status === 403 && asked.extra?.['projectId'] === undefined) {
      // Asking for one project wants membership in it; asking for the whole log does not.
      if (this.pushdown.drop('projectId', said)) return
    }
    if (reply.status === 403) {
      throw new AuthError(`${SERVICE} does not let this identity read the audit log ${said}`, {
        ...details(reply, problem),
        hint: 'it needs the organization permission read on audit-logs; for one project only, add --project ID',
      })
    }
    if (reply.status === 404) {
      throw new RemoteConfigError(`${SERVICE} has no audit log at this address ${said}`, {
        ...details(reply, problem),
        hint: 'check the URL of the source: the origin of the Infisical server, without a path',
      })
    }
    throw new RemoteError(`Could not ${OPERATION}: ${SERVICE} refused the request ${said}`, {
      ...details(reply, problem),
      hint: 'if it stays so, report it with the request id',
    })
  }

  #relax(reply: HttpReply, problem: Problem, asked: PageAsked): void {
    const said = saying(reply, problem)
    if (problem.issues.some((issue) => /months/.test(issue.message))) {
      throw new RemoteError(`${SERVICE} refuses a window this wide ${said}`, {
        ...details(reply, problem),
        reaction: 'split-window',
      })
    }
    let isRelaxed = false
    for (const issue of problem.issues) {
      const { maximum } = issue
      const param = issue.path[0] ?? ''
      if (param === 'limit' && asked.limit > 1) {
        // Several requests may have asked for too many before the first was refused.
        const taken = Math.max(1, Math.min(maximum ?? asked.limit - 1, asked.limit - 1))
        this.facts.maxLimit = Math.min(this.facts.maxLimit, taken)
        isRelaxed = true
      } else if (asked.extra?.[param] === undefined && this.pushdown.drop(param, reasonOf(issue))) {
        if (param === 'eventType') this.facts.generation = '2026'
        isRelaxed = true
      }
    }
    if (isRelaxed) return
    throw new RemoteError(`Could not ${OPERATION}: ${SERVICE} refused the question ${said}`, {
      ...details(reply, problem),
      hint: 'if it stays so, report it with the request id',
    })
  }
}

/** Without the hundreds of values that would have been taken. */
function reasonOf({ message, received }: Issue): string {
  return received === undefined ? message.slice(0, 60) : `this release does not know ${received}`
}

function details(reply: HttpReply, problem?: Problem): RemoteDetails {
  return {
    service: SERVICE,
    operation: OPERATION,
    status: reply.status,
    requestId: problem?.requestId ?? reply.requestId,
    attempts: reply.attempts,
  }
}
