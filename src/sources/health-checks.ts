import type { Check } from '../core/check.ts'
import { AuditctlError, AuthError } from '../core/errors.ts'
import { SECOND_MS } from '../core/time-range.ts'

const MAX_SKEW_MS = 5 * SECOND_MS

/**
 * The log-in, then what is seen with it; the first failure ends it.
 * @param look appends its checks as it goes
 */
export async function checksAfterLogIn(
  session: { start(signal: AbortSignal): Promise<void> },
  url: string,
  signal: AbortSignal,
  look: (checks: Check[]) => Promise<void>,
): Promise<readonly Check[]> {
  try {
    await session.start(signal)
  } catch (error) {
    return [failedCheck(error, 'log-in')]
  }
  const checks: Check[] = [{ check: 'log-in', state: 'ok', message: `credentials ready for ${url}` }]
  try {
    await look(checks)
  } catch (error) {
    checks.push(failedCheck(error, 'permission'))
  }
  return checks
}

/** How far the server's clock is from ours. */
export function clockCheck(skewMs: number | undefined): Check {
  if (skewMs === undefined)
    return { check: 'clock', state: 'ok', message: 'the server does not tell its time' }
  // The Date header has whole seconds.
  const seconds = Math.round(skewMs / SECOND_MS)
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return { check: 'clock', state: 'ok', message: `${seconds} s apart` }
  return {
    check: 'clock',
    state: 'warning',
    message: `the server's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} ours`,
    hint: 'windows that end now may miss events or ask for the future: set both clocks by NTP, or use a longer --settle',
  }
}

/** The failed check `refusedAt` where the far side refused us, and that it cannot be reached otherwise. @throws what is no error for users */
export function failedCheck(error: unknown, refusedAt: string): Check {
  if (!(error instanceof AuditctlError)) throw error
  const isRefused = error instanceof AuthError
  return {
    check: isRefused ? refusedAt : 'reachable',
    state: 'failure',
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(isRefused ? { refused: true as const } : {}),
  }
}
