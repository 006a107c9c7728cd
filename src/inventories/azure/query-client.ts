import { AuthError, ContractError, RemoteConfigError, UnavailableError } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import { redact, type Secret } from '../../core/secret.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { type AzureIdentity, azureCloud, azureTokens } from '../../http/azure-tokens.ts'
import type { InventoryParts } from '../define-inventory.ts'

/** Settings of the stream that querying needs, as the destination's schema parsed them. */
export type AzureQuerySettings = {
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: Secret | undefined
  readonly credential?: AzureIdentity | undefined
  readonly certificateFile?: string | undefined
  readonly authorityUrl?: string | undefined
  readonly endpoint: string
  readonly queryUrl?: string | undefined
  readonly queryScope?: string | undefined
  readonly workspaceId?: string | undefined
  readonly table: string
  readonly timeColumn?: string | undefined
  readonly idField?: string | undefined
  readonly tablePlan?: string | undefined
  readonly late?: string | undefined
  readonly eventTime?: boolean | undefined
  readonly tls?: Parameters<InventoryParts['http']['service']>[0]['tls']
  readonly allowInsecureHttp?: boolean | undefined
}

export type QueryRows = { readonly rows: readonly (readonly unknown[])[]; column(name: string): number }
/** Rows, or why they are not all there are, or none were given. */
export type QueryAnswer = QueryRows | { readonly partial: string }

export type QueryClient = {
  /** `timespan` filters TimeGenerated, as the query itself does. @throws AuthError, RemoteConfigError, UnavailableError, ContractError */
  run(query: string, timespan: string, signal: AbortSignal): Promise<QueryAnswer>
  queries(): number
}

/** 100 MiB of answer is the service's own cap; JSON of that much must pass. */
const MAX_RESPONSE_BYTES = 160 * 1024 * 1024
/** The server is asked to wait 600 s for a slow query; the answer needs its own time. */
const TIMEOUT_MS = 11 * MINUTE_MS

/** Log Analytics. @source MicrosoftDocs/azure-monitor-docs, articles/azure-monitor/logs/api (read 2026-11-20) */
export function logAnalytics(
  settings: AzureQuerySettings,
  workspaceId: string,
  parts: InventoryParts,
): QueryClient {
  const cloud = azureCloud(settings.endpoint)
  const scope = settings.queryScope ?? cloud.queryScope
  const service = parts.http.service({
    service: 'Azure Log Analytics',
    baseUrl: (settings.queryUrl ?? cloud.queryUrl).replace(/\/+$/, ''),
    tls: settings.tls,
    allowInsecureHttp: settings.allowInsecureHttp,
    timeoutMs: TIMEOUT_MS,
  })
  const tokens = azureTokens(settings, parts)
  // Tables of the cheaper plans answer only here, with fewer operators and a charge for what is read.
  const isCheap = settings.tablePlan === 'basic' || settings.tablePlan === 'auxiliary'
  const path = `/v1/workspaces/${workspaceId}/${isCheap ? 'search' : 'query'}`
  let queries = 0

  async function ask(query: string, timespan: string, signal: AbortSignal): Promise<HttpReply> {
    queries += 1
    return service.request(
      {
        method: 'POST',
        path,
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${await tokens.token(scope, signal)}`,
          prefer: 'wait=600',
        },
        body: JSON.stringify({ query, timespan }),
        operation: 'query what Azure holds',
        signal,
        maxResponseBytes: MAX_RESPONSE_BYTES,
      },
      // A query that ran out of time would do so again: a smaller window may not.
      { neverRetry: [504] },
    )
  }

  return {
    queries: () => queries,
    async run(query, timespan, signal) {
      let reply = await ask(query, timespan, signal)
      if (reply.status === 401) {
        tokens.forget(scope)
        reply = await ask(query, timespan, signal)
      }
      if (reply.status === 504) return { partial: 'the query ran out of time (504)' }
      // Both come also where there is no data: neither proves that there is none.
      if (reply.status === 204) return { partial: 'the workspace answered 204, without a result' }
      if (reply.status !== 200) throw refusal(reply, settings)
      if (reply.bytes.length === 0) return { partial: 'the answer was empty' }
      return read(reply)
    },
  }
}

type Body = {
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly details?: unknown }
  readonly tables?: readonly {
    readonly name?: unknown
    readonly columns?: readonly { readonly name?: unknown }[]
    readonly rows?: readonly (readonly unknown[])[]
  }[]
}

function read(reply: HttpReply): QueryAnswer {
  const body = reply.json() as Body | null
  if (body?.error !== undefined && body.error !== null) {
    const { code, details, message } = body.error
    const why = redact(JSON.stringify(details ?? message ?? '').slice(0, 200))
    return { partial: `Azure gave a part of the rows only (${String(code)}: ${why})` }
  }
  const table = body?.tables?.find(({ name }) => name === 'PrimaryResult')
  if (table?.rows === undefined || table.columns === undefined) {
    throw new ContractError('Azure answered a query without a PrimaryResult table', {
      service: 'Azure Log Analytics',
      status: reply.status,
      requestId: reply.requestId,
      hint: 'check queryUrl: something else may have answered',
    })
  }
  const names = table.columns.map(({ name }) => name)
  return { rows: table.rows, column: (name) => names.indexOf(name) }
}

function refusal(reply: HttpReply, settings: AzureQuerySettings): Error {
  const { error } = parsed(reply)
  const inner = (error?.innererror as { readonly code?: unknown } | undefined)?.code
  const words = [error?.code, inner, error?.message].filter((word) => typeof word === 'string').join(', ')
  const said = `Azure Log Analytics answered ${reply.status}${words === '' ? '' : ` (${redact(words.slice(0, 240))})`}`
  const details = {
    service: 'Azure Log Analytics',
    operation: 'query what Azure holds',
    status: reply.status,
    requestId: reply.requestId,
  }
  if (reply.status === 401 || reply.status === 403) {
    return new AuthError(`could not query what Azure holds: ${said}`, {
      ...details,
      hint: 'give the app Data.Read on the Log Analytics API and the role Log Analytics Reader on the workspace; check workspaceId',
    })
  }
  if (reply.status === 400 || reply.status === 404) {
    const column = settings.timeColumn === undefined ? '' : ` with the columns ${settings.timeColumn} and`
    return new RemoteConfigError(`could not query what Azure holds: ${said}`, {
      ...details,
      hint: `is there a table ${settings.table}_CL${column || ' with the column'} ${settings.idField ?? 'id'} in this workspace? auditctl stream test tells; a new table takes minutes to appear`,
    })
  }
  return new UnavailableError(`could not query what Azure holds: ${said}`, {
    ...details,
    hint: 'try again later',
  })
}

function parsed(reply: HttpReply): {
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly innererror?: unknown }
} {
  try {
    return (reply.json() ?? {}) as ReturnType<typeof parsed>
  } catch {
    return {}
  }
}
