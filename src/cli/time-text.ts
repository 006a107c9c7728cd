import { formatDuration } from '../core/duration.ts'
import type { EpochMs } from '../core/time-range.ts'
import { civilTime } from '../core/zone.ts'
import { type Invocation, textOption } from './invocation.ts'
import type { Runtime } from './runtime.ts'

/** How tables tell an instant, by `--time utc|local|relative`; in UTC as it is spelled. */
export function timeText(
  invocation: Invocation,
  runtime: Pick<Runtime, 'clock'>,
): (ms: EpochMs, spelled: string) => string {
  const how = textOption(invocation, 'time') ?? 'utc'
  if (how === 'relative') return (ms) => `${formatDuration(Math.max(0, runtime.clock.now() - ms))} ago`
  if (how === 'utc') return (_, spelled) => spelled
  const zone = textOption(invocation, 'tz') ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  return (ms) => {
    const { year, month, day, hour, minute, second } = civilTime(ms, zone)
    const two = (value: number): string => String(value).padStart(2, '0')
    return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
  }
}

/** The named cells of rows for a table, which are ISO times or nothing. */
export function withTimes<Row extends Readonly<Record<string, unknown>>>(
  rows: readonly Row[],
  names: readonly string[],
  invocation: Invocation,
  runtime: Pick<Runtime, 'clock'>,
): readonly Readonly<Record<string, unknown>>[] {
  const text = timeText(invocation, runtime)
  return rows.map((row) => {
    const times = names.flatMap((name) => {
      const value = row[name]
      return typeof value === 'string' ? [[name, text(Date.parse(value), value)]] : []
    })
    return { ...row, ...Object.fromEntries(times) }
  })
}
