import { UserError } from './errors.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time-range.ts'

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
}

/** `90s`, `15m`, `24h`, `7d`, `2w`, `250ms`, `1h30m`, in milliseconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    total += Number(amount) * (UNITS[unit] ?? 0)
  }
  return Math.round(total)
}

/** @throws UserError naming `what` when the text is not a duration */
export function durationOf(text: string, what: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new UserError(`${what}: ${JSON.stringify(text)} is not a duration`, {
    hint: 'write it like 90s, 15m, 24h or 7d',
  })
}

/** The shortest spelling with at most two units: `1h 30m`, `45s`, `3d`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)}ms`
  const parts: string[] = []
  let rest = Math.round(ms / SECOND_MS) * SECOND_MS
  for (const [unit, size] of [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['m', MINUTE_MS],
    ['s', SECOND_MS],
  ] as const) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
    if (parts.length === 2) break
  }
  return parts.join(' ') || '0s'
}
