import { AuthError, RateLimitError, RemoteConfigError, UnavailableError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import type { HttpReply } from '../../core/http.ts'
import type { Secret } from '../../core/secret.ts'
import { redact } from '../../core/secret.ts'
import { HOUR_MS, SECOND_MS } from '../../core/time-range.ts'
import type { InventoryParts } from '../define-inventory.ts'

/** Settings of the stream that searching needs, as the destination's schema parsed them. */
export type DatadogSearchSettings = {
  readonly site?: string | undefined
  readonly apiUrl?: string | undefined
  readonly apiKey: Secret
  readonly appKey?: Secret | undefined
  readonly ddsource?: string | undefined
  readonly idField?: string | undefined
  readonly eventTime?: boolean | undefined
  readonly search?:
    | {
        readonly query?: string | undefined
        readonly indexes?: readonly string[] | undefined
        readonly storageTier?: string | undefined
      }
    | undefined
  readonly tls?: Parameters<InventoryParts['http']['service']>[0]['tls']
  readonly allowInsecureHttp?: boolean | undefined
  readonly rate?: number | undefined
}

export type SearchClient = {
  /** @throws AuthError, RemoteConfigError, RateLimitError, UnavailableError, ContractError */
  post(path: string, body: JsonObject, operation: string, signal: AbortSignal): Promise<JsonObject>
  queries(): number
  /** By the headers of the last answer; before the first, by the documentation. */
  queriesPerHour(): number
}

/** The figure Datadog once published; current ones come only as headers (DataDog/documentation#7460). */
const DOCUMENTED_PER_HOUR = 300
const PACE_WITHOUT_HEADERS_MS = 12 * SECOND_MS
const MAX_REFUSALS = 8

/** Searches one after the other at the pace the headers allow, since the hour's quota is shared with everybody else in the organization. */
export function datadogSearch(
  settings: DatadogSearchSettings,
  appKey: Secret,
  parts: InventoryParts,
): SearchClient {
  const { clock, log } = parts
  const service = parts.http.service({
    service: 'Datadog search',
    baseUrl: (settings.apiUrl ?? `https://api.${settings.site ?? 'datadoghq.com'}`).replace(/\/+$/, ''),
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
  })
  let queries = 0
  let perHour = DOCUMENTED_PER_HOUR
  let mayAskAt = 0

  async function ask(
    path: string,
    body: JsonObject,
    operation: string,
    signal: AbortSignal,
  ): Promise<HttpReply> {
    for (let refusals = 0; ; refusals += 1) {
      const pauseMs = mayAskAt - clock.monotonic()
      if (pauseMs > 0) await clock.sleep(pauseMs, signal)
      queries += 1
      const reply = await service.request(
        {
          method: 'POST',
          path,
          headers: {
            'content-type': 'application/json',
            'dd-api-key': await settings.apiKey.reveal(),
            'dd-application-key': await appKey.reveal(),
          },
          body: JSON.stringify(body),
          operation,
          signal,
        },
        // Its window may be an hour: longer than the client waits by itself.
        { neverRetry: [429] },
      )
      const waitMs = readPace(reply)
      if (reply.status !== 429) return reply
      if (refusals >= MAX_REFUSALS) throw tooOften(reply, operation, refusals + 1)
      const delayMs = waitMs ?? Math.min(HOUR_MS, PACE_WITHOUT_HEADERS_MS * 2 ** refusals)
      log.info(`Datadog allows no more searches for ${Math.ceil(delayMs / SECOND_MS)} s`)
      await clock.sleep(delayMs + Math.floor(clock.random() * SECOND_MS), signal)
    }
  }

  /** Notes what the answer says about the pace; gives the wait it asks for. */
  function readPace(reply: HttpReply): number | undefined {
    const read = (name: string) => {
      const text = reply.headers[name]
      const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
      return value >= 0 ? value : undefined
    }
    const [limit, period, remaining] = [
      read('x-ratelimit-limit'),
      read('x-ratelimit-period'),
      read('x-ratelimit-remaining'),
    ]
    const resetSeconds = read('x-ratelimit-reset') ?? read('retry-after')
    const resetMs = resetSeconds === undefined ? undefined : resetSeconds * SECOND_MS
    if (limit !== undefined && period !== undefined && period > 0) {
      perHour = Math.round((limit * HOUR_MS) / (period * SECOND_MS))
    }
    if (remaining === undefined) mayAskAt = clock.monotonic() + PACE_WITHOUT_HEADERS_MS
    else mayAskAt = remaining === 0 && resetMs !== undefined ? clock.monotonic() + resetMs : 0
    if (reply.status === 429) mayAskAt = 0
    return resetMs
  }

  return {
    queries: () => queries,
    queriesPerHour: () => perHour,
    async post(path, body, operation, signal) {
      const reply = await ask(path, body, operation, signal)
      if (reply.status === 200) return reply.json() as JsonObject
      throw refusal(reply, operation, settings, appKey)
    },
  }
}

function refusal(
  reply: HttpReply,
  operation: string,
  settings: DatadogSearchSettings,
  appKey: Secret,
): Error {
  const details = { service: 'Datadog search', operation, status: reply.status, requestId: reply.requestId }
  const said = `Datadog answered ${reply.status}: ${redact(reply.text().slice(0, 200))}`
  if (reply.status === 401 || reply.status === 403) {
    return new AuthError(`could not ${operation}: ${said}`, {
      ...details,
      hint: `check apiKey (${settings.apiKey.origin}), appKey (${appKey.origin}) with the scope logs_read_data, and site`,
    })
  }
  if (reply.status === 400 || reply.status === 404) {
    return new RemoteConfigError(`could not ${operation}: ${said}`, {
      ...details,
      hint: "check site, apiUrl and the stream's search settings",
    })
  }
  return new UnavailableError(`could not ${operation}: ${said}`, { ...details, hint: 'try again later' })
}

function tooOften(reply: HttpReply, operation: string, attempts: number): RateLimitError {
  return new RateLimitError(`could not ${operation}: Datadog refused ${attempts} times for its rate limit`, {
    service: 'Datadog search',
    operation,
    status: reply.status,
    attempts,
    requestId: reply.requestId,
    hint: 'the quota is shared by the whole organization: try again later, or ask for a shorter window',
  })
}
