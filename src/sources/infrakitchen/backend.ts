import type { AuditEvent, JsonObject } from '../../core/event.ts'
import type { Clock, Log } from '../../core/runtime.ts'
import type { PageShape } from './events.ts'
import type { Session } from './session.ts'

export type PageAsked = {
  /** Keys are columns as both generations spell them. */
  readonly filter: JsonObject
  readonly sort: readonly [field: string, direction: 'ASC' | 'DESC']
  /** Rows `start` to `end - 1` of the sorted list. */
  readonly start: number
  readonly end: number
  /** Only ids and times matter: a server that can be asked for less is. */
  readonly isProbe?: boolean
  readonly signal: AbortSignal
}

export type RawPage = {
  readonly events: readonly AuditEvent[]
  /** Rows that match the filter, where the answer says it. */
  readonly total: number | undefined
  readonly clockSkewMs: number | undefined
}

export type ApiParts = {
  readonly session: Session
  readonly page: PageShape
  readonly clock: Clock
  readonly log: Log
}

/** One generation of the audit API. */
export interface AuditApi {
  /** Whether entries tell the names of what was acted on, as far as is known by now. */
  readonly tellsNames: boolean
  /** @throws NotHereError when this generation's audit log is not at this address */
  page(asked: PageAsked): Promise<RawPage>
  /** Execution log lines, oldest first. @throws RefusedFilterError where the release has no such column or operator */
  logs(filter: JsonObject, range: readonly [number, number], signal: AbortSignal): Promise<JsonObject[]>
}

/** The address has no audit log of that generation. Never seen above this folder. */
export class NotHereError extends Error {
  override readonly name = 'NotHereError'
}

/** The release does not know what was filtered by, or failed over it. Never seen above this folder. */
export class RefusedFilterError extends Error {
  override readonly name = 'RefusedFilterError'
  /** A 500: a database that takes no such value, and one that is ill, say the same. */
  readonly hasFailed: boolean

  constructor(message: string, hasFailed = false) {
    super(message)
    this.hasFailed = hasFailed
  }
}
