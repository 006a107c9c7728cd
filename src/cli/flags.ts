import { durationOf } from '../core/duration.ts'
import { UserError } from '../core/errors.ts'
import { type EventFilter, FILTER_NAMES, type FilterName, parseWhere } from '../core/filter.ts'
import type { EventShape } from '../core/source.ts'
import { nearest } from '../core/suggest.ts'
import { DAY_MS, isoTime, MINUTE_MS, type TimeRange } from '../core/time-range.ts'
import { parseInstant, parsePeriod, type TimeContext } from '../core/time-words.ts'
import { civilTime } from '../core/zone.ts'
import { flagOption, type Invocation, listOption, textOption } from './invocation.ts'
import type { Runtime } from './runtime.ts'

export const DEFAULT_SETTLE_MS = MINUTE_MS

export function timeContext(invocation: Invocation, runtime: Runtime): TimeContext {
  const [now, zone] = [runtime.clock.now(), textOption(invocation, 'tz') ?? 'UTC']
  // A wrong zone is an error also where nothing asks for it.
  if (zone !== 'UTC') civilTime(now, zone)
  return { now, zone }
}

/** `--settle`, and whether it was given: then a late `--to` is taken as it is. */
export function settleOf(invocation: Invocation): { readonly ms: number; readonly isGiven: boolean } {
  const text = textOption(invocation, 'settle')
  return text === undefined
    ? { ms: DEFAULT_SETTLE_MS, isGiven: false }
    : { ms: durationOf(text, '--settle'), isGiven: true }
}

export type AskedWindow = {
  readonly window: TimeRange
  /** As typed, so that the same command finds its run again. */
  readonly typed: string
  readonly isToGiven: boolean
}

/**
 * The window of `--from`/`--to` or `--in`. `fallbackMs`: how far back it reaches when neither is given; undefined: one is needed.
 * `cuts`: a later end than `defaultTo` is cut to it, with a warning, unless `--settle` was given; commands that judge cut for themselves.
 * `proven` gives the end of the earliest proven stretch, for `--from proven[:FALLBACK]`.
 * @throws UserError for times that make no window
 */
export function windowFlags(
  invocation: Invocation,
  runtime: Runtime,
  options: {
    readonly fallbackMs: number | undefined
    readonly defaultTo: number
    readonly cuts?: boolean
    readonly proven?: () => number | undefined
  },
): AskedWindow {
  const context = timeContext(invocation, runtime)
  const from = textOption(invocation, 'from') ?? textOption(invocation, 'since')
  const to = textOption(invocation, 'to') ?? textOption(invocation, 'until')
  const period = textOption(invocation, 'in')
  if (period !== undefined) {
    if (from !== undefined || to !== undefined)
      throw new UserError('--in cannot be combined with --from and --to', { hint: 'leave one of them out' })
    const whole = parsePeriod(period, context)
    const latest = options.cuts === true ? options.defaultTo : context.now
    const end = Math.min(whole.to, latest)
    if (whole.from >= end)
      throw new UserError(`--in ${period} has not begun yet`, { hint: 'name a period of the past' })
    return { window: { from: whole.from, to: end }, typed: `in ${period}`, isToGiven: true }
  }
  if (from === undefined && options.fallbackMs === undefined) {
    throw new UserError('the window is missing', {
      hint: 'add --from (and --to), for example --from 24h, or --in yesterday',
    })
  }
  const end =
    to === undefined
      ? options.defaultTo
      : cutEnd(parseInstant(to, '--to', context), invocation, runtime, options)
  const start =
    from === undefined ? end - (options.fallbackMs ?? DAY_MS) : startOf(from, context, options.proven)
  if (start >= end && !(from?.startsWith('proven') && start - end < DAY_MS)) {
    throw new UserError(`--from ${isoTime(start)} is not before --to ${isoTime(end)}`, {
      hint:
        start < context.now && end === options.defaultTo
          ? 'events that young are not settled yet: --settle 0s takes them as they are'
          : 'the window is [from, to): swap them or widen it',
    })
  }
  if (to !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(to))
    runtime.log.info(`--to ${to} leaves that day out: the window ends at its midnight`)
  return {
    window: { from: Math.min(start, end), to: end },
    typed: `${from ?? ''}/${to ?? ''}`,
    isToGiven: to !== undefined,
  }
}

