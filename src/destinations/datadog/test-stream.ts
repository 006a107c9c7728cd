import type { Check } from '../../core/check.ts'
import type { Destination } from '../../core/destination.ts'
import { NamedEvent } from '../../core/event.ts'
import { type HttpFailure, type HttpReply, type HttpService, isFailure } from '../../core/http.ts'
import { redact } from '../../core/secret.ts'
import { isoTime } from '../../core/time-range.ts'
import type { DestinationParts } from '../define-destination.ts'
import { assembleHeaders } from '../envelope.ts'
import { excerpt } from '../judge.ts'
import { apiBase, type DatadogOptions, intakeBase, SITES } from './options.ts'

export type DatadogCheck = {
  readonly options: DatadogOptions
  readonly parts: DestinationParts
  readonly intake: HttpService
  readonly encode: Destination['encode']
  readonly send: boolean
  readonly signal: AbortSignal
}

/** The API key by Datadog's own key check, the application key by a search; the intake itself is only proven by a log. */
export async function testDatadog(check: DatadogCheck): Promise<readonly Check[]> {
  const { options, parts } = check
  const api = parts.http.service({
    service: 'Datadog API',
    baseUrl: apiBase(options),
    tls: options.tls,
    allowInsecureHttp: options.allowInsecureHttp,
  })
  const key = await checkApiKey(check, api)
  const checks = [...unusualHosts(options), key]
  if (key.state === 'failure') return checks
  checks.push(await checkAppKey(check, api))
  checks.push(check.send ? await sendCanary(check) : notProved())
  return checks
}

function unusualHosts(options: DatadogOptions): Check[] {
  return [intakeBase(options), apiBase(options)]
    .map((url) => new URL(url).hostname)
    .filter((host) => !SITES.some((site) => host.endsWith(`.${site}`)))
    .map((host) => ({
      check: 'Datadog site',
      state: 'warning',
      message: `${host} is not a host of a known Datadog site`,
      hint: `known sites: ${SITES.join(', ')}; this is fine for a proxy or a sandbox`,
    }))
}

async function checkApiKey({ options, signal }: DatadogCheck, api: HttpService): Promise<Check> {
  const check = 'API key'
  const answer = await api.attempt({
    method: 'GET',
    path: '/api/v1/validate',
    headers: { 'dd-api-key': await options.apiKey.reveal() },
    operation: 'check the API key',
    signal,
  })
  if (isFailure(answer)) return unreachable(check, answer)
  if (answer.status === 200 && isValid(answer)) {
    return { check, state: 'ok', message: 'valid on this site' }
  }
  return {
    check,
    state: 'failure',
    message: said(answer),
    hint: `keys belong to one site: check apiKey (${options.apiKey.origin}) and site`,
  }
}

async function checkAppKey({ options, signal, parts }: DatadogCheck, api: HttpService): Promise<Check> {
  const check = 'application key'
  if (options.appKey === undefined) {
    return {
      check,
      state: 'warning',
      message: 'none is configured, so what Datadog holds cannot be looked up',
      hint: 'add appKey with the scope logs_read_data for gaps, --missing and --verify',
    }
  }
  const now = parts.clock.now()
  const answer = await api.attempt({
    method: 'POST',
    path: '/api/v2/logs/events/search',
    headers: {
      'content-type': 'application/json',
      'dd-api-key': await options.apiKey.reveal(),
      'dd-application-key': await options.appKey.reveal(),
    },
    body: JSON.stringify({
      filter: { query: '*', from: isoTime(now - 900_000), to: isoTime(now) },
      page: { limit: 1 },
    }),
    operation: 'check the application key',
    signal,
  })
  if (isFailure(answer)) return unreachable(check, answer)
  if (answer.status === 200) {
    const message = 'may search; a restriction query of its role would hide rows without a word'
    return { check, state: 'ok', message }
  }
  if (answer.status === 429) {
    const reset = answer.headers['x-ratelimit-reset']
    const message = `accepted, but the searches of this hour are used up${reset === undefined ? '' : `; new ones in ${reset} s`}`
    return { check, state: 'warning', message }
  }
  return {
    check,
    state: 'failure',
    message: said(answer),
    hint: `check appKey (${options.appKey.origin}): it needs the scope logs_read_data`,
  }
}

async function sendCanary(check: DatadogCheck): Promise<Check> {
  const { options, parts, intake, signal } = check
  const name = 'a log is accepted'
  const now = parts.clock.now()
  const occurredAt = isoTime(now)
  const id = `auditctl-canary-${now}-${Math.floor(parts.clock.random() * 1e9)}`
  const bytes = Buffer.from(JSON.stringify({ id, createdAt: occurredAt, auditctl: { canary: true } }))
  const event = new NamedEvent(CANARY, bytes, { id, occurredAt, occurredAtMs: now })
  const log = Buffer.from(check.encode(bytes, event, { restamp: false })).toString('utf8')
  const answer = await intake.attempt({
    method: 'POST',
    path: '/api/v2/logs',
    headers: await assembleHeaders(
      { 'content-type': 'application/json', 'dd-api-key': await options.apiKey.reveal() },
      options.headers,
    ),
    body: `[${log}]`,
    operation: 'send a canary log',
    signal,
  })
  if (isFailure(answer)) return unreachable(name, answer)
  if (answer.status === 202) {
    return {
      check: name,
      state: 'ok',
      message: `the canary ${id} was accepted; Datadog answers 202 also to what it drops, so that it is indexed is for a search to prove`,
      hint: `search for @id:"${id}"`,
    }
  }
  return { check: name, state: 'failure', message: said(answer), hint: 'see auditctl stream guide datadog' }
}

const CANARY = {
  type: 'auditctl',
  actor: () => undefined,
  action: () => 'canary',
  target: () => undefined,
}

function notProved(): Check {
  return {
    check: 'not proved',
    state: 'ok',
    message: 'no log was sent, so whether an index takes it (quota, exclusion filter, pipeline) is open',
    hint: 'send one with auditctl stream test --send',
  }
}

function isValid(answer: HttpReply): boolean {
  try {
    return (answer.json() as { readonly valid?: unknown } | null)?.valid === true
  } catch {
    return false
  }
}

function said(answer: HttpReply): string {
  return `answered ${answer.status}${excerpt(answer)}`
}

function unreachable(check: string, failure: HttpFailure): Check {
  return {
    check,
    state: 'failure',
    message: redact(failure.error.message),
    hint: 'check site, intakeUrl and apiUrl, and the proxy or certificate on the way',
  }
}
