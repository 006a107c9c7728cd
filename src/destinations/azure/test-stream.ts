import type { Check } from '../../core/check.ts'
import { AuditctlError } from '../../core/errors.ts'
import { NamedEvent } from '../../core/event.ts'
import { type HttpReply, type HttpService, isFailure } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { isoTime } from '../../core/time-range.ts'
import type { EntraTokens } from '../../http/entra.ts'
import type { DestinationParts } from '../define-destination.ts'
import { assembleHeaders } from '../envelope.ts'
import { excerpt } from '../judge.ts'
import { canaryOf } from '../plain-receiver.ts'
import { azureEncoder } from './encode.ts'
import type { AzureOptions } from './options.ts'
import { sampleChecks, tableColumns } from './table-columns.ts'

export type AzureCheck = {
  readonly options: AzureOptions
  readonly parts: DestinationParts
  readonly service: HttpService
  readonly tokens: EntraTokens
  readonly scope: string
  readonly path: string
  readonly send: boolean
  readonly sourceTypes?: readonly string[] | undefined
  readonly signal: AbortSignal
}

const ID_COLUMNS = ['id', 'id_s', 'id_g', 'EventId']

/** Token, then an empty array: it is authorized and routed like events, and holds none. Then the table's columns, where they can be read. */
export async function testAzure(check: AzureCheck): Promise<readonly Check[]> {
  const { options } = check
  const checks: Check[] = unusualHost(options)
  const token = await checkToken(check)
  checks.push(token)
  if (token.state === 'failure') return checks
  const rule = await post(
    check,
    'data collection rule',
    '[]',
    'takes an empty array: address, role, rule and stream are right',
  )
  checks.push(rule)
  checks.push(...(await checkTable(check)))
  if (rule.state === 'failure') return checks
  if (!check.send) {
    const message =
      'no row was sent, so whether the rule stores what it takes is open: Azure answers 204 to both'
    checks.push({
      check: 'not proved',
      state: 'ok',
      message,
      hint: 'send one with auditctl stream test --send',
    })
    return checks
  }
  checks.push(await sendCanary(check))
  return checks
}

/** In the stream's own envelope: with its id and time columns, by which a query finds it. */
function sendCanary(check: AzureCheck): Promise<Check> {
  const { id, atMs, event: streamed } = canaryOf(check.parts.clock)
  const event = new NamedEvent(CANARY, streamed, { id, occurredAt: isoTime(atMs), occurredAtMs: atMs })
  const row = Buffer.from(azureEncoder(check.options).encode(streamed, event, { restamp: false }))
  const proved = `the canary ${id} was accepted; that it is stored is for a query to prove`
  return post(check, 'a row is accepted', `[${row.toString('utf8')}]`, proved)
}

const CANARY = {
  type: 'auditctl',
  actor: () => undefined,
  action: () => 'canary',
  target: () => undefined,
}

function unusualHost({ endpoint }: AzureOptions): Check[] {
  const { hostname } = new URL(endpoint)
  if (/\.ingest\.monitor\.azure\.(?:com|us|cn)$/.test(hostname)) return []
  const message = `${hostname} is not a data collection endpoint of Azure`
  const hint = 'they end in .ingest.monitor.azure.com; this is fine for a proxy or a sandbox'
  return [{ check: 'Azure endpoint', state: 'warning', message, hint }]
}

async function checkToken({ tokens, scope, signal }: AzureCheck): Promise<Check> {
  const check = 'Entra token'
  try {
    await tokens.token(scope, signal)
    return { check, state: 'ok', message: `given for ${scope}` }
  } catch (error) {
    return failed(check, error)
  }
}

