import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { UserError } from '../../core/errors.ts'
import type { HttpService } from '../../core/http.ts'
import { registerSecret } from '../../core/secret.ts'
import { DAY_MS, SECOND_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf } from '../envelope.ts'
import { plainEncoder } from '../member-encoder.ts'
import { canaryOf, checkCanary, checkReach, judgePlain, UNPROVED } from '../plain-receiver.ts'
import { SUMO_GUIDE } from './guide.ts'
import { ACCEPTS, DEFAULT_LIMITS, FRAME, HARD_LIMITS, type SumoOptions, sumoOptions } from './options.ts'

const GRACE_MS = 60 * SECOND_MS

/** Sumo Logic's HTTP Logs and Metrics source. @source https://www.sumologic.com/help/docs/send-data/hosted-collectors/http-source/ (read 2026-11-20) */
export const sumoLogic = defineDestination({
  provider: 'sumo-logic',
  title: 'Sumo Logic (HTTP source)',
  options: sumoOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAME,
  accepts: ACCEPTS,
  // Any other re-dates also what is a day away from the messages before it, as those of the live stream are.
  notes: { accepts: 'by a source of its own' },
  // Sumo gives an event outside the window another time and says nothing; its own stays in createdAt.
  lateDefault: 'restamp',
  graceMs: GRACE_MS,
  searchable: 'no; ids from "inventory" (a command or an HTTP address) or from --inventory FILE',
  guide: () => SUMO_GUIDE,
  create: createSumoLogic,
})

function createSumoLogic(name: string, options: SumoOptions, parts: DestinationParts): Destination {
  const endpoint = lazily(() => openEndpoint(name, options, parts))
  const headers = async () =>
    assembleHeaders(
      {
        'content-type': 'application/x-ndjson',
        ...(options.token === undefined ? {} : { 'x-sumo-token': await options.token.reveal() }),
      },
      options.headers,
    )
  const authHint = `check the token (${options.token?.origin ?? 'none is configured'}) and the address (${options.url.origin}), which holds a secret of its own; then run auditctl stream test ${name}`
  const configHint = `check the address (${options.url.origin}): it is the one that the HTTP source shows, on the host of your deployment`

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const { service, url } = await endpoint()
    const answer = await service.attempt({
      method: 'POST',
      path: url,
      headers: await headers(),
      body: bodyOf(batch, FRAME),
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    const now = parts.clock.now()
    return judgePlain(answer, countOf(batch), {
      service: 'Sumo Logic',
      stream: name,
      now,
      authHint,
      configHint,
    })
  }

  return {
    name,
    provider: 'sumo-logic',
    traits: {
      limits: limitsOf(DEFAULT_LIMITS, options.batch),
      frame: FRAME,
      accepts: acceptsOf(ACCEPTS, options.acceptWindow),
      lateDefault: 'restamp',
      graceMs: options.grace ?? GRACE_MS,
      // A message more than a day away from the ones before it is re-dated, so they go in order, a day at a time.
      maxSpanMs: DAY_MS,
      concurrency: 1,
    },
    ...plainEncoder,
    deliver,
    async test({ send, signal }) {
      const { service, url } = await endpoint()
      const reach = await checkReach({
        service,
        path: url,
        headers: await headers(),
        signal,
        authHint,
        configHint,
      })
      if (reach.state === 'failure' || !send) return reach.state === 'failure' ? [reach] : [reach, UNPROVED]
      const canary = canaryOf(parts.clock)
      const sendOne = (encoded: readonly Uint8Array[], ids: readonly string[]) =>
        deliver({ encoded, ids, run: 'canary' }, { signal })
      return [reach, await checkCanary(canary, sendOne, canary.event)]
    },
    replayQuery: (run) =>
      `| json "auditctl.run" as replay nodrop | where isBlank(replay) or replay != ${JSON.stringify(run)}`,
    close: async () => {},
  }
}

type Endpoint = { readonly service: HttpService; readonly url: string }

/** The address is a credential, so it is known only when it is needed. @throws UserError when it is not a URL, without showing it */
async function openEndpoint(name: string, options: SumoOptions, parts: DestinationParts): Promise<Endpoint> {
  const url = (await options.url.reveal()).trim()
  const service = parts.http.service({
    service: 'Sumo Logic',
    baseUrl: url,
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate,
  })
  const code = new URL(url).pathname.split('/').at(-1) ?? ''
  if (code === '') {
    throw new UserError(`stream ${name}: the address (${options.url.origin}) has no path`, {
      hint: 'copy the whole HTTP Source Address: it ends in a long code',
    })
  }
  registerSecret(code)
  return { service, url }
}

function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}
