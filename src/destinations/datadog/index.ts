import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { type HttpReply, isFailure } from '../../core/http.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { assembleHeaders, bodyOf, countOf, limitsOf, wholeBatch } from '../envelope.ts'
import { type Judged, judgeFailure, judgeStatus } from '../judge.ts'
import { datadogEncoder } from './encode.ts'
import { DATADOG_GUIDE } from './guide.ts'
import {
  ACCEPTS,
  ADVISED,
  type DatadogOptions,
  DEFAULT_LIMITS,
  datadogOptions,
  FRAME,
  HARD_LIMITS,
  intakeBase,
} from './options.ts'
import { testDatadog } from './test-stream.ts'

const INTAKE_PATH = '/api/v2/logs'
const GRACE_MS = 2 * MINUTE_MS

/** Datadog Logs intake v2. @source docs.datadoghq.com/api/latest/logs */
export const datadog = defineDestination({
  provider: 'datadog',
  title: 'Datadog Logs',
  options: datadogOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: ACCEPTS,
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable:
    'events search by @id (@audit.id where the event is nested), with appKey; about 300 searches an hour',
  guide: () => DATADOG_GUIDE,
  create: createDatadog,
})

function createDatadog(name: string, options: DatadogOptions, parts: DestinationParts): Destination {
  const service = parts.http.service({
    service: 'Datadog intake',
    baseUrl: intakeBase(options),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  const encoder = datadogEncoder(options)
  // Dated by arrival, a log is never too old.
  const accepts = options.eventTime === false ? {} : acceptsOf(options)

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const count = countOf(batch)
    const key = await options.apiKey.reveal()
    const headers = await assembleHeaders(
      { 'Content-Type': 'application/json', 'DD-API-KEY': key },
      options.headers,
    )
    const answer = await service.attempt({
      method: 'POST',
      path: INTAKE_PATH,
      headers,
      body: bodyOf(batch, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    if (isFailure(answer)) return judgeFailure(answer, count)
    return judgeIntake(answer, count, {
      service: 'Datadog intake',
      stream: name,
      now: parts.clock.now(),
      authHint: 'keys belong to one site: check apiKey and site (or intakeUrl), then auditctl stream test',
      configHint: 'check site or intakeUrl: the intake answers at https://http-intake.logs.<site>',
    })
  }

  return {
    name,
    provider: 'datadog',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      accepts,
      advised: ADVISED,
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      concurrency: 4,
    },
    ...encoder,
    deliver,
    test: (how) => testDatadog({ options, parts, intake: service, encode: encoder.encode, ...how }),
    replayQuery: (run) =>
      [
        ...(options.ddsource === undefined ? [] : [`source:${options.ddsource}`]),
        `-@auditctl.run:"${run}" -@audit.auditctl.run:"${run}"`,
      ].join(' '),
    close: async () => {},
  }
}

function acceptsOf({ acceptWindow }: DatadogOptions): Destination['traits']['accepts'] {
  const [pastMs, futureMs] = [acceptWindow?.past ?? ACCEPTS.pastMs, acceptWindow?.future ?? ACCEPTS.futureMs]
  return {
    ...(pastMs === undefined ? {} : { pastMs }),
    ...(futureMs === undefined ? {} : { futureMs }),
  }
}

/** 202 means accepted for processing, which is all that Datadog ever says; anything else is judged by its status. */
export function judgeIntake(reply: HttpReply, count: number, judged: Judged): Receipt {
  const code = `http-${reply.status}`
  if (reply.status === 202) {
    return { accepted: wholeBatch(count), code, reason: 'accepted for processing' }
  }
  const receipt = judgeStatus(reply, count, judged)
  // Docs name no Retry-After for the intake; the public client paces itself by this header.
  const reset = Number(reply.headers['x-ratelimit-reset'])
  if (reply.status !== 429 || receipt.retryAfterMs !== undefined || !(reset > 0)) return receipt
  return { ...receipt, retryAfterMs: reset * 1000 }
}