async function post(check: AzureCheck, name: string, body: string, words: string): Promise<Check> {
  const { service, tokens, scope, path, options, signal } = check
  const own = {
    'content-type': 'application/json',
    authorization: `Bearer ${await tokens.token(scope, signal)}`,
  }
  const answer = await service.attempt({
    method: 'POST',
    path,
    query: { 'api-version': '2023-01-01' },
    headers: await assembleHeaders(own, options.headers),
    body,
    operation: 'check the data collection rule',
    signal,
  })
  if (isFailure(answer)) {
    const hint = 'check endpoint; a private endpoint answers only inside its network'
    return { check: name, state: 'failure', message: redact(answer.error.message), hint }
  }
  if (answer.status === 204) return { check: name, state: 'ok', message: words }
  return {
    check: name,
    state: 'failure',
    message: said(answer),
    hint: HINTS[answer.status] ?? 'see auditctl stream guide azure',
  }
}

const HINTS: Readonly<Record<number, string>> = {
  401: 'the token is for another audience: check scope and the cloud of endpoint',
  403: 'give the app the role Monitoring Metrics Publisher on the data collection rule; it takes up to 30 minutes',
  404: 'check endpoint, ruleId (dcr-…) and stream (Custom-…)',
}

async function checkTable(check: AzureCheck): Promise<Check[]> {
  const { options } = check
  const name = 'table columns'
  if (options.workspaceId === undefined) {
    const message = 'not verified: without workspaceId the table cannot be read, and nothing can be looked up'
    const hint = 'add workspaceId, and the role Log Analytics Reader for the app'
    return [{ check: name, state: 'warning', message, hint }]
  }
  try {
    const columns = await tableColumns(check, options.workspaceId)
    const judged = judgeColumns(columns, options)
    return typeof columns === 'string'
      ? judged
      : [...judged, ...sampleChecks(columns, options, check.sourceTypes ?? [])]
  } catch (error) {
    return [failed(name, error)]
  }
}

function judgeColumns(columns: readonly string[] | string, options: AzureOptions): Check[] {
  const table = `${options.table}_CL`
  if (typeof columns === 'string') {
    const hint =
      'check workspaceId, table and the role Log Analytics Reader; a new table takes minutes to appear'
    return [{ check: 'table columns', state: 'failure', message: `${table}: ${columns}`, hint }]
  }
  const idColumn = options.idField ?? 'id'
  const others = ID_COLUMNS.filter((name) => columns.includes(name))
  const id: Check = columns.includes(idColumn)
    ? { check: 'id column', state: 'ok', message: `${table} has ${idColumn}` }
    : {
        check: 'id column',
        state: 'failure',
        message: `${table} has no column ${idColumn}, so nothing can be found by id`,
        hint:
          others.length > 0
            ? `set "idField": "${others[0]}"`
            : 'add "extend EventId = tostring(id)" to the transformation of the rule, a column EventId to the table, and "idField": "EventId"',
      }
  const marks: Check[] =
    options.mark === true && !columns.includes('auditctl')
      ? [
          {
            check: 'mark',
            state: 'warning',
            message: `${table} has no column auditctl: the mark of refilled events would be dropped`,
            hint: 'add auditctl (dynamic) to the table and to the stream declaration of the rule',
          },
        ]
      : []
  const wanted = options.timeColumn ?? 'createdAt'
  const hasTime = columns.includes(wanted)
  if (options.timeColumn === undefined) {
    const time: Check = {
      check: 'time column',
      state: 'warning',
      message: 'no timeColumn is set: events older than two days would lose their true time, and are skipped',
      hint: hasTime
        ? `${table} has createdAt: set "timeColumn": "createdAt"`
        : `add the column createdAt (datetime) to ${table} and to the stream declaration of the rule, then "timeColumn": "createdAt"`,
    }
    return [id, time, ...marks]
  }
  const missing = `${table} has no column ${wanted}: the rule would drop it, and the true time with it`
  const hint = `add ${wanted} (datetime) to the table and to the stream declaration of the rule`
  return [
    id,
    hasTime
      ? { check: 'time column', state: 'ok', message: `${table} has ${wanted}` }
      : { check: 'time column', state: 'failure', message: missing, hint },
    ...marks,
  ]
}

function failed(check: string, error: unknown): Check {
  if (!(error instanceof AuditctlError)) throw error
  return {
    check,
    state: 'failure',
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

function said(answer: HttpReply): string {
  return `answered ${answer.status}${excerpt(answer)}`
}
