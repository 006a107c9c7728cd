import { formatDuration } from '../core/duration.ts'
import type { Inventory } from '../core/inventory.ts'
import type { Log } from '../core/runtime.ts'
import type { AuditSource } from '../core/source.ts'
import { HOUR_MS, isoTime, type TimeRange } from '../core/time-range.ts'

/** What of the window the source has forgotten already, in words; nothing when it keeps all of it. */
export function retentionWarnings(source: AuditSource, window: TimeRange, now: number): readonly string[] {
  const { retentionMs } = source.traits
  if (retentionMs === undefined || window.from >= now - retentionMs) return []
  const floor = isoTime(now - retentionMs)
  return [
    `${source.name} keeps events for ${formatDuration(retentionMs)}: what happened before ${floor} is gone there and cannot be recovered from it`,
  ]
}

/** How long the searches will take where their number is limited, told before they begin. */
export function sayThrottle(inventory: Inventory, searches: number, log: Log): void {
  const { queriesPerHour } = inventory.traits
  if (queriesPerHour === undefined || searches < 2) return
  const atLeast = formatDuration((searches / queriesPerHour) * HOUR_MS)
  log.info(
    `${inventory.name}: at least ${searches} searches, of which ${queriesPerHour} an hour are allowed: about ${atLeast}`,
  )
}
