import type { Check } from '../../core/check.ts'
import type { Clock } from '../../core/runtime.ts'
import { isoTime, MINUTE_MS } from '../../core/time-range.ts'
import { clockCheck, failedCheck } from '../health-checks.ts'
import { LIST_PATH, refusal } from './pages.ts'
import { firstAt, textOf } from './read-record.ts'
import type { Session } from './session.ts'

/** What the server says about the bearer of a token. */
export type Whoami = {
  readonly identity: string | undefined
  readonly tenant: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly clockSkewMs: number | undefined
}

/** @throws AuthError when the credentials are refused, RemoteError when nobody answers */
export async function whoami(session: Session, signal: AbortSignal): Promise<Whoami> {
  const operation = 'ask who we are'
  const reply = await session.send({
    method: 'GET',
    path: '/v1/auth/whoami',
    operation,
    signal,
    isAuditQuery: false,
  })
  if (reply.status !== 200) throw refusal(reply, operation)
  const body = reply.json()
  const scopes = firstAt(body, 'scopes', 'data.scopes')
  return {
    identity: textOf(body, 'identity_id', 'data.identity_id'),
    tenant: textOf(body, 'tenant_id', 'data.tenant_id'),
    scopes: Array.isArray(scopes) ? scopes.map(String) : undefined,
    clockSkewMs: reply.clockSkewMs,
  }
}

export type CheckParts = {
  readonly session: Session
  readonly clock: Clock
  readonly url: string
  readonly tenant: string | undefined
}

/** Reachable, credentials accepted, scopes, permission to read, tenant, and the server's clock. */
export async function testSource(parts: CheckParts, signal: AbortSignal): Promise<readonly Check[]> {
  const { session, clock, url, tenant } = parts
  const checks: Check[] = []
  try {
    const { identity, tenant: own, scopes, clockSkewMs } = await whoami(session, signal)
    checks.push({ check: 'log-in', state: 'ok', message: `${identity ?? 'the token'} is known to ${url}` })
    const acting = tenant ?? own
    checks.push({ check: 'tenant', state: 'ok', message: acting === undefined ? 'not said' : acting })
    if (scopes !== undefined) checks.push(scopeCheck(scopes))
    checks.push(clockCheck(clockSkewMs))
  } catch (error) {
    return [failedCheck(error, 'log-in')]
  }
  try {
    const now = clock.now()
    const query = { from: isoTime(now - MINUTE_MS), to: isoTime(now), limit: 1 }
    const operation = 'read the audit log'
    const reply = await session.send({ method: 'GET', path: LIST_PATH, query, operation, signal })
    if (reply.status !== 200) throw refusal(reply, operation)
    checks.push({ check: 'permission', state: 'ok', message: 'may read the audit log' })
  } catch (error) {
    checks.push(failedCheck(error, 'permission'))
  }
  return checks
}

function scopeCheck(scopes: readonly string[]): Check {
  const has = (scope: string) => scopes.some((one) => one === scope || one === '*' || one === 'audit:*')
  if (!has('audit:read')) {
    return {
      check: 'scopes',
      state: 'failure',
      message: `the token has ${scopes.join(', ') || 'no scopes'}, and not audit:read`,
      hint: 'make a token with the scope audit:read, and audit:export for jobs',
      refused: true,
    }
  }
  return has('audit:export')
    ? { check: 'scopes', state: 'ok', message: 'audit:read and audit:export' }
    : { check: 'scopes', state: 'ok', message: 'audit:read; remote-export would need audit:export as well' }
}
