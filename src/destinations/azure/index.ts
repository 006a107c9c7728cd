import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { BatchLimits, DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { AuditctlError, AuthError, RemoteConfigError, RemoteError } from '../../core/errors.ts'
import { isFailure } from '../../core/http.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { azureCloud, azureTokens } from '../../http/azure-tokens.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { assembleHeaders, countOf, frameBody, limitsOf, wholeBatch } from '../envelope.ts'
import { type Judged, judgeFailure } from '../judge.ts'
import { azureEncoder, fieldTooLong, keysOf } from './encode.ts'
import { azureGuide } from './guide.ts'
import { inWholeBatch, judgeIngestion } from './judge-ingestion.ts'
import {
  ACCEPTS,
  type AzureOptions,
  azureOptions,
  COMPRESSED_MAX_BYTES,
  COMPRESSED_RAW_BYTES,
  DEFAULT_LIMITS,
  FRAME,
  HARD_LIMITS,
  streamName,
} from './options.ts'
import { droppedFields, droppedText, tableColumns } from './table-columns.ts'
import { testAzure } from './test-stream.ts'

const GRACE_MS = 5 * MINUTE_MS
const LOOKED_AT = 100
const gzipAsync = promisify(gzip)

/** Azure Monitor Logs and Sentinel. @source Azure/azure-rest-api-specs, data-plane/ingestion 2023-01-01 */
export const azure = defineDestination({
  provider: 'azure',
  title: 'Azure Monitor Logs, Microsoft Sentinel (Logs Ingestion)',
  options: azureOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: ACCEPTS,
  lateDefault: 'skip',
  notes: { late: 'restamp with timeColumn' },
  graceMs: GRACE_MS,
  searchable:
    'ids, through the Log Analytics query API, with workspaceId; by timeColumn where one is declared, else by TimeGenerated',
  guide: azureGuide,
  create: createAzure,
})

function createAzure(name: string, options: AzureOptions, parts: DestinationParts): Destination {
  const service = parts.http.service({
    service: 'Azure Logs Ingestion',
    baseUrl: options.endpoint.replace(/\/+$/, ''),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  const tokens = azureTokens(options, parts)
  const scope = options.scope ?? azureCloud(options.endpoint).ingestScope
  const path = `/dataCollectionRules/${options.ruleId}/streams/${streamName(options)}`
  const isPacked = options.packing === 'compressed'
  /** Tokens that were accepted once: a refusal of one of them means that it has aged, a refusal of any other that none will do. */
  const accepted = new Set<string>()
  /** Of the run, until its first events were compared with the table. */
  let comparedType: string | undefined

  async function deliver(batch: DeliveryBatch, how: { readonly signal: AbortSignal }): Promise<Receipt> {
    if (comparedType === undefined) return deliverBatch(batch, how)
    const type = comparedType
    comparedType = undefined
    const [receipt] = await Promise.all([deliverBatch(batch, how), warnOfDropped(batch, type, how.signal)])
    return receipt
  }

  /** Looks at the first events only: what a table lacks, it lacks for all of them. */
  async function warnOfDropped(batch: DeliveryBatch, type: string, signal: AbortSignal): Promise<void> {
    const { workspaceId } = options
    if (workspaceId === undefined) return
    try {
      const columns = await tableColumns({ options, parts, tokens, signal }, workspaceId)
      if (typeof columns === 'string') return parts.log.debug(`stream ${name}: columns not read: ${columns}`)
      const fields = batch.encoded.slice(0, LOOKED_AT).flatMap((encoded) => [...keysOf(encoded)])
      const dropped = droppedFields(fields, columns, options, type)
      if (dropped.length === 0) return
      const { message, hint } = droppedText(dropped, options, type)
      parts.log.warn(`stream ${name}: ${message}: ${hint}`)
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      parts.log.debug(`stream ${name}: columns not read: ${error.message}`)
    }
  }

  async function deliverBatch(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    // Events that come in one body were each looked at when it was made.
    if (batch.body !== undefined) return post(batch.body, countOf(batch), signal)
    const rejected: { readonly position: number; readonly code: string; readonly reason: string }[] = []
    const sent: number[] = []
    for (const [position, encoded] of batch.encoded.entries()) {
      const refusal = refuses(encoded)
      if (refusal === undefined) sent.push(position)
      else rejected.push({ position, ...refusal })
    }
    if (rejected.length === 0) return post(frameBody(batch.encoded, FRAME), sent.length, signal)
    const first = rejected[0]
    const { code, reason } = { code: first?.code ?? '', reason: first?.reason ?? '' }
    if (sent.length === 0) return { rejected, code, reason }
    const rest = sent.flatMap((position) => batch.encoded[position] ?? [])
    return { ...inWholeBatch(await post(frameBody(rest, FRAME), rest.length, signal), sent), rejected }
  }

  async function post(raw: Uint8Array, count: number, signal: AbortSignal): Promise<Receipt> {
    const whole = wholeBatch(count)
    let token: string
    try {
      token = await tokens.token(scope, signal)
    } catch (error) {
      return withoutToken(error, whole, signal)
    }
    const body = isPacked ? await gzipAsync(raw, { level: 1 }) : raw
    if (isPacked && body.length > COMPRESSED_MAX_BYTES) {
      return {
        split: whole,
        code: 'too-large',
        reason: `${body.length} bytes after compression, before sending`,
      }
    }
    const headers = {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token}`,
      ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}),
    }
    const answer = await service.attempt({
      method: 'POST',
      path,
      query: { 'api-version': '2023-01-01' },
      headers: await assembleHeaders(headers, options.headers),
      body,
      gzip: !isPacked && options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    if (isFailure(answer)) return judgeFailure(answer, count)
    const receipt = judgeIngestion(answer, count, judged())
    if (receipt.accepted !== undefined) accepted.add(token)
    if (answer.status !== 401) return receipt
    tokens.forget(scope)
    if (!accepted.has(token)) return receipt
    const { stop: _, ...again } = receipt
    return { ...again, retryAfterMs: 0 }
  }

  const judged = (): Judged => ({
    service: 'Azure Logs Ingestion',
    stream: name,
    now: parts.clock.now(),
    authHint: `a fresh token was refused too: check scope (${scope}) and tenant, then run auditctl stream test ${name}`,
    configHint: `check endpoint, ruleId and stream, then run auditctl stream test ${name}`,
  })

  return {
    name,
    provider: 'azure',
    traits: {
      limits: streamLimits(options),
      frame: FRAME,
      accepts: options.eventTime === false ? {} : acceptsOf(options),
      lateDefault: options.timeColumn === undefined ? 'skip' : 'restamp',
      restampLosesTime: options.timeColumn === undefined,
      graceMs: options.grace ?? GRACE_MS,
      ...(options.tablePlan === 'auxiliary' ? { maxSpanMs: 30 * MINUTE_MS } : {}),
      concurrency: 5,
    },
    ...azureEncoder(options),
    refuses,
    begins({ source }) {
      comparedType = source.type
    },
    deliver,
    test: (how) => testAzure({ options, parts, service, tokens, scope, path, ...how }),
    replayQuery: (run) =>
      `${options.table}_CL | where tostring(auditctl.run) != '${run.replace(/[\\']/g, '\\$&')}'`,
    close: async () => {},
  }
}

