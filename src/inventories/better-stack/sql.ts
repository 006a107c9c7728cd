import { isoTime, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { EventFields } from '../event-fields.ts'
import type { BetterStackConnection } from './options.ts'

/** Where rows lie: the latest ones in `hot`, older ones in `archive`, some in both for a while. */
export type Arm = 'hot' | 'archive'
export const ARMS: readonly Arm[] = ['hot', 'archive']

export const PAGE_ROWS = 10_000
/** Rows of a histogram: hours. */
export const MAX_HOURS = 10_000

/**
 * Writes queries. `range` is of the rows' own `dt`, `window` of the events' times; every value is a literal of a checked or escaped kind.
 * A query names one arm only, since either arm failing fails them both; `countBoth` is for arms that have both answered.
 */
export type Sql = {
  /** A page of `event_id` and `event_at`, ascending by id, from after `last` on. */
  page(arm: Arm, window: TimeRange, range: TimeRange, last: string): string
  /** One row: how many different ids the pages will list, as `ids`. */
  countListed(arm: Arm, window: TimeRange, range: TimeRange): string
  /** The same to the millisecond. */
  countExactly(arm: Arm, window: TimeRange, range: TimeRange): string
  countBoth(window: TimeRange, range: TimeRange): string
  /** Different ids by `hour` of the events' own times. */
  hours(arm: Arm, window: TimeRange, range: TimeRange): string
  forPerson(window: TimeRange, range: TimeRange): string
}

export function createSql(connection: BetterStackConnection, fields: EventFields): Sql {
  const { table, kind } = connection
  const arms = {
    hot: { from: `remote(${table}_${kind === 'warehouse' ? 'events' : 'logs'})`, only: '' },
    archive: { from: `s3Cluster(primary, ${table}_s3)`, only: '_row_type = 1 AND ' },
  }
  // Dot access does not work over the API.
  const extract = (path: string) => `JSONExtractString(raw,${path.split('.').map(quoted).join(',')})`
  const idOf = `${extract(fields.id)} AS event_id`
  const atOf = `${extract(fields.time)} AS event_at`

  const from = (arm: Arm, range: TimeRange, ...conditions: readonly string[]) => {
    const dated = `dt >= ${dateTime(range.from)} AND dt < ${dateTime(range.to)}`
    return `FROM ${arms[arm].from} WHERE ${[`${arms[arm].only}${dated}`, ...conditions].join(' AND ')}`
  }
  const select = (columns: string, rest: string, limit: number) =>
    `SELECT ${columns} ${rest} LIMIT ${limit} FORMAT JSONEachRow`

  return {
    page: (arm, window, range, last) =>
      select(
        `${idOf}, ${atOf}`,
        `${from(arm, range, `event_id > ${quoted(last)}`, within(window))} ORDER BY event_id`,
        PAGE_ROWS,
      ),
    countListed: (arm, window, range) =>
      select(
        `uniqExact(event_id) AS ids`,
        `FROM (SELECT ${idOf}, ${atOf} ${from(arm, range, "event_id > ''", within(window))})`,
        1,
      ),
    countExactly: (arm, window, range) =>
      select(
        `uniqExact(event_id) AS ids`,
        `FROM (SELECT ${idOf}, ${atOf} ${from(arm, range, "event_id > ''", exactly(window))})`,
        1,
      ),
    countBoth(window, range) {
      const both = ARMS.map(
        (arm) => `SELECT ${idOf}, ${atOf} ${from(arm, range, "event_id > ''", exactly(window))}`,
      )
      return select('uniqExact(event_id) AS ids', `FROM (${both.join(' UNION ALL ')})`, 1)
    },
    hours: (arm, window, range) =>
      select(
        'hour, uniqExact(event_id) AS ids',
        `FROM (SELECT ${idOf}, ${atOf}, substring(event_at,1,13) AS hour ${from(arm, range, "event_id > ''", exactly(window))}) GROUP BY hour ORDER BY hour`,
        MAX_HOURS,
      ),
    forPerson(window, range) {
      const both = ARMS.map(
        (arm) => `SELECT ${idOf}, ${atOf} ${from(arm, range, "event_id > ''", within(window))}`,
      )
      return `SELECT DISTINCT event_id AS id, event_at FROM (${both.join(' UNION ALL ')}) ORDER BY id LIMIT 1000000 FORMAT CSVWithNames`
    },
  }
}

/** A text literal of ClickHouse. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

function dateTime(ms: number): string {
  return `toDateTime64('${isoTime(ms).slice(0, 23).replace('T', ' ')}',3,'UTC')`
}

/**
 * Times written as UTC compare as text; their bounds are widened to whole seconds, since `…:00Z` and `…:00.000Z` sort apart. Rows with a time
 * of another spelling, or with none, are let through: they are judged here. In LIKE `_` is any character.
 */
function within(window: TimeRange): string {
  const from = isoTime(Math.floor(window.from / SECOND_MS) * SECOND_MS).slice(0, 19)
  const to = isoTime(Math.ceil(window.to / SECOND_MS) * SECOND_MS + SECOND_MS).slice(0, 19)
  return `(event_at NOT LIKE '____-__-__T%Z' OR (event_at >= '${from}' AND event_at < '${to}'))`
}

/** For counts: to the millisecond where times are written to the millisecond. */
function exactly(window: TimeRange): string {
  return `event_at >= '${isoTime(window.from)}' AND event_at < '${isoTime(window.to)}'`
}
