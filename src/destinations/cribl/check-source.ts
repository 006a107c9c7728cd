import type { Check } from '../../core/check.ts'
import { type HttpReply, type HttpService, isFailure } from '../../core/http.ts'
import { answered, isPage, PAGE_HINT, unreachable } from '../plain-receiver.ts'
import { type AuthScheme, authorization, type CriblOptions } from './options.ts'

type CriblCheck = {
  readonly service: HttpService
  readonly options: CriblOptions
  readonly headers: (scheme: AuthScheme) => Promise<Record<string, string>>
  readonly signal: AbortSignal
  readonly authHint: string
  readonly configHint: string
}

/**
 * An empty request, which Cribl answers like any other without storing a thing: it proves path and token. Nothing here proves arrival: Cribl passes
 * events on, and on some of its paths it answers 2xx to what it throws away.
 */
export async function checkSource(check: CriblCheck): Promise<readonly Check[]> {
  const { options, headers, authHint, configHint } = check
  const scheme = options.authScheme ?? 'bearer'
  const name = 'HTTP source and token'
  const answer = await postNothing(check, await headers(scheme))
  if (isFailure(answer)) return [unreachable(name, answer)]
  const message = `${answered(answer)} to an empty request`
  const { status } = answer
  if (status === 401 || status === 403) {
    const hint = (await otherSchemeWorks(check, scheme)) ?? authHint
    return [{ check: name, state: 'failure', message, hint, refused: true }]
  }
  if (status === 503) {
    return [
      { check: name, state: 'warning', message, hint: 'the source is busy: deliveries will be retried' },
    ]
  }
  if (status < 300 && isPage(answer)) return [{ check: name, state: 'failure', message, hint: PAGE_HINT }]
  if (status >= 300 && status !== 400) {
    return [{ check: name, state: 'failure', message, hint: configHint }]
  }
  const checks: Check[] = [{ check: name, state: 'ok', message }, ...(await checkHealth(check))]
  if (options.token !== undefined && (await acceptsAnyone(check))) {
    checks.push({
      check: 'token is asked for',
      state: 'warning',
      message: 'the same request was accepted without a token',
      hint: 'the source has no token configured: anyone who reaches it may post',
    })
  }
  return checks
}

async function postNothing({ service, options, signal }: CriblCheck, headers: Record<string, string>) {
  return service.attempt({
    method: 'POST',
    path: options.url,
    headers,
    body: '',
    operation: 'reach the HTTP source of Cribl',
    signal,
  })
}

/** Some releases want the bare token. */
async function otherSchemeWorks(check: CriblCheck, scheme: AuthScheme): Promise<string | undefined> {
  if (check.options.token === undefined) return undefined
  const other: AuthScheme = scheme === 'raw' ? 'bearer' : 'raw'
  const { authorization: credentials = '' } = await authorization(check.options, other)
  const headers = { ...(await check.headers(scheme)), authorization: credentials }
  const answer = await postNothing(check, headers)
  return !isFailure(answer) && answer.status < 300
    ? `it is accepted with "authScheme": "${other}"`
    : undefined
}

async function acceptsAnyone(check: CriblCheck): Promise<boolean> {
  const { authorization: _, ...headers } = await check.headers('bearer')
  const answer = await postNothing(check, headers)
  return !isFailure(answer) && answer.status < 300
}

/** Answers only where it is switched on. */
async function checkHealth({ service, signal }: CriblCheck): Promise<readonly Check[]> {
  const answer = await service.attempt({
    method: 'GET',
    path: '/cribl_health',
    operation: 'check the health of Cribl',
    signal,
  })
  if (isFailure(answer) || (answer.status !== 200 && answer.status !== 503)) return []
  return [{ check: 'health', ...healthOf(answer) }]
}

function healthOf(answer: HttpReply): Omit<Check, 'check'> {
  return answer.status === 200
    ? { state: 'ok', message: answered(answer) }
    : {
        state: 'warning',
        message: answered(answer),
        hint: 'Cribl calls itself unhealthy: deliveries may be refused',
      }
}
