import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { type HttpReply, isFailure } from '../../core/http.ts'
import { DAY_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf, wholeBatch } from '../envelope.ts'
import { type Judged, refusedConfig } from '../judge.ts'
import { createAcknowledger } from './acknowledge.ts'
import { checkHec } from './check-hec.ts'
import { hecEncoder } from './encode.ts'
import { GUIDE } from './guide.ts'
import { createHecJudge, readHec } from './judge-hec.ts'
import { DEFAULT_LIMITS, HARD_LIMITS, hecBase, type SplunkOptions, splunkOptions } from './options.ts'
import { replayQuery } from './replay-query.ts'

const FRAME = { open: '', separator: '', close: '' }
const GRACE_MS = 60_000

/** Splunk's HTTP Event Collector. */
export const splunk = defineDestination({
  provider: 'splunk',
  title: 'Splunk (HTTP Event Collector)',
  options: splunkOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  keeps: 'as long as the index does',
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable: 'ids, through the search API (port 8089) with a token of its own in "search"',
  guide: () => GUIDE,
  create: createSplunk,
})

function createSplunk(name: string, options: SplunkOptions, parts: DestinationParts): Destination {
  const service = parts.http.service({
    service: 'Splunk HEC',
    baseUrl: hecBase(options.url),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  const acknowledger = options.acknowledge === true ? createAcknowledger(service, parts.clock) : undefined
  const judge = createHecJudge()
  const headers = async () =>
    assembleHeaders(
      {
        'content-type': 'application/json',
        authorization: `Splunk ${await options.token.reveal()}`,
        ...(acknowledger === undefined ? {} : { 'x-splunk-request-channel': acknowledger.channel }),
      },
      options.headers,
    )
  const judged = (): Judged => ({
    service: 'Splunk HEC',
    stream: name,
    now: parts.clock.now(),
    authHint: `check the HEC token (${options.token.origin}) and that it is enabled, then run auditctl stream test ${name}`,
    configHint: `check the url of the stream: it must lead to HEC (port 8088, or http-inputs on Splunk Cloud); run auditctl stream test ${name}`,
  })

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const body = bodyOf(batch, FRAME)
    const sent = { count: countOf(batch), bytes: body.length }
    const own = await headers()
    const answer = await service.attempt({
      method: 'POST',
      path: '/services/collector/event',
      headers: { ...own, ...acknowledger?.cookies() },
      body,
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    const receipt = judge(answer, sent, judged())
    if (acknowledger === undefined || isFailure(answer)) return receipt
    acknowledger.note(answer)
    return receipt.accepted === undefined ? receipt : acknowledged(answer, receipt, sent.count, own, signal)
  }

  async function acknowledged(
    answer: HttpReply,
    receipt: Receipt,
    count: number,
    own: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Receipt> {
    const ackId = readHec(answer)?.ackId
    if (ackId === undefined) {
      const reason = `${receipt.reason}, without an ackId: the token has indexer acknowledgment off`
      const hint = 'set "acknowledge": false, or switch indexer acknowledgment on for the token'
      return { ...receipt, reason, stop: refusedConfig(answer, reason, judged(), hint) }
    }
    const waited = await acknowledger?.wait(ackId, own, signal)
    if (waited?.acknowledged === true) return receipt
    return { unknown: wholeBatch(count), code: 'ack', reason: waited?.reason ?? 'not acknowledged' }
  }

  return {
    name,
    provider: 'splunk',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      accepts: acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      // An index keeps few hot buckets, of 90 days at most: a request over years would open them all.
      maxSpanMs: 90 * DAY_MS,
      // A batch that waits for its acknowledgment is not a request in flight.
      concurrency: acknowledger === undefined ? 4 : 16,
    },
    ...hecEncoder(options),
    deliver,
    test: ({ send, signal }) =>
      checkHec({ service, options, headers, clock: parts.clock, acknowledger, signal, send }),
    replayQuery: (run) => replayQuery(options, run),
    close: async () => {},
  }
}
