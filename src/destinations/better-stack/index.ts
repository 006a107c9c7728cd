import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { MINUTE_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf } from '../envelope.ts'
import type { Judged } from '../judge.ts'
import { datedEncoder } from '../member-encoder.ts'
import { BETTER_STACK_GUIDE } from './guide.ts'
import { createIngestJudge } from './judge-ingest.ts'
import {
  ADVISED,
  type BetterStackOptions,
  betterStackOptions,
  DEFAULT_LIMITS,
  FRAME,
  HARD_LIMITS,
} from './options.ts'
import { replayQuery } from './replay-query.ts'
import { testBetterStack } from './test-stream.ts'

const SERVICE = 'Better Stack'
const GRACE_MS = 10 * MINUTE_MS

/** Better Stack Telemetry, by its HTTP source. */
export const betterStack = defineDestination({
  provider: 'better-stack',
  title: 'Better Stack Telemetry',
  options: betterStackOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: {},
  keeps: 'not documented: refill with --probe',
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable: 'id, by SQL over the hot and the archive store, with a connection of its own in "search"',
  guide: () => BETTER_STACK_GUIDE,
  create: createBetterStack,
})

function createBetterStack(name: string, options: BetterStackOptions, parts: DestinationParts): Destination {
  const service = parts.http.service({
    service: SERVICE,
    baseUrl: options.url.replace(/[?#].*$/s, '').replace(/\/+$/, ''),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  // Without `dt` Better Stack dates an event by arrival; a `dt` that cannot be read is no error there. It has billed pretty-printed objects as
  // one row a line (jikig-ai/soleur#7577).
  const encoder = datedEncoder('dt', options.eventTime)
  const { encode } = encoder
  const judge = createIngestJudge()
  const judged = (): Judged => ({
    service: SERVICE,
    stream: name,
    now: parts.clock.now(),
    authHint: `check token (${options.token.origin}): the source token of Data ingestion, not an API token; then run auditctl stream test ${name}`,
    configHint: `check url: the ingesting host of the source, without a path; then run auditctl stream test ${name}`,
  })
  const headers = async () =>
    assembleHeaders(
      { 'Content-Type': 'application/json', Authorization: `Bearer ${await options.token.reveal()}` },
      options.headers,
    )

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const answer = await service.attempt({
      method: 'POST',
      path: '/',
      headers: await headers(),
      body: bodyOf(batch, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    return judge(answer, countOf(batch), judged())
  }

  return {
    name,
    provider: 'better-stack',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      advised: ADVISED,
      // Dated by arrival, an event is never too old.
      accepts: options.eventTime === false ? {} : acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      concurrency: 4,
    },
    ...encoder,
    deliver,
    test: (how) =>
      testBetterStack({ options, service, headers, encode, deliver, clock: parts.clock, judged, ...how }),
    replayQuery: (run) => replayQuery(options, run),
    close: async () => {},
  }
}
