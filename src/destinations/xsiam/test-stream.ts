import type { Check } from '../../core/check.ts'
import type { DeliveryBatch, Destination, Receipt } from '../../core/destination.ts'
import { NamedEvent } from '../../core/event.ts'
import { type HttpService, isFailure } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import { isoTime } from '../../core/time-range.ts'
import type { Judged } from '../judge.ts'
import { answered, canaryOf, isPage, PAGE_HINT, UNPROVED, unreachable } from '../plain-receiver.ts'
import { FORMAT_HINT } from './judge-collector.ts'
import { CANARIES, COLLECTOR_PATH, type XsiamOptions } from './options.ts'

export type XsiamCheck = {
  readonly options: XsiamOptions
  readonly service: HttpService
  readonly path: string
  readonly headers: () => Promise<Record<string, string>>
  readonly encode: Destination['encode']
  readonly deliver: (batch: DeliveryBatch, how: { readonly signal: AbortSignal }) => Promise<Receipt>
  readonly clock: Clock
  readonly judged: () => Judged
  readonly send: boolean
  readonly signal: AbortSignal
}

/** An empty request proves path and key, which the collector looks at first; its format and compression are only proved by a record. */
export async function testXsiam(check: XsiamCheck): Promise<readonly Check[]> {
  const key = await checkKey(check)
  const checks = [...unusualHost(check.options.url, check.path), key]
  if (key.state === 'failure') return checks
  checks.push(check.send ? await sendCanaries(check) : UNPROVED, eventTimes(check.options))
  return checks
}

async function checkKey({ service, path, headers, judged, signal }: XsiamCheck): Promise<Check> {
  const check = 'collector key'
  const answer = await service.attempt({
    method: 'POST',
    path,
    headers: await headers(),
    body: '',
    operation: 'check the collector key',
    signal,
  })
  if (isFailure(answer)) return unreachable(check, answer)
  const { status } = answer
  const message = `${answered(answer)} to an empty request`
  if (status === 401 || status === 403) {
    return { check, state: 'failure', message, hint: judged().authHint, refused: true }
  }
  if (status < 300 && isPage(answer)) return { check, state: 'failure', message, hint: PAGE_HINT }
  if (status === 200 || status === 500) {
    return {
      check,
      state: 'ok',
      message: `${message}: the key was not refused; format and compression are open`,
    }
  }
  if (status === 429 || status > 500) {
    return { check, state: 'warning', message, hint: 'XSIAM has trouble of its own: try again' }
  }
  return { check, state: 'failure', message, hint: judged().configHint }
}

/** Three in one request: whether the tenant makes a row of each is only seen with more than one. */
async function sendCanaries({ clock, encode, deliver, options, signal }: XsiamCheck): Promise<Check> {
  const canaries = Array.from({ length: CANARIES }, () => canaryOf(clock))
  const ids = canaries.map(({ id }) => id)
  const encoded = canaries.map(({ id, atMs, event }) =>
    encode(event, new NamedEvent(CANARY, event, { id, occurredAt: isoTime(atMs), occurredAtMs: atMs }), {
      restamp: false,
    }),
  )
  const check = 'an event is accepted'
  const receipt = await deliver({ encoded, ids, run: 'test' }, { signal })
  if (receipt.accepted === undefined) {
    const refused = receipt.stop?.exitCode === 5 ? { refused: true as const } : {}
    const hint =
      receipt.code === 'http-500' ? FORMAT_HINT : (receipt.stop?.hint ?? 'see auditctl stream guide xsiam')
    return { check, state: 'failure', message: receipt.reason, hint, ...refused }
  }
  const dataset = options.search?.dataset ?? '<vendor>_<product>_raw'
  const query = `dataset = ${dataset} | filter id in (${ids.map((id) => `"${id}"`).join(', ')}) | fields id | limit 10`
  return {
    check,
    state: 'ok',
    message: `the ${CANARIES} canaries ${ids.join(', ')} were accepted in one request (${receipt.reason}); that each became a row is for the dataset to show`,
    hint: `expect ${CANARIES} rows from: ${query}; auditctl doctor --canary looks by itself`,
  }
}

const CANARY = {
  type: 'auditctl',
  actor: () => undefined,
  action: () => 'canary',
  target: () => undefined,
}

function unusualHost(text: string, path: string): Check[] {
  const { protocol, hostname } = new URL(text)
  const isUsual = /^api-.+\.paloaltonetworks\.com$/.test(hostname) && path === COLLECTOR_PATH
  if (protocol === 'https:' && isUsual) return []
  const message = `${protocol}//${hostname}${path} is not a collector of a tenant`
  const hint = `it is usually https://api-<tenant>.xdr.<region>.paloaltonetworks.com${COLLECTOR_PATH}; this is fine for a broker, a proxy or a sandbox`
  return [{ check: 'host', state: 'warning', message, hint }]
}

function eventTimes({ eventTime }: XsiamOptions): Check {
  return {
    check: 'event time',
    state: 'ok',
    message:
      eventTime === false
        ? 'events are sent without _time: rows stand at their arrival unless a parsing rule dates them'
        : 'not proved: whether this tenant takes _time from the event; without a parsing rule rows may stand at their arrival',
    hint: 'auditctl stream guide xsiam holds the parsing rule that derives _time from createdAt',
  }
}
