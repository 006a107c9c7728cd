import { parseDuration } from './duration.ts'
import { UserError } from './errors.ts'
import { instantOfText } from './instant.ts'
import type { EpochMs, TimeRange } from './time-range.ts'
import { civilTime, instantAt } from './zone.ts'

export type TimeContext = { readonly now: EpochMs; readonly zone: string }

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/i

/**
 * The instant that a user named: ISO 8601 with zone, a date, a clock time today, epoch seconds or milliseconds, a duration ago, or a word.
 * @throws UserError naming the flag and what was found
 */
export function parseInstant(text: string, flag: string, context: TimeContext): EpochMs {
  const { now, zone } = context
  if (text === 'now') return now
  if (text === 'today') return midnight(now, zone, 0)
  if (text === 'yesterday') return midnight(now, zone, -1)
  const ago = parseDuration(text)
  if (ago !== undefined) return now - ago
  if (/^\d{9,11}$/.test(text)) return Number(text) * 1000
  if (/^\d{12,14}$/.test(text)) return Number(text)
  const date = DATE.exec(text)
  if (date !== null) return instantAt(checkedDate(date, flag, text), zone)
  const clock = CLOCK.exec(text)
  if (clock !== null) return instantAt({ ...civilTime(now, zone), ...checkedClock(clock, flag, text) }, zone)
  const iso = ISO.exec(text)
  if (iso !== null) {
    if (iso[1] === undefined) {
      throw new UserError(`${flag}: ${JSON.stringify(text)} has no time zone`, {
        hint: `write ${text}Z for UTC, or ${text}+02:00`,
      })
    }
    return checkedIso(text, flag)
  }
  throw new UserError(`${flag}: ${JSON.stringify(text)} is not a time`, {
    hint: 'write 2026-11-20T02:10:00Z, 2026-11-20, 02:10, 24h (ago), an epoch, now, today or yesterday',
  })
}

/**
 * A whole period in the zone: a year, a quarter, a month, a day, `yesterday`, `last-week` (Monday to Monday), `last-month`.
 * @throws UserError naming what was found
 */
export function parsePeriod(text: string, context: TimeContext): TimeRange {
  const { now, zone } = context
  const today = civilTime(now, zone)
  const from = (year: number, month: number, day = 1): EpochMs => instantAt({ year, month, day }, zone)
  if (text === 'today') return { from: midnight(now, zone, 0), to: midnight(now, zone, 1) }
  if (text === 'yesterday') return { from: midnight(now, zone, -1), to: midnight(now, zone, 0) }
  if (text === 'last-month')
    return { from: from(today.year, today.month - 1), to: from(today.year, today.month) }
  if (text === 'last-week') {
    const weekday = (new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay() + 6) % 7
    return { from: midnight(now, zone, -weekday - 7), to: midnight(now, zone, -weekday) }
  }
  const match = /^(\d{4})(?:-Q([1-4])|-(\d{2})(?:-(\d{2}))?)?$/.exec(text)
  if (match !== null) {
    const [year, quarter, month, day] = match
      .slice(1)
      .map((part) => (part === undefined ? undefined : Number(part)))
    if (year !== undefined) {
      if (quarter !== undefined) return { from: from(year, quarter * 3 - 2), to: from(year, quarter * 3 + 1) }
      if (month === undefined) return { from: from(year, 1), to: from(year + 1, 1) }
      if (month >= 1 && month <= 12) {
        if (day === undefined) return { from: from(year, month), to: from(year, month + 1) }
        const date = checkedDate(DATE.exec(text) as RegExpExecArray, '--in', text)
        return { from: instantAt(date, zone), to: instantAt({ ...date, day: date.day + 1 }, zone) }
      }
    }
  }
  throw new UserError(`--in: ${JSON.stringify(text)} is not a period`, {
    hint: 'write 2026, 2026-Q3, 2026-09, 2026-09-30, yesterday, last-week or last-month',
  })
}

function midnight(now: EpochMs, zone: string, days: number): EpochMs {
  const { year, month, day } = civilTime(now, zone)
  return instantAt({ year, month, day: day + days }, zone)
}

function checkedDate(match: RegExpExecArray, flag: string, text: string) {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const probe = new Date(Date.UTC(year, month - 1, day))
  if (probe.getUTCMonth() !== month - 1 || probe.getUTCDate() !== day) {
    throw new UserError(`${flag}: there is no ${text}`, { hint: 'dates are written YYYY-MM-DD' })
  }
  return { year, month, day }
}

function checkedClock(match: RegExpExecArray, flag: string, text: string) {
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59)
    throw new UserError(`${flag}: ${text} is not a clock time`, { hint: 'write it like 02:10 or 23:59:30' })
  return { hour, minute, second }
}

function checkedIso(text: string, flag: string): EpochMs {
  try {
    return instantOfText(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
  } catch (cause) {
    throw new UserError(`${flag}: ${JSON.stringify(text)} is not a time`, {
      cause,
      hint: 'write it like 2026-11-20T02:10:00Z',
    })
  }
}
