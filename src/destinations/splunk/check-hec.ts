import type { Check } from '../../core/check.ts'
import { type HttpFailure, type HttpReply, type HttpService, isFailure } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import { redact } from '../../core/secret.ts'
import { isoTime } from '../../core/time-range.ts'
import { excerpt } from '../judge.ts'
import type { Acknowledger } from './acknowledge.ts'
import { type HecReply, readHec } from './judge-hec.ts'
import type { SplunkOptions } from './options.ts'

export type HecCheck = {
  readonly service: HttpService
  readonly options: SplunkOptions
  readonly headers: () => Promise<Record<string, string>>
  readonly clock: Clock
  readonly acknowledger: Acknowledger | undefined
  readonly signal: AbortSignal
  readonly send: boolean
}

/**
 * Health without a token, then an empty request: HEC tests the token before it looks for events, so that "no data" proves the token.
 * Neither proves that the token may write to the index; only an event does.
 */
export async function checkHec(check: HecCheck): Promise<readonly Check[]> {
  const health = await checkHealth(check)
  if (health.state === 'failure') return [health]
  const token = await checkToken(check)
  if (token.state === 'failure') return [health, token]
  const checks = [health, token]
  if (check.acknowledger !== undefined) checks.push(await checkAcknowledgment(check, check.acknowledger))
  checks.push(check.send ? await sendCanary(check) : unproved(check.options))
  return checks
}

async function checkHealth({ service, signal }: HecCheck): Promise<Check> {
  const answer = await service.attempt({
    method: 'GET',
    path: '/services/collector/health',
    operation: 'check the health of HEC',
    signal,
  })
  const name = 'HEC is reachable'
  if (isFailure(answer)) return unreachable(name, answer)
  const hec = readHec(answer)
  if (answer.status === 200 && hec !== undefined)
    return { check: name, state: 'ok', message: said(answer, hec) }
  if (hec !== undefined && answer.status === 503) {
    return {
      check: name,
      state: 'warning',
      message: said(answer, hec),
      hint: 'HEC is busy: deliveries will be retried',
    }
  }
  return {
    check: name,
    state: 'failure',
    message: said(answer, hec),
    hint: 'this is not HEC: the url must lead to port 8088, or to http-inputs on Splunk Cloud, with HEC switched on',
  }
}

async function checkToken({ service, headers, options, signal }: HecCheck): Promise<Check> {
  const name = 'HEC token'
  const answer = await service.attempt({
    method: 'POST',
    path: '/services/collector/event',
    headers: await headers(),
    body: '',
    operation: 'check the HEC token',
    signal,
  })
  if (isFailure(answer)) return unreachable(name, answer)
  const hec = readHec(answer)
  if (answer.status === 400 && hec?.code === 5) {
    return { check: name, state: 'ok', message: 'accepted (an empty request was answered "no data")' }
  }
  const hint =
    hec?.code === 10 || hec?.code === 28
      ? 'the token has indexer acknowledgment on: set "acknowledge": true'
      : `check the token (${options.token.origin}) and that it is enabled`
  return { check: name, state: 'failure', message: said(answer, hec), hint }
}

async function checkAcknowledgment(check: HecCheck, acknowledger: Acknowledger): Promise<Check> {
  const name = 'indexer acknowledgment'
  const answer = await check.service.attempt({
    method: 'POST',
    path: '/services/collector/ack',
    query: { channel: acknowledger.channel },
    headers: await check.headers(),
    body: '{"acks":[0]}',
    operation: 'check indexer acknowledgment',
    signal: check.signal,
  })
  if (isFailure(answer)) return unreachable(name, answer)
  if (answer.status === 200) return { check: name, state: 'ok', message: 'switched on for the token' }
  return {
    check: name,
    state: 'failure',
    message: said(answer, readHec(answer)),
    hint: 'set "acknowledge": false, or switch indexer acknowledgment on for the token',
  }
}

async function sendCanary({ service, headers, options, clock, signal }: HecCheck): Promise<Check> {
  const name = 'an event is accepted'
  const now = clock.now()
  const id = `auditctl-canary-${now}-${Math.floor(clock.random() * 1e9)}`
  const event = { id, createdAt: isoTime(now), auditctl: { canary: true, sentAt: isoTime(now) } }
  const answer = await service.attempt({
    method: 'POST',
    path: '/services/collector/event',
    headers: await headers(),
    body: JSON.stringify({
      time: now / 1000,
      ...(options.host === undefined ? {} : { host: options.host }),
      source: options.source ?? 'auditctl',
      sourcetype: options.sourcetype ?? '_json',
      ...(options.index === undefined ? {} : { index: options.index }),
      event,
    }),
    operation: 'send a canary event',
    signal,
  })
  if (isFailure(answer)) return unreachable(name, answer)
  const hec = readHec(answer)
  if (answer.status === 200 && (hec?.code === 0 || hec?.code === 24 || hec?.code === 25)) {
    return {
      check: name,
      state: 'ok',
      message: `the canary ${id} was accepted${options.index === undefined ? '' : ` for index ${options.index}`}; that it can be found is for a search to prove`,
    }
  }
  const hint =
    hec?.code === 7
      ? 'name an index that this token may write to, in "index"'
      : 'see the guide: auditctl stream guide splunk'
  return { check: name, state: 'failure', message: said(answer, hec), hint }
}

function unproved(options: SplunkOptions): Check {
  const where = options.index === undefined ? "the token's default index" : `index ${options.index}`
  return {
    check: 'not proved',
    state: 'ok',
    message: `no event was sent, so whether the token may write to ${where} is open`,
    hint: 'send one marked event with auditctl stream test --send',
  }
}

function said(answer: HttpReply, hec: HecReply | undefined): string {
  return hec === undefined
    ? `answered ${answer.status}${excerpt(answer)}`
    : `answered ${answer.status} code ${hec.code}, ${hec.text}`
}

function unreachable(check: string, failure: HttpFailure): Check {
  return {
    check,
    state: 'failure',
    message: redact(failure.error.message),
    hint: 'check host, port and certificate of the url (a private certificate authority goes into tls.caFile)',
  }
}
