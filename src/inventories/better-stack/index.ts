import { IncompleteError, RemoteConfigError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { DAY_MS, type EpochMs, HOUR_MS, isInside, isoTime, type TimeRange } from '../../core/time-range.ts'
import { type CountedBucket, cutByCounts } from '../cut-by-counts.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { eventFields } from '../event-fields.ts'
import { checkCount } from './check-count.ts'
import type { BetterStackConnection, BetterStackSearchSettings } from './options.ts'
import { ARMS, type Arm, createSql, MAX_HOURS, PAGE_ROWS } from './sql.ts'
import { createSqlClient, type SqlAnswer, type SqlClient, tableHint } from './sql-client.ts'

const PIECE_ROWS = 250_000
/** Clocks differ. */
const BEFORE_MS = HOUR_MS
/** The live stream sends no `dt`: its rows stand at their arrival, which its retries and an outage delay. */
const SLACK_MS = 2 * DAY_MS
/** A window that is one piece in any case. */
const SMALL_MS = HOUR_MS

/** Better Stack by SQL: ids of both stores, selected by the events' own time. @source betterstack.com/docs/logs/query-api/connect-remotely */
export const betterStack = defineInventory<BetterStackSearchSettings>({
  provider: 'better-stack',
  create: (name, settings, parts) =>
    settings.search === undefined
      ? undefined
      : createInventory(
          name,
          settings,
          settings.search,
          createSqlClient(name, settings, settings.search, parts),
          parts,
        ),
})

function createInventory(
  name: string,
  settings: BetterStackSearchSettings,
  connection: BetterStackConnection,
  client: SqlClient,
  parts: InventoryParts,
): Inventory {
  const sql = createSql(connection, eventFields(parts.sourceType, settings.idField))
  const isByArrival =
    settings.eventTime === false ||
    settings.late === 'restamp' ||
    settings.acceptWindow !== undefined ||
    parts.restamps === true
  /** A source is young until its first rows move; the archive does not go away again. */
  let hasArchive = false
  let isWarned = false

  /** Where rows of the window may stand by `dt`. */
  const rangeOf = (window: TimeRange): TimeRange => {
    const to = window.to + (connection.slack ?? SLACK_MS)
    return {
      from: window.from - BEFORE_MS,
      to: isByArrival ? Math.max(to, parts.clock.now() + HOUR_MS) : to,
    }
  }

  /**
   * Asks one arm. A store that is not there yet is empty; `undefined` then. That is only believed of the archive, after the hot store has answered
   * under the same name in the same region.
   */
  async function ask(
    arm: Arm,
    query: string,
    signal: AbortSignal,
  ): Promise<Exclude<SqlAnswer, { missing: number }> | undefined> {
    const answer = await client.run(query, signal)
    if (!('missing' in answer)) {
      if (arm === 'archive') hasArchive = true
      return answer
    }
    if (arm === 'archive' && answer.missing === 669 && !hasArchive) {
      if (!isWarned)
        parts.log.warn(
          `${connection.table} has no archive yet, so its recent rows are all that was searched; that is right for a new source only`,
        )
      isWarned = true
      return undefined
    }
    throw new RemoteConfigError(
      `stream ${name}: the ${arm} store of ${connection.table} is not there: ${answer.reason}`,
      {
        service: 'Better Stack SQL',
        operation: 'query what Better Stack holds',
        hint: tableHint(connection),
      },
    )
  }

  /** One row's `ids`; undefined for a store that is not there yet. */
  async function countIn(arm: Arm, query: string, signal: AbortSignal) {
    const answer = await ask(arm, query, signal)
    if (answer === undefined) return { ids: 0 }
    if ('partial' in answer) return answer
    const ids = numberOf(answer.rows[0]?.['ids'])
    return Number.isNaN(ids) ? { partial: 'a count came without its row' } : { ids }
  }

  /** Pages of one arm until it has listed as many ids as it counts: a short page is no end, for it may have been cut. */
  async function* listed(
    arm: Arm,
    window: TimeRange,
    signal: AbortSignal,
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const range = rangeOf(window)
    const expected = await countIn(arm, sql.countListed(arm, window, range), signal)
    if ('partial' in expected) return { exhausted: false, reason: expected.partial }
    if (expected.ids === 0) return { exhausted: true }
    let seen = 0
    for (let last = ''; ; ) {
      const answer = await ask(arm, sql.page(arm, window, range, last), signal)
      if (answer === undefined) return { exhausted: false, reason: `the ${arm} store vanished` }
      if ('partial' in answer) return { exhausted: false, reason: answer.partial }
      const ids: string[] = []
      const atMs: EpochMs[] = []
      if (!beginsAfter(answer.rows[0], last)) {
        return { exhausted: false, reason: 'a page did not begin after the last one' }
      }
      for (const row of answer.rows) {
        const id = row['event_id']
        if (typeof id !== 'string' || id === '') {
          return { exhausted: false, reason: 'a row came without its id' }
        }
        if (id === last) continue
        last = id
        seen += 1
        const at = eventTime(row['event_at'])
        if (!Number.isNaN(at) && !isInside(at, window)) continue
        ids.push(id)
        atMs.push(at)
      }
      if (ids.length > 0) yield { ids, atMs }
      if (answer.rows.length >= PAGE_ROWS) continue
      if (seen >= expected.ids) return { exhausted: true }
      if (answer.rows.length > 0) continue
      // Rows leave the hot store while they are listed; those are listed by the archive.
      const now = await countIn(arm, sql.countListed(arm, window, range), signal)
      if ('partial' in now) return { exhausted: false, reason: now.partial }
      if (seen >= now.ids) return { exhausted: true }
      return { exhausted: false, reason: `the ${arm} store listed ${seen} of ${now.ids} ids` }
    }
  }

  /** Hot before archive: a row that moves meanwhile is then seen at least once. */
  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const hot = new Set<string>()
    for (const arm of ARMS) {
      const pages = listed(arm, window, signal)
      for (;;) {
        const step = await pages.next()
        if (step.done === true) {
          if (!step.value.exhausted) return step.value
          break
        }
        if (arm === 'hot') for (const id of step.value.ids) hot.add(id)
        const rows = arm === 'hot' ? step.value : without(step.value, hot)
        if (rows.ids.length > 0) yield rows
      }
    }
    return { exhausted: true }
  }

  async function plan(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<TimeRange[]> {
    if (window.to - window.from <= SMALL_MS) return [window]
    const counted: CountedBucket[] = []
    const strideMs = (MAX_HOURS - 1) * HOUR_MS
    for (let from = window.from; from < window.to; from += strideMs) {
      const part = { from, to: Math.min(from + strideMs, window.to) }
      for (const arm of ARMS) {
        const answer = await ask(arm, sql.hours(arm, part, rangeOf(part)), signal)
        if (answer === undefined) continue
        if ('partial' in answer) return cutEvenly(window, DAY_MS)
        for (const { hour, ids } of answer.rows) {
          const at = Date.parse(`${String(hour)}:00:00Z`)
          if (!Number.isNaN(at)) counted.push({ at, rows: numberOf(ids) || 0 })
        }
      }
    }
    return cutByCounts(window, counted, { bucketMs: HOUR_MS, maxRows: PIECE_ROWS })
  }

  async function count(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<number> {
    const range = rangeOf(window)
    const inArm = async (arm: Arm) => whole(await countIn(arm, sql.countExactly(arm, window, range), signal))
    const [hot, archive] = [await inArm('hot'), await inArm('archive')]
    if (hot === 0 || archive === 0) return hot + archive
    return whole(await countIn('hot', sql.countBoth(window, range), signal))
  }

  function whole(counted: { readonly ids: number } | { readonly partial: string }): number {
    if ('ids' in counted) return counted.ids
    throw new IncompleteError(`stream ${name}: Better Stack could not be counted: ${counted.partial}`, {
      reaction: 'split-window',
      hint: 'try a shorter window',
    })
  }

  return {
    name,
    // A row may stand in both stores: a repeat says nothing.
    traits: { tellsDuplicates: false, tellsTime: true },
    plan,
    ids,
    count,
    queryText(window) {
      const { from, to } = { from: isoTime(window.from), to: isoTime(window.to) }
      return {
        query: sql.forPerson(window, rangeOf(window)),
        where:
          "the SQL API: curl -u USER -H 'Content-type: plain/text' --data-binary @query.sql 'https://<region>-connect.betterstackdata.com' > result.csv. Where a source has no archive yet (Code 669), leave out the second SELECT",
        feed: `auditctl gaps --stream ${name} --from ${from} --to ${to} --inventory result.csv --inventory-field id --inventory-window ${from}/${to}`,
      }
    },
    test: (signal) =>
      checkCount(connection.table, parts.clock, async (window) => ({
        events: await count(window, { signal }),
        also: hasArchive ? '' : ', and has no archive yet',
      })),
    queries: () => client.queries(),
    close: async () => {},
  }
}

function without({ ids, atMs }: HeldRows, known: ReadonlySet<string>): HeldRows {
  const kept = ids.map((id) => !known.has(id))
  return { ids: ids.filter((_, i) => kept[i]), atMs: (atMs ?? []).filter((_, i) => kept[i]) }
}

/** ClickHouse orders by bytes, which UTF-16 does not. */
function beginsAfter(row: JsonObject | undefined, last: string): boolean {
  return row === undefined || Buffer.compare(Buffer.from(String(row['event_id'])), Buffer.from(last)) > 0
}

/** 64-bit integers come quoted or bare. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN
}

function eventTime(at: unknown): EpochMs {
  if (typeof at !== 'string') return Number.NaN
  try {
    return instantOfText(at)
  } catch {
    return Number.NaN
  }
}

function cutEvenly(window: TimeRange, widthMs: number): TimeRange[] {
  const pieces: TimeRange[] = []
  for (let from = window.from; from < window.to; from += widthMs) {
    pieces.push({ from, to: Math.min(from + widthMs, window.to) })
  }
  return pieces
}
