import { isoTime, SECOND_MS, type TimeRange } from '../../core/time-range.ts'
import type { EventFields } from '../event-fields.ts'
import type { SplunkSearchSettings } from './options.ts'

/** Writes searches. Every value from the configuration is quoted unless it is a plain word. */
export type Spl = {
  /** Ids and times of the window's events; `isNarrowed` lets Splunk itself leave out what lies beside the window. */
  ids(window: TimeRange, isNarrowed: boolean): string
  count(window: TimeRange): string
  /** Rows by bucket of Splunk's own time: indexed fields only, so quick. */
  buckets(span: string): string
  /** The same as `ids` for a person: the time range inside, the id in a column of that name. */
  forPerson(window: TimeRange, range: TimeRange): string
}

export function createSpl(settings: SplunkSearchSettings, sourceType: string, fields: EventFields): Spl {
  const terms = [
    // Without an index only the role's default ones would be searched.
    `index=${word(settings.search?.index ?? settings.index ?? '*')}`,
    oneOf('source', settings.source, sourceType),
    oneOf('sourcetype', settings.sourcetype, '_json'),
  ].join(' ')
  // From the raw text: whether fields are extracted depends on the sourcetype's settings.
  const extract = [
    `spath input=_raw path=${word(fields.id)} output=aid`,
    `spath input=_raw path=${word(fields.time)} output=at`,
  ]

  return {
    ids: (window, isNarrowed) =>
      pipe(
        `search ${terms}`,
        ...extract,
        ...(isNarrowed ? [within(window)] : []),
        'eval t=_time, it=_indextime',
        'table t it aid at',
      ),
    count: (window) => pipe(`search ${terms}`, ...extract, exactly(window), 'stats count'),
    buckets: (span) => `| tstats count where ${terms} by _time span=${span}`,
    forPerson: (window, range) =>
      pipe(
        `search ${terms} earliest=${seconds(range.from, Math.floor)} latest=${seconds(range.to, Math.ceil)}`,
        ...extract,
        within(window),
        'rename aid AS id',
        'table id at',
      ),
  }
}

export function seconds(ms: number, round: (seconds: number) => number): string {
  return String(round(ms / SECOND_MS))
}

/**
 * Times written as UTC compare as text; their bounds are widened to whole seconds, since `…:00Z` and `…:00.000Z` sort apart. Rows with a time
 * of another spelling, or with none, are let through: they are judged here.
 */
function within(window: TimeRange): string {
  const from = isoTime(Math.floor(window.from / SECOND_MS) * SECOND_MS).slice(0, 19)
  const to = isoTime(Math.ceil(window.to / SECOND_MS) * SECOND_MS + SECOND_MS).slice(0, 19)
  return `where isnull(at) OR NOT like(at,"____-__-__T%Z") OR (at>="${from}" AND at<"${to}")`
}

/** For counts: to the millisecond where times are written to the millisecond. */
function exactly(window: TimeRange): string {
  return `where at>="${isoTime(window.from)}" AND at<"${isoTime(window.to)}"`
}

function pipe(...stages: readonly string[]): string {
  return stages.join(' | ')
}

/** The live stream sends its own names, whatever a refill is told to send: rows of both are looked at. */
function oneOf(key: string, configured: string | undefined, live: string): string {
  return configured === undefined || configured === live
    ? `${key}=${word(live)}`
    : `${key} IN (${word(configured)},${word(live)})`
}

function word(text: string): string {
  return /^[A-Za-z0-9_:.*-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, '\\$&')}"`
}
