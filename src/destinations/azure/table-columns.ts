import type { Check } from '../../core/check.ts'
import type { JsonObject } from '../../core/event.ts'
import { type HttpReply, isFailure } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { azureCloud } from '../../http/azure-tokens.ts'
import type { EntraTokens } from '../../http/entra.ts'
import type { DestinationParts } from '../define-destination.ts'
import { excerpt } from '../judge.ts'
import type { AzureOptions } from './options.ts'
import { SAMPLES } from './samples.ts'

/** What a table made by Infisical's own guide drops of the live stream's rows too, so that refilled ones look like them. */
const LIVE_LOSSES = ['createdAt', 'updatedAt', 'expiresAt']

/** Names of the table's columns; a text says why they are not known. @throws AuditctlError where there is no token */
export async function tableColumns(
  asked: {
    readonly options: AzureOptions
    readonly parts: Pick<DestinationParts, 'http'>
    readonly tokens: EntraTokens
    readonly signal: AbortSignal
  },
  workspaceId: string,
): Promise<readonly string[] | string> {
  const { options, parts, tokens, signal } = asked
  const cloud = azureCloud(options.endpoint)
  const service = parts.http.service({
    service: 'Azure Log Analytics',
    baseUrl: (options.queryUrl ?? cloud.queryUrl).replace(/\/+$/, ''),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
  })
  const token = await tokens.token(options.queryScope ?? cloud.queryScope, signal)
  const answer = await service.attempt({
    method: 'POST',
    path: `/v1/workspaces/${workspaceId}/query`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: `${options.table}_CL | getschema` }),
    operation: 'read the columns of the table',
    signal,
  })
  if (isFailure(answer)) return redact(answer.error.message)
  if (answer.status !== 200 || answer.bytes.length === 0) return said(answer)
  const tables = (answer.json() as { readonly tables?: readonly JsonObject[] }).tables
  const table = tables?.find(({ name }) => name === 'PrimaryResult') as
    | {
        readonly columns: readonly { readonly name: string }[]
        readonly rows: readonly (readonly unknown[])[]
      }
    | undefined
  const at = table?.columns.findIndex(({ name }) => name === 'ColumnName') ?? -1
  return table === undefined || at < 0 ? said(answer) : table.rows.map((row) => String(row[at]))
}

/** Members of a source's events that the table has no column for, and that nothing else speaks of. */
export function droppedFields(
  fields: Iterable<string>,
  columns: readonly string[],
  { idField }: Pick<AzureOptions, 'idField'>,
  sourceType: string,
): readonly string[] {
  const spoken = new Set([...columns, 'TimeGenerated', 'auditctl', ...(idField === undefined ? [] : ['id'])])
  if (sourceType === 'infisical') for (const name of LIVE_LOSSES) spoken.add(name)
  return [...new Set(fields)].filter((name) => !spoken.has(name))
}

export function droppedText(
  fields: readonly string[],
  { table }: Pick<AzureOptions, 'table'>,
  sourceType: string,
): { readonly message: string; readonly hint: string } {
  return {
    message: `${table}_CL has no column for ${fields.join(', ')}: Azure drops them from events of ${sourceType}, and answers 204`,
    hint: `add them to the table and to the stream declaration of the rule; auditctl stream guide azure${SAMPLES[sourceType] === undefined ? '' : ` --source ${sourceType}`} has a sample to make the table from`,
  }
}

/** Of each type of source whose events are known beforehand and would not arrive whole. */
export function sampleChecks(
  columns: readonly string[],
  options: AzureOptions,
  sourceTypes: readonly string[],
): Check[] {
  return sourceTypes.flatMap((type) => {
    const fields = Object.keys(SAMPLES[type]?.sample ?? {})
    const dropped = droppedFields(fields, columns, { ...options, idField: options.idField ?? 'id' }, type)
    if (dropped.length === 0) return []
    return [
      { check: `columns for ${type}`, state: 'warning' as const, ...droppedText(dropped, options, type) },
    ]
  })
}

function said(answer: HttpReply): string {
  return `answered ${answer.status}${excerpt(answer)}`
}
