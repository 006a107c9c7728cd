import { formatDuration } from '../core/duration.ts'
import type { EpochMs, TimeRange } from '../core/time-range.ts'
import { civilTime } from '../core/zone.ts'

/** `12,345`. */
export function countText(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function eventsText(count: number): string {
  return `${countText(count)} ${count === 1 ? 'event' : 'events'}`
}

/** `02:10:00.123`, with the date where the window crosses one, as wide as there is room. */
export function timeText(
  ms: EpochMs,
  zone: string,
  options: { readonly width: number; readonly withDate: boolean },
): string {
  const { year, month, day, hour, minute, second } = civilTime(ms, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = `${two(hour)}:${two(minute)}:${two(second)}`
  const date = `${two(month)}-${two(day)}`
  if (options.width < clock.length) return clock.slice(0, Math.max(0, options.width))
  if (!options.withDate) {
    const exact = `${clock}.${String(((ms % 1000) + 1000) % 1000).padStart(3, '0')}`
    return options.width >= exact.length ? exact : clock
  }
  const full = `${year}-${date} ${clock}`
  if (options.width >= full.length) return full
  return options.width >= 14 ? `${date} ${clock}` : clock
}

/** Whether the two ends show different dates. */
export function crossesDays(window: TimeRange, zone: string): boolean {
  const [from, to] = [civilTime(window.from, zone), civilTime(window.to - 1, zone)]
  return from.day !== to.day || from.month !== to.month || from.year !== to.year
}

/** `2026-11-19 12:00 to 2026-11-20 12:00 UTC (1d)`, shorter where it has to be. */
export function windowText(window: TimeRange, zone: string, width: number): string {
  const at = (ms: EpochMs): string => {
    const { year, month, day, hour, minute } = civilTime(ms, zone)
    const two = (value: number): string => String(value).padStart(2, '0')
    return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`
  }
  const [from, to] = [at(window.from), at(window.to)]
  const length = formatDuration(window.to - window.from)
  const isOneDay = from.slice(0, 10) === to.slice(0, 10)
  const end = isOneDay ? to.slice(11) : to
  const texts = [
    `${from} to ${end} ${zone} (${length})`,
    `${from} to ${end} (${length})`,
    `${from.slice(5)} to ${isOneDay ? end : end.slice(5)}`,
    length,
  ]
  return texts.find((text) => text.length <= width) ?? length.slice(0, Math.max(0, width))
}

/** `1.2 MB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(1)} ${units[unit]}`
}
