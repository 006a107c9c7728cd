import { UserError } from './errors.ts'
import type { EpochMs } from './time-range.ts'

export type CivilDate = { readonly year: number; readonly month: number; readonly day: number }
export type CivilTime = CivilDate & {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** @throws UserError for a zone that this machine does not know */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format !== undefined) return format
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (cause) {
    throw new UserError(`--tz: ${JSON.stringify(zone)} is not a time zone`, {
      cause,
      hint: 'write it like Europe/Berlin or UTC',
    })
  }
  formats.set(zone, format)
  return format
}

/** What the clock on the wall shows at that instant. */
export function civilTime(ms: EpochMs, zone: string): CivilTime {
  const parts: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

/**
 * The instant at which the clock on the wall shows that time; days and months outside their range roll over. A time that a change of
 * clocks skips is the instant of the change's far side; of one that comes twice, the first.
 */
export function instantAt(time: CivilDate & Partial<CivilTime>, zone: string): EpochMs {
  const wall = Date.UTC(
    time.year,
    time.month - 1,
    time.day,
    time.hour ?? 0,
    time.minute ?? 0,
    Math.trunc(time.second ?? 0),
  )
  const offsetAt = (ms: EpochMs): number => {
    const { year, month, day, hour, minute, second } = civilTime(ms, zone)
    return Date.UTC(year, month - 1, day, hour, minute, second) - ms
  }
  // The two offsets that can be in force around the change; the earlier instant that shows the asked time wins.
  const candidates = [wall - offsetAt(wall - 86_400_000), wall - offsetAt(wall + 86_400_000)].sort(
    (a, b) => a - b,
  )
  return candidates.find((ms) => ms + offsetAt(ms) === wall) ?? Math.max(...candidates)
}
