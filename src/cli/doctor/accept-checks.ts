import type { StreamCommon } from '../../config/fields.ts'
import type { Check } from '../../core/check.ts'
import type { Destination } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import type { AuditSource } from '../../core/source.ts'
import { isoTime } from '../../core/time-range.ts'
import type { Ledger } from '../../state/ledger.ts'
import { DEFAULT_SETTLE_MS } from '../flags.ts'

/** Whether what a schedule finds missing is still young enough to be taken, and how far back the ledger can vouch for the pair. */
export function acceptChecks(
  pair: {
    readonly source: AuditSource
    readonly destination: Destination
    readonly options: StreamCommon
    readonly ledger: Ledger | undefined
  },
  now: number,
): readonly Check[] {
  const { source, destination, options, ledger } = pair
  const { accepts, graceMs, lateDefault } = destination.traits
  const check = `accept window with ${source.name}`
  const judgedAfterMs = Math.max(
    DEFAULT_SETTLE_MS,
    options.liveRetry ?? source.traits.liveRetryMs,
    options.grace ?? graceMs,
  )
  const judged = formatDuration(judgedAfterMs)
  const late = options.late ?? lateDefault
  const { pastMs } = accepts
  const checks: Check[] = []
  if (pastMs === undefined) {
    checks.push({
      check,
      state: 'ok',
      message: `no bound of age is known; an event is judged after ${judged}`,
    })
  } else if (pastMs <= judgedAfterMs) {
    checks.push({
      check,
      state: 'failure',
      message: `events are taken for ${formatDuration(pastMs)} only, and judged after ${judged}: whatever is missing is late`,
      hint: 'shorten liveRetry or grace, or choose --late restamp or archive',
    })
  } else {
    const often = formatDuration(pastMs - judgedAfterMs)
    checks.push({
      check,
      state: 'ok',
      message: `events are taken for ${formatDuration(pastMs)} and judged after ${judged}: a schedule must run within ${often}; later ones: ${late}`,
    })
  }
  return [...checks, ...provenChecks(source, destination, ledger, { now, pastMs, late })]
}

function provenChecks(
  source: AuditSource,
  destination: Destination,
  ledger: Ledger | undefined,
  facts: { readonly now: number; readonly pastMs: number | undefined; readonly late: string },
): Check[] {
  const check = `proven with ${source.name}`
  const until = ledger?.proven.stretches(source.name, destination.name)[0]?.to
  if (until === undefined) {
    const hint = `auditctl backfill --source ${source.name} --stream ${destination.name} --from 24h --missing --verify`
    return [{ check, state: 'ok', message: 'nothing yet: no run has compared this pair', hint }]
  }
  const ageMs = facts.now - until
  const age = formatDuration(Math.floor(ageMs / 60_000) * 60_000)
  const message = `until ${isoTime(until)}, ${age} ago`
  const { retentionMs } = source.traits
  if (retentionMs !== undefined && ageMs > retentionMs) {
    const hint =
      'what is missing before that can no longer be read: go on with --from and say so in the report'
    return [{ check, state: 'failure', message: `${message}, longer than the source keeps events`, hint }]
  }
  if (facts.pastMs !== undefined && ageMs > facts.pastMs) {
    const hint = `what is missing before that is late (${facts.late}): choose with --late, and run the schedule more often`
    return [
      { check, state: 'warning', message: `${message}, longer than ${destination.name} takes events`, hint },
    ]
  }
  return [{ check, state: 'ok', message }]
}
