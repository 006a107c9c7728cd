import type { AuditEvent } from '../core/event.ts'
import { type EventFilter, isFiltered } from '../core/filter.ts'
import type { AuditSource, SummaryBy } from '../core/source.ts'
import { type EpochMs, isoRange, MINUTE_MS, type TimeRange } from '../core/time-range.ts'
import { civilTime } from '../core/zone.ts'
import { readSlices } from './read-slices.ts'

/** Contract 2.5: the most frequent first; times in their own order. */
export type Summary = {
  readonly window: { readonly from: string; readonly to: string }
  readonly total: number
  readonly groups: readonly { readonly key: Readonly<Record<string, string>>; readonly count: number }[]
}

export type SummaryParts = {
  readonly source: AuditSource
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly onWarnings?: (warnings: readonly string[]) => void
}

/** Stands for an event that does not tell. */
const UNKNOWN = '(none)'

/**
 * Counts of a window by one or more keys: from the server where it counts exactly that, otherwise from the events. Hours and days are those
 * of `zone`; a server's are of UTC.
 */
export async function summarize(
  parts: SummaryParts,
  window: TimeRange,
  filter: EventFilter,
  by: readonly SummaryBy[],
  zone = 'UTC',
): Promise<Summary> {
  const [first] = by
  const isOfServer = first !== undefined && (zone === 'UTC' || (first !== 'hour' && first !== 'day'))
  if (by.length === 1 && isOfServer && !isFiltered(filter)) {
    const given = await parts.source.summary?.(window, first, parts.signal)
    if (given !== undefined) {
      const groups = given.groups.map(({ key, count }) => ({ key: { [first]: key }, count }))
      return { window: isoRange(window), total: given.total, groups: inOrder(groups, by) }
    }
  }
  const counts = new Map<string, { readonly key: Readonly<Record<string, string>>; count: number }>()
  const timesOf = timesIn(zone)
  let total = 0
  const slices = readSlices(parts.source, window, filter, {
    ...parts,
    order: 'asc',
    onWarnings: (warnings) => parts.onWarnings?.(warnings),
  })
  for await (const { events } of slices) {
    for (const event of events) {
      total += 1
      const values = by.map((name) =>
        name === 'hour' || name === 'day'
          ? timesOf(event.occurredAtMs)[name]
          : groupOf(parts.source, event, name),
      )
      const text = values.join('\u0000')
      const group = counts.get(text)
      if (group === undefined)
        counts.set(text, {
          key: Object.fromEntries(by.map((name, i) => [name, values[i] ?? UNKNOWN])),
          count: 1,
        })
      else group.count += 1
    }
  }
  return { window: isoRange(window), total, groups: inOrder([...counts.values()], by) }
}

function inOrder<Group extends Summary['groups'][number]>(
  groups: readonly Group[],
  by: readonly SummaryBy[],
): readonly Group[] {
  const isTime = by[0] === 'hour' || by[0] === 'day'
  const text = (group: Group): string => by.map((name) => group.key[name] ?? '').join('\u0000')
  return [...groups].sort((a, b) => (isTime ? 0 : b.count - a.count) || (text(a) < text(b) ? -1 : 1))
}

/** No zone is off by less. */
const QUARTER_MS = 15 * MINUTE_MS

/** `2026-11-20` and `2026-11-20T02:00Z`, or `2026-11-20T03:00+01:00`: two hours of one name are told apart. */
function timesIn(zone: string): (ms: EpochMs) => { readonly hour: string; readonly day: string } {
  const known = new Map<number, { readonly hour: string; readonly day: string }>()
  return (ms) => {
    const quarter = Math.floor(ms / QUARTER_MS)
    const before = known.get(quarter)
    if (before !== undefined) return before
    const at = quarter * QUARTER_MS
    const { year, month, day, hour, minute, second } = civilTime(at, zone)
    const wallMs = Date.UTC(year, month - 1, day, hour, minute, second)
    const text = new Date(wallMs).toISOString()
    const times = { hour: `${text.slice(0, 13)}:00${offsetText(wallMs - at)}`, day: text.slice(0, 10) }
    known.set(quarter, times)
    return times
  }
}

function offsetText(ms: number): string {
  if (ms === 0) return 'Z'
  const minutes = Math.round(Math.abs(ms) / MINUTE_MS)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${ms < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function groupOf(source: AuditSource, event: AuditEvent, by: Exclude<SummaryBy, 'hour' | 'day'>): string {
  if (by === 'action') return event.action
  const common = source.shape.toCommon(event.record())
  if (by === 'actor') return common.actor.name ?? common.actor.email ?? common.actor.id ?? UNKNOWN
  if (by === 'actor-type') return common.actor.type ?? UNKNOWN
  if (by === 'outcome') return common.outcome ?? UNKNOWN
  if (by === 'project') return common.project ?? UNKNOWN
  if (by === 'ip') return common.ip ?? UNKNOWN
  return common.target.name ?? common.target.id ?? UNKNOWN
}
