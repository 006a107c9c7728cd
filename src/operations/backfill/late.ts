import type { AcceptWindow } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import type { EpochMs } from '../../core/time-range.ts'

/** Why an event of that time is outside the accept window now; undefined when it is inside. */
export function lateReason(accepts: AcceptWindow, atMs: EpochMs, nowMs: EpochMs): string | undefined {
  const ageMs = nowMs - atMs
  if (accepts.pastMs !== undefined && ageMs > accepts.pastMs) {
    return `${formatDuration(ageMs)} old; the destination keeps events of at most ${formatDuration(accepts.pastMs)}`
  }
  if (accepts.futureMs !== undefined && -ageMs > accepts.futureMs) {
    return `${formatDuration(-ageMs)} ahead of now; the destination keeps at most ${formatDuration(accepts.futureMs)}`
  }
  return undefined
}
