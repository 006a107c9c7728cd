import type { Check } from '../../core/check.ts'
import { AuthError, ContractError, RemoteConfigError } from '../../core/errors.ts'
import type { HttpReply } from '../../core/http.ts'
import type { Clock } from '../../core/runtime.ts'
import { isoTime, MINUTE_MS } from '../../core/time-range.ts'
import { checksAfterLogIn, clockCheck } from '../health-checks.ts'
import { type Facts, LIST_PATH } from './pages.ts'
import { problemOf, saying } from './problem.ts'
import type { Session } from './session.ts'

/** No release has it: newer ones refuse it as a filter, older ones find nothing. */
const UNKNOWN_TYPE = 'auditctl-which-release'

export type CheckParts = {
  readonly session: Session
  readonly clock: Clock
  readonly facts: Facts
  readonly url: string
}

/**
 * Which generation answers: asks for an empty window with a filter that newer servers refuse before they look at permissions.
 * @throws RemoteError when the log may not be read
 */
export async function findGeneration(
  parts: CheckParts,
  signal: AbortSignal,
): Promise<'2025' | '2026' | undefined> {
  const { facts } = parts
  if (facts.generation === undefined) {
    const reply = await ask(parts, signal, { eventType: UNKNOWN_TYPE })
    facts.generation = reply.status === 422 ? '2026' : '2025'
  }
  return facts.generation
}

/** One request for an empty window that leaves no event behind: only readings at offset 0 do. Gives a 200 or a 422. */
async function ask(
  { session, clock }: CheckParts,
  signal: AbortSignal,
  extra: Readonly<Record<string, string>> = {},
): Promise<HttpReply> {
  const at = isoTime(clock.now() - MINUTE_MS)
  const query = { startDate: at, endDate: at, limit: 1, offset: 1, ...extra }
  const reply = await session.get({ path: LIST_PATH, query, operation: 'read the audit log', signal })
  if (reply.status === 422) return reply
  if (reply.status === 200) {
    const body = reply.json()
    if (body !== null && typeof body === 'object' && 'auditLogs' in body) return reply
    throw new ContractError('what answers is not an Infisical server: its reply has no auditLogs', {
      hint: 'check the URL of the source',
    })
  }
  const problem = problemOf(reply)
  const said = saying(reply, problem)
  const details = { service: 'Infisical', status: reply.status, requestId: problem.requestId }
  if (reply.status === 403) {
    throw new AuthError(`Infisical does not let this identity read the audit log ${said}`, {
      ...details,
      hint: 'it needs the organization permission read on audit-logs; with project access only, every command needs --project ID',
    })
  }
  throw new RemoteConfigError(`Infisical has no audit log at this address ${said}`, {
    ...details,
    hint: 'check the URL of the source: the origin of the Infisical server, without a path',
  })
}

/** Reachable, log-in accepted, permission to read, the server's generation and clock. Sends no credentials twice. */
export function testSource(parts: CheckParts, signal: AbortSignal): Promise<readonly Check[]> {
  return checksAfterLogIn(parts.session, parts.url, signal, async (checks) => {
    const { clockSkewMs } = await ask(parts, signal)
    checks.push({ check: 'permission', state: 'ok', message: 'may read the audit log of the organization' })
    const generation = await findGeneration(parts, signal)
    const release = generation === '2026' ? '2026 or later' : '2025 or earlier'
    checks.push({ check: 'generation', state: 'ok', message: `answers like a release of ${release}` })
    checks.push(clockCheck(clockSkewMs))
  })
}