function cutEnd(
  end: number,
  invocation: Invocation,
  runtime: Runtime,
  { defaultTo, cuts }: { readonly defaultTo: number; readonly cuts?: boolean },
): number {
  if (cuts !== true || end <= defaultTo || settleOf(invocation).isGiven) return end
  runtime.log.warn(
    `the window is cut to ${isoTime(defaultTo)}: younger events may still be on their way (--settle 0s takes them as they are)`,
  )
  return defaultTo
}

function startOf(text: string, context: TimeContext, proven: (() => number | undefined) | undefined): number {
  const match = /^proven(?::(.+))?$/.exec(text)
  if (match === null) return parseInstant(text, '--from', context)
  if (proven === undefined)
    throw new UserError('--from proven is for gaps and backfill', { hint: 'name a time' })
  const end = proven()
  if (end !== undefined) return end
  if (match[1] === undefined) {
    throw new UserError('nothing is proven yet for this source and stream', {
      hint: 'give a fallback, for example --from proven:24h',
    })
  }
  return parseInstant(match[1], '--from', context)
}

/** `2026-11-20T02:00:00.000Z to …`, on stderr for every command that reads. */
export function announceWindow(runtime: Runtime, window: TimeRange): void {
  runtime.log.info(`window: ${isoTime(window.from)} to ${isoTime(window.to)}`, {
    from: isoTime(window.from),
    to: isoTime(window.to),
  })
}

/** All filters of the contract, section 2.1. Event types are widened by their other names, and it is said. */
export function filterFlags(invocation: Invocation, shape: EventShape, runtime: Runtime): EventFilter {
  const fields: Partial<Record<Exclude<FilterName, 'event'>, string>> = {}
  for (const name of FILTER_NAMES) {
    if (name === 'event') continue
    const value = textOption(invocation, camelCase(name))
    if (value !== undefined) fields[name] = value
  }
  const asked = [...listOption(invocation, 'event'), ...listOption(invocation, 'action')]
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '')
  const events = new Set<string>()
  for (const type of asked) {
    const names = shape.aliases(type)
    for (const name of names) events.add(name)
    events.add(type)
    const others = names.filter((name) => name !== type)
    const near = shape.knownEventTypes.includes(type) ? undefined : nearest(type, shape.knownEventTypes)
    if (near !== undefined && !names.includes(near))
      runtime.log.info(`${type} is not among the event types known so far; did you mean ${near}?`)
    if (others.length > 0)
      runtime.log.info(`${type} is also matched under its other name ${others.join(', ')}`)
  }
  return { fields, events: [...events], where: listOption(invocation, 'where').map(parseWhere) }
}

/** The filters in one canonical text, part of a run's key and of reports. */
export function filterText(filter: EventFilter): string {
  const fields = Object.entries(filter.fields).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify({
    fields: Object.fromEntries(fields),
    events: [...filter.events].sort(),
    where: filter.where,
  })
}

/** @throws UserError for anything but a whole number of at least `least` */
export function countOption(invocation: Invocation, name: string, least = 1): number | undefined {
  const text = textOption(invocation, name)
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UserError(
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${JSON.stringify(text)} is not a whole number of at least ${least}`,
  )
}

export type OutputFormat = 'table' | 'json' | 'jsonl' | 'csv'

/** `--timeout`: of one request; undefined leaves each service its own. */
export function timeoutOf(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'timeout')
  return text === undefined ? undefined : durationOf(text, '--timeout')
}

/** What was asked with `-o` or `--json`; undefined: the command's own choice. */
export function outputFlag(invocation: Invocation): OutputFormat | undefined {
  if (flagOption(invocation, 'json')) return 'json'
  return textOption(invocation, 'output') as OutputFormat | undefined
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** `--max-missing N` or `P%`. @throws UserError */
export function maxMissingOf(
  invocation: Invocation,
): { readonly events?: number; readonly percent?: number } | undefined {
  const text = textOption(invocation, 'maxMissing')
  if (text === undefined) return undefined
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.replaceAll(',', ''))
  const value = Number(match?.[1])
  if (match !== null && match[2] === '%' && value <= 100) return { percent: value }
  if (match !== null && match[2] === '' && Number.isInteger(value)) return { events: value }
  throw new UserError(`--max-missing: ${JSON.stringify(text)} is neither a number nor a percentage`, {
    hint: 'write it like 500 or 20%',
  })
}
