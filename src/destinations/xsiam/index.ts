import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { isFailure } from '../../core/http.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf } from '../envelope.ts'
import type { Judged } from '../judge.ts'
import { datedEncoder } from '../member-encoder.ts'
import { XSIAM_GUIDE } from './guide.ts'
import { createCollectorJudge, FORMAT_HINT } from './judge-collector.ts'
import {
  CANARIES,
  COLLECTOR_PATH,
  DEFAULT_LIMITS,
  DEFAULT_RATE,
  FRAME,
  HARD_LIMITS,
  type XsiamOptions,
  xsiamOptions,
} from './options.ts'
import { refusesRecord } from './refuses-record.ts'
import { testXsiam } from './test-stream.ts'

const GRACE_MS = 15 * MINUTE_MS

/** Palo Alto Cortex XSIAM, by a custom HTTP Log Collector. */
export const xsiam = defineDestination({
  provider: 'xsiam',
  title: 'Palo Alto Cortex XSIAM (HTTP Log Collector)',
  options: xsiamOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  keeps: 'not documented: while the dataset is hot',
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable: 'id, by XQL over the public API, with an API key of its own in "search"; a daily quota applies',
  guide: () => XSIAM_GUIDE,
  create: createXsiam,
})

function createXsiam(name: string, options: XsiamOptions, parts: DestinationParts): Destination {
  const { origin, pathname } = new URL(options.url)
  const path = pathname === '/' ? COLLECTOR_PATH : pathname
  const service = parts.http.service({
    service: 'XSIAM collector',
    baseUrl: origin,
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate ?? DEFAULT_RATE,
  })
  // Whether a tenant takes `_time` without a parsing rule is not documented; the event's own key stays beside it for the rule.
  const encoder = datedEncoder('_time', options.eventTime)
  const { encode } = encoder
  const judge = createCollectorJudge()
  let isWarned = false
  const judged = (): Judged => ({
    service: 'XSIAM collector',
    stream: name,
    now: parts.clock.now(),
    authHint: `check token (${options.token.origin}): the key of the collector, not an API key, and that the collector is enabled; then run auditctl stream test ${name}`,
    configHint: `check url: https://api-<tenant>${COLLECTOR_PATH} of a Custom HTTP Log Collector; then run auditctl stream test ${name}`,
  })
  const headers = async () =>
    assembleHeaders(
      { 'Content-Type': 'application/json', Authorization: await options.token.reveal() },
      options.headers,
    )

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    // Events that come in one body were each looked at when it was made.
    const bad =
      batch.body === undefined
        ? batch.encoded.findIndex((encoded) => refusesRecord(encoded) !== undefined)
        : -1
    if (bad >= 0) return withoutRecord(batch, bad)
    const answer = await service.attempt({
      method: 'POST',
      path,
      headers: await headers(),
      body: bodyOf(batch, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    const receipt = judge(answer, { firstId: () => batch.ids[0] ?? '', count: countOf(batch) }, judged())
    if (!isFailure(answer) && answer.status === 500 && !isWarned) {
      // Each of them is looked up first, which takes the whole grace: too long to say nothing.
      isWarned = true
      parts.log.warn(`stream ${name}: ${receipt.reason}; if it stays so, ${FORMAT_HINT}`)
    }
    return receipt
  }

  return {
    name,
    provider: 'xsiam',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      // Dated by arrival, an event is never too old.
      accepts: options.eventTime === false ? {} : acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      canaries: CANARIES,
      concurrency: 4,
    },
    ...encoder,
    refuses: refusesRecord,
    deliver,
    test: (how) =>
      testXsiam({ options, service, path, headers, encode, deliver, clock: parts.clock, judged, ...how }),
    replayQuery: (run) =>
      [
        `dataset = ${options.search?.dataset ?? '<vendor>_<product>_raw'}`,
        'alter replay = json_extract_scalar(auditctl, "$.run")',
        `filter replay = null or replay != "${run.replace(/[\\"]/g, '\\$&')}"`,
      ].join(' | '),
    close: async () => {},
  }
}

/** Nothing is sent: the one record is refused, and its neighbours go in a request without it. */
function withoutRecord(batch: DeliveryBatch, position: number): Receipt {
  const { code, reason } = refusesRecord(batch.encoded[position] ?? new Uint8Array(0)) ?? {
    code: '',
    reason: '',
  }
  const count = batch.encoded.length
  return {
    rejected: [{ position, code, reason }],
    retry: (
      [
        [0, position],
        [position + 1, count],
      ] as const
    ).filter(([from, to]) => from < to),
    code,
    reason,
  }
}
