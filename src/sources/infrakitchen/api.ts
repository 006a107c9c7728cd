import { ContractError, RemoteConfigError, RemoteError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { Log } from '../../core/runtime.ts'
import {
  type ApiParts,
  type AuditApi,
  NotHereError,
  type PageAsked,
  type RawPage,
  RefusedFilterError,
} from './backend.ts'
import { GraphqlApi } from './graphql.ts'
import { SERVICE } from './problem.ts'
import { RestApi } from './rest.ts'

export type Generation = 'rest' | 'graphql'

/** Both generations behind one face. Which one answers is found by the first request, unless it is configured. */
export class Api implements AuditApi {
  readonly log: Log
  readonly #backends: Readonly<Record<Generation, AuditApi>>
  readonly #isConfigured: boolean
  #generation: Generation | undefined
  #hasAnswered = false

  constructor(parts: ApiParts, configured: Generation | undefined) {
    this.log = parts.log
    this.#backends = { rest: new RestApi(parts), graphql: new GraphqlApi(parts) }
    this.#generation = configured
    this.#isConfigured = configured !== undefined
  }

  /** Undefined before the first answer. */
  get generation(): Generation | undefined {
    return this.#generation
  }

  get tellsNames(): boolean {
    return this.#generation === undefined || this.#backends[this.#generation].tellsNames
  }

  async page(asked: PageAsked): Promise<RawPage> {
    try {
      return await this.#ask((api) => api.page(asked))
    } catch (cause) {
      if (!(cause instanceof RefusedFilterError)) throw cause
      throw new RemoteError(
        `${SERVICE} refuses the filter ${JSON.stringify(asked.filter)} ${cause.message}`,
        {
          cause,
          service: SERVICE,
          operation: 'read the audit log',
          hint: 'if it stays so, report it with the server’s version',
        },
      )
    }
  }

  async logs(filter: JsonObject, range: readonly [number, number], signal: AbortSignal) {
    if (this.#generation === undefined) {
      await this.page({ filter: {}, sort: ['created_at', 'DESC'], start: 0, end: 1, isProbe: true, signal })
    }
    return this.#ask((api) => api.logs(filter, range, signal))
  }

  async #ask<Answer>(question: (api: AuditApi) => Promise<Answer>): Promise<Answer> {
    const known = this.#generation
    const reasons: string[] = []
    for (const generation of known === undefined ? (['rest', 'graphql'] as const) : [known]) {
      try {
        const answer = await question(this.#backends[generation])
        this.#hasAnswered = true
        if (this.#generation === undefined) {
          this.#generation = generation
          this.log.debug(`${SERVICE} answers by ${generation === 'rest' ? 'REST' : 'GraphQL'}`, {
            generation,
          })
        }
        return answer
      } catch (error) {
        if (!(error instanceof NotHereError)) throw error
        if (this.#hasAnswered) {
          throw new ContractError(
            `${SERVICE} has stopped answering in JSON of its audit log: ${error.message}`,
            {
              cause: error,
              service: SERVICE,
              operation: 'read the audit log',
              hint: 'a proxy or a restart may answer in its place: try again, and run auditctl doctor',
            },
          )
        }
        reasons.push(error.message)
      }
    }
    throw new RemoteConfigError(`${SERVICE} has no audit log at this address: ${reasons.join('; ')}`, {
      service: SERVICE,
      operation: 'read the audit log',
      hint: this.#isConfigured
        ? 'check the URL, and the setting api: releases up to 0.3 speak REST, 0.4 and later GraphQL; auto finds out'
        : 'check the URL of the source: the origin of the installation, without /api',
    })
  }
}
