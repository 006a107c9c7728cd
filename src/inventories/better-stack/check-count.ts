import type { Check } from '../../core/check.ts'
import { AuditctlError, EXIT } from '../../core/errors.ts'
import type { Clock } from '../../core/runtime.ts'
import { DAY_MS, HOUR_MS, type TimeRange } from '../../core/time-range.ts'

/** A count over the last day proves address, credentials, table, and that both stores answer. */
export async function checkCount(
  table: string,
  clock: Clock,
  count: (window: TimeRange) => Promise<{ readonly events: number; readonly also: string }>,
): Promise<readonly Check[]> {
  const check = 'Better Stack SQL'
  const now = clock.now()
  try {
    const { events, also } = await count({ from: now - DAY_MS, to: now + HOUR_MS })
    const message = `${table} holds ${events} events of the last 24 hours${also}`
    if (events > 0) return [{ check, state: 'ok', message }]
    const hint = 'a quiet day, or the table of another source: find one known event by hand'
    return [{ check, state: 'warning', message, hint }]
  } catch (error) {
    if (!(error instanceof AuditctlError)) throw error
    const { message, hint, exitCode } = error
    return [
      {
        check,
        state: 'failure',
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(exitCode === EXIT.auth ? { refused: true as const } : {}),
      },
    ]
  }
}