function refuses(encoded: Uint8Array): { readonly code: string; readonly reason: string } | undefined {
  const field = fieldTooLong(encoded)
  if (field === undefined) return undefined
  return {
    code: 'field-too-long',
    reason: `${field.name} has ${field.bytes} bytes: Azure would cut it at 65,536 without a word`,
  }
}

/** Larger events where the stream sends larger requests: one between its brackets is a body too. */
function streamLimits({ packing, batch }: AzureOptions): BatchLimits {
  const usual =
    packing === 'compressed' ? { ...DEFAULT_LIMITS, maxBytes: COMPRESSED_RAW_BYTES } : DEFAULT_LIMITS
  const frameBytes = FRAME.open.length + FRAME.close.length
  const maxEventBytes = Math.max(usual.maxEventBytes, (batch?.maxBytes ?? 0) - frameBytes)
  return limitsOf({ ...usual, maxEventBytes }, batch)
}

function acceptsOf({ acceptWindow }: AzureOptions): Destination['traits']['accepts'] {
  const [pastMs, futureMs] = [acceptWindow?.past ?? ACCEPTS.pastMs, acceptWindow?.future ?? ACCEPTS.futureMs]
  return {
    ...(pastMs === undefined ? {} : { pastMs }),
    ...(futureMs === undefined ? {} : { futureMs }),
  }
}

/** No token, so nothing was sent. @throws the signal's reason, and what is no answer of the far side */
function withoutToken(error: unknown, whole: ReturnType<typeof wholeBatch>, signal: AbortSignal): Receipt {
  signal.throwIfAborted()
  if (!(error instanceof AuditctlError)) throw error
  const receipt = { retry: whole, code: `token-${error.code}`, reason: error.message }
  if (error instanceof AuthError || error instanceof RemoteConfigError) return { ...receipt, stop: error }
  if (error instanceof RemoteError) return { ...receipt, retryAfterMs: error.retryAfterMs }
  throw error
}
