import type { BatchLimits, DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { isFailure } from '../../core/http.ts'
import { SECOND_MS } from '../../core/time-range.ts'
import { type DestinationParts, defineDestination } from '../define-destination.ts'
import { acceptsOf, assembleHeaders, bodyOf, countOf, limitsOf } from '../envelope.ts'
import type { Judged } from '../judge.ts'
import { plainEncoder } from '../member-encoder.ts'
import {
  canaryOf,
  checkCanary,
  checkReach,
  judgePlain,
  LIVE_TIMEOUTS_MS,
  UNPROVED,
} from '../plain-receiver.ts'
import { confirmed } from './expect.ts'
import { CUSTOM_GUIDE } from './guide.ts'
import {
  type BodyForm,
  bodyForm,
  CONTENT_TYPES,
  type CustomOptions,
  customOptions,
  DEFAULT_LIMITS,
  FRAMES,
  HARD_LIMITS,
} from './options.ts'
import { batchId, type Signer, webhookSigner } from './sign.ts'

const GRACE_MS = 60 * SECOND_MS
const SINGLE_RATE = 50

/** Any receiver that takes JSON over HTTP as Infisical's custom stream sends it. */
export const custom = defineDestination({
  provider: 'custom',
  title: 'Custom HTTP endpoint',
  options: customOptions,
  limits: { default: DEFAULT_LIMITS, hard: HARD_LIMITS },
  frame: FRAMES.array,
  accepts: {},
  keeps: 'not known',
  lateDefault: 'skip',
  graceMs: GRACE_MS,
  searchable: 'no; ids from "inventory" (a command or an HTTP address) or from --inventory FILE',
  guide: () => CUSTOM_GUIDE,
  create: createCustom,
})

function createCustom(name: string, options: CustomOptions, parts: DestinationParts): Destination {
  const form = bodyForm(options)
  const isSingle = form === 'single'
  const service = parts.http.service({
    service: 'the custom receiver',
    baseUrl: options.url,
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
    rate: options.rate ?? (isSingle ? SINGLE_RATE : undefined),
    timeoutMs: parts.timeoutMs ?? LIVE_TIMEOUTS_MS[isSingle ? 'single' : 'batch'],
  })
  const headers = () => assembleHeaders({ 'content-type': CONTENT_TYPES[form] }, options.headers)
  const signer = lazily(async () => signerOf(options))
  const authHint = `check the headers of the stream, then run auditctl stream test ${name}`
  const configHint = `check the url of the stream and that the receiver takes ${SHAPES[form]} by POST, then run auditctl stream test ${name}`
  const judged = (): Judged => ({
    service: 'the custom receiver',
    stream: name,
    now: parts.clock.now(),
    authHint,
    configHint,
  })

  async function deliver(
    batch: DeliveryBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Receipt> {
    const count = countOf(batch)
    const body = bodyOf(batch, FRAMES[form])
    // The ids have to be read for it, so only where a header tells it.
    const isNamed = options.idempotencyKey === true || options.signing !== undefined
    const id = isNamed ? batchId(batch.ids, form) : ''
    const answer = await service.attempt({
      method: 'POST',
      path: options.url,
      headers: {
        ...(await headers()),
        ...(options.idempotencyKey === true
          ? { 'idempotency-key': id, 'x-auditctl-run': batch.run, 'x-auditctl-batch': id }
          : {}),
        ...(await signer())?.({ id, body, now: parts.clock.now() }),
      },
      body,
      gzip: options.compress === 'gzip',
      operation: 'deliver events',
      signal,
    })
    const receipt = judgePlain(answer, count, judged())
    return isFailure(answer) ? receipt : confirmed(receipt, answer, count, options.expect)
  }

  return {
    name,
    provider: 'custom',
    traits: {
      limits: formLimits(form, options),
      frame: FRAMES[form],
      accepts: acceptsOf({}, options.acceptWindow),
      lateDefault: 'skip',
      graceMs: options.grace ?? GRACE_MS,
      // One at a time keeps the order; single events would take for ever.
      concurrency: isSingle ? 4 : 1,
    },
    ...plainEncoder,
    deliver,
    async test({ send, signal }) {
      await signer()
      const path = options.url
      const reach = await checkReach({
        service,
        path,
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
    close: async () => {},
  }
}

const SHAPES: Readonly<Record<BodyForm, string>> = {
  array: 'a JSON array',
  ndjson: 'one JSON object a line',
  single: 'one JSON object',
}

/** A single event may fill the largest request, its frame included. */
function formLimits(form: BodyForm, options: CustomOptions): BatchLimits {
  const { open, close } = FRAMES[form]
  const limits = limitsOf(DEFAULT_LIMITS, options.batch)
  return {
    ...limits,
    maxEvents: form === 'single' ? 1 : limits.maxEvents,
    maxEventBytes: HARD_LIMITS.maxBytes - open.length - close.length,
  }
}

async function signerOf({ signing }: CustomOptions): Promise<Signer | undefined> {
  return signing === undefined
    ? undefined
    : webhookSigner(await signing.secret.reveal(), signing.secret.origin)
}

function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => {
    made ??= make()
    return made
  }
}
