import { isoTime, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { EventFields } from '../event-fields.ts'

/** Without a limit a query gives as much; an answer as long as this is not believed. */
export const MAX_ROWS = 1_000_000
const MAX_HOURS = 100_000

/**
 * Writes queries over one dataset, without comments, each with a limit; the events' own times select the rows, while the timeframe of a request is
 * of `_time`. Columns are renamed, since the case of a dataset's own names is not to be relied on.
 */
export type Xql = {
  /** `event_id` and `event_at` of the window's rows, and of rows without a time: pings, and arrays that became one record. */
  ids(window: TimeRange): string
  /** `_raw_log` of records that may hold an array of events. */
  arrays(): string
  /** One row `ids`: how many different ones, to the millisecond. */
  count(window: TimeRange): string
  /** `ids` by `event_hour`. */
  hours(window: TimeRange): string
  forPerson(window: TimeRange): string
}

export function createXql(dataset: string, fields: EventFields): Xql {
  const named = `alter event_id = ${column(fields.id)}, event_at = ${column(fields.time)}`
  const pipe = (...stages: readonly string[]) => [`dataset = ${dataset}`, named, ...stages].join(' | ')
  return {
    ids: (window) => pipe(`filter ${within(window)}`, 'fields event_id, event_at', `limit ${MAX_ROWS}`),
    arrays: () =>
      pipe('filter event_id = null and _raw_log contains "["', 'fields _raw_log', `limit ${MAX_ROWS}`),
    count: (window) => pipe(`filter ${exactly(window)}`, 'comp count_distinct(event_id) as ids', 'limit 1'),
    hours: (window) =>
      pipe(
        `filter ${exactly(window)}`,
        'alter event_hour = parse_timestamp("%Y-%m-%dT%H:%M:%E*SZ", event_at)',
        'bin event_hour span = 1h',
        'comp count(event_id) as ids by event_hour',
        `limit ${MAX_HOURS}`,
      ),
    forPerson: (window) =>
      pipe(`filter ${within(window)}`, 'fields event_id, event_at', 'dedup event_id', `limit ${MAX_ROWS}`),
  }
}

/** A text literal of XQL. */
export function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}

function column(path: string): string {
  const [first = '', ...rest] = path.split('.')
  return rest.length === 0 ? first : `json_extract_scalar(${first}, ${quoted(`$.${rest.join('.')}`)})`
}

const UTC_TIME = '^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T.*Z$'

/**
 * Times written as UTC compare as text; their bounds are widened to whole seconds, since `…:00Z` and `…:00.000Z` sort apart. Rows with a time
 * of another spelling, or with none, are let through: they are judged here.
 */
function within(window: TimeRange): string {
  const from = isoTime(Math.floor(window.from / SECOND_MS) * SECOND_MS).slice(0, 19)
  const to = isoTime(Math.ceil(window.to / SECOND_MS) * SECOND_MS + SECOND_MS).slice(0, 19)
  return `event_at = null or event_at !~= ${quoted(UTC_TIME)} or (event_at >= "${from}" and event_at < "${to}")`
}

/** For counts: to the millisecond where times are written to the millisecond. */
function exactly(window: TimeRange): string {
  return `event_at >= "${isoTime(window.from)}" and event_at < "${isoTime(window.to)}"`
}
