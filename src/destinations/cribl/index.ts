import type { BatchLimits, DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { type HttpFailure, type HttpReply, isFailure } from '../../core/http.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf, wholeBatch, withMember } from '../envelope.ts'
import { type Judged, retryAfterOf } from '../judge.ts'
import { canaryOf, checkCanary, judgePlain, LIVE_TIMEOUTS_MS, UNPROVED } from '../plain-receiver.ts'
import { checkSource } from './check-source.ts'
import { criblEncoder } from './encode.ts'
import { CRIBL_GUIDE } from './guide.ts'
import {
  type AuthScheme,
  authorization,
  type CriblOptions,
  criblOptions,
  DEFAULT_LIMITS,
  FRAME,
  HARD_LIMITS,
} from './options.ts'

const GRACE_MS = 15 * MINUTE_MS

/** Cribl Stream's HTTP/S source, `_bulk`. @source https://docs.cribl.io/stream/sources-https/ (4.15, read 2026-11-20) */
export const cribl = defineDestination({
  provider: 'cribl',
  title: 'Cribl Stream (HTTP Bulk API)',
  options: criblOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable:
    'no, Cribl passes events on; ids of the store behind it from "inventory" or from --inventory FILE',
  guide: () => CRIBL_GUIDE,
  create: createCribl,
})

function createCribl(name: string, options: CriblOptions, parts: DestinationParts): Destination {
  const isSingle = options.mode === 'single'
  const service = parts.http.service({
    service: 'Cribl',
    // Requests name their whole address; the check of the health does not.
    baseUrl: new URL(options.url).origin,
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
    timeoutMs: parts.timeoutMs ?? LIVE_TIMEOUTS_MS[isSingle ? 'single' : 'batch'],
  })
  const headers = async (scheme: AuthScheme) =>
    assembleHeaders(
      {
        'content-type': isSingle ? 'application/json' : 'application/x-ndjson',
        ...(await authorization(options, scheme)),
      },
      options.headers,
    )
  const authHint = `check the token (${options.token?.origin ?? 'none is configured'}) and the allow list of the source, and try "authScheme": "raw"; then run auditctl stream test ${name}`
  const configHint =
    'check the url: it ends in the path of the HTTP event API and /_bulk, as in https://cribl.example:10080/cribl/_bulk'

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const answer = await service.attempt({
      method: 'POST',
      path: options.url,
      headers: await headers(options.authScheme ?? 'bearer'),
      body: bodyOf(batch, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    const now = parts.clock.now()
    return judgeCribl(answer, countOf(batch), {
      service: 'Cribl',
      stream: name,
      now,
      authHint,
      configHint,
    })
  }

  return {
    name,
    provider: 'cribl',
    traits: {
      limits: modeLimits(options),
      frame: FRAME,
      accepts: acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      concurrency: isSingle ? 4 : 2,
    },
    ...criblEncoder(options),
    deliver,
    async test({ send, signal }) {
      const checks = await checkSource({ service, options, headers, signal, authHint, configHint })
      if (checks.some(({ state }) => state === 'failure')) return checks
      if (!send) return [...checks, UNPROVED]
      const canary = canaryOf(parts.clock)
      const sendOne = (encoded: readonly Uint8Array[], ids: readonly string[]) =>
        deliver({ encoded, ids, run: 'canary' }, { signal })
      const dated = withMember(canary.event, `"_time":${canary.atMs / 1000}`)
      return [...checks, await checkCanary(canary, sendOne, dated)]
    },
    // Cribl's filters are JavaScript over the event's fields.
    replayQuery: (run) => `!(auditctl && auditctl.run === ${JSON.stringify(run)})`,
    close: async () => {},
  }
}

function modeLimits({ batch, mode }: CriblOptions): BatchLimits {
  // More than every release takes only where the stream says so; then the request is the limit.
  const most = batch?.maxBytes === undefined ? DEFAULT_LIMITS.maxEventBytes : HARD_LIMITS.maxEventBytes
  const limits = limitsOf({ ...DEFAULT_LIMITS, maxEventBytes: most }, batch)
  return mode === 'single' ? { ...limits, maxEvents: 1 } : limits
}

/** Said before a request is read: nothing of it is stored. */
const BUSY = /server is busy|max(?:imum)? active (?:connections|requests)|requests per socket/i

/** A worker took the bytes, or not: Cribl says no more. Its two "busy" 503 prove that nothing was stored; any other is unknown. */
export function judgeCribl(answer: HttpReply | HttpFailure, count: number, judged: Judged): Receipt {
  const receipt = judgePlain(answer, count, judged)
  if (isFailure(answer) || answer.status !== 503 || !BUSY.test(answer.text().slice(0, 2000))) return receipt
  return {
    retry: wholeBatch(count),
    code: 'busy',
    reason: receipt.reason,
    retryAfterMs: retryAfterOf(answer, judged.now),
  }
}
