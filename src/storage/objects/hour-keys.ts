import { type EpochMs, HOUR_MS } from '../../core/time-range.ts'

/** How hours are spelled in the keys of an archive. */
export type HourLayout = 'circleci' | 'hive'

export type HourKey = {
  /** Begin of the hour it lies in. */
  readonly hour: EpochMs
  readonly name: string
}

const PATTERNS: Readonly<Record<HourLayout, RegExp>> = {
  circleci: /^year=(\d{4})\/month=(\d{1,2})\/day=(\d{1,2})\/hour=(\d{1,2})\/([^/]+)$/,
  hive: /^dt=(\d{4})-?(\d{2})-?(\d{2})\/hour=(\d{1,2})\/([^/]+)$/,
}

/** Reads the hour out of a key without its prefix, padded or not; undefined for any other key. */
export function readHourKey(rest: string, layout: HourLayout): HourKey | undefined {
  const match = PATTERNS[layout].exec(rest)
  if (match === null) return undefined
  const [year, month, day, hour] = match.slice(1, 5).map(Number) as [number, number, number, number]
  const at = Date.UTC(year, month - 1, day, hour)
  const date = new Date(at)
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour
  return isReal ? { hour: at, name: match[5] ?? '' } : undefined
}

/** `year=2025/month=07/day=16/hour=09/` or `dt=2025-07-16/hour=09/`. */
export function hourFolder(at: EpochMs, layout: HourLayout): string {
  const iso = new Date(at).toISOString()
  const [year, month, day, hour] = [iso.slice(0, 4), iso.slice(5, 7), iso.slice(8, 10), iso.slice(11, 13)]
  return layout === 'hive'
    ? `dt=${year}-${month}-${day}/hour=${hour}/`
    : `year=${year}/month=${month}/day=${day}/hour=${hour}/`
}

export function floorHour(at: EpochMs): EpochMs {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

export function ceilHour(at: EpochMs): EpochMs {
  return Math.ceil(at / HOUR_MS) * HOUR_MS
}

/** CircleCI's own test of a new stream, objects that only mark a folder, and those with nothing in them. */
export function isProbe(key: string, bytes: number): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1)
  return bytes === 0 || name === '' || name.startsWith('circleci_connectivity_test')
}

/** `audit` and `/audit/` become `audit/`; nothing stays nothing. */
export function folderPrefix(prefix: string | undefined): string {
  const clean = (prefix ?? '').replace(/^\/+|\/+$/g, '')
  return clean === '' ? '' : `${clean}/`
}

/** Whether a file is named as CircleCI names them: `2025-07-16T09:52:30_<sha1>`, with or without an extension. */
export function digestedName(name: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?_[0-9a-f]{6,64}(?:\.[a-z0-9.]+)?$/i.test(name)
}
