import type { Check } from '../../core/check.ts'
import { AuditctlError, EXIT, IncompleteError } from '../../core/errors.ts'
import type { JsonObject } from '../../core/event.ts'
import { valueAt } from '../../core/filter.ts'
import { instantOfText } from '../../core/instant.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../../core/inventory.ts'
import { DAY_MS, type EpochMs, HOUR_MS, isInside, isoTime, type TimeRange } from '../../core/time-range.ts'
import { cutByCounts } from '../cut-by-counts.ts'
import { defineInventory, type InventoryParts } from '../define-inventory.ts'
import { eventFields } from '../event-fields.ts'
import { createXsiamApi, RefusedQuery } from './api.ts'
import type { XqlConnection, XsiamSearchSettings } from './options.ts'
import { createQueryRunner } from './query-runner.ts'
import { createXql, MAX_ROWS } from './xql.ts'

const PIECE_ROWS = 250_000
/** Clocks differ. */
const MARGIN_MS = HOUR_MS
/** A window that is one piece in any case. */
const SMALL_MS = HOUR_MS

/** Cortex XSIAM by XQL: ids of a dataset, selected by the events' own time. */
export const xsiam = defineInventory<XsiamSearchSettings>({
  provider: 'xsiam',
  create: (name, settings, parts) =>
    settings.search === undefined ? undefined : createInventory(name, settings, settings.search, parts),
})

function createInventory(
  name: string,
  settings: XsiamSearchSettings,
  connection: XqlConnection,
  parts: InventoryParts,
): Inventory {
  const fields = eventFields(parts.sourceType, settings.idField)
  const xql = createXql(connection.dataset, fields)
  const api = createXsiamApi(name, settings, connection, parts)
  const runner = createQueryRunner(name, api, connection, parts, MAX_ROWS)
  let isWarned = false

  /** `_time` is the time of arrival unless a parsing rule derives it from the event: rows stand anywhere from the event to now. */
  const timeframe = (window: TimeRange): TimeRange => ({
    from: window.from - MARGIN_MS,
    to: Math.max(window.to, parts.clock.now()) + MARGIN_MS,
  })

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const rows = runner.rows(xql.ids(window), timeframe(window), signal)
    let withoutId = 0
    try {
      for (;;) {
        const step = await rows.next()
        if (step.done === true) {
          if (!step.value.exhausted) return step.value
          break
        }
        const held = heldRows(
          step.value.map(({ event_id, event_at }) => [event_id, event_at] as const),
          window,
        )
        for (const { event_id } of step.value) if (textOf(event_id) === '') withoutId += 1
        if (held.ids.length > 0) yield held
      }
    } finally {
      await rows.return({ exhausted: false })
    }
    return withoutId === 0 ? { exhausted: true } : yield* arrayRows(window, signal)
  }

  /** The live stream sends an array on one line, which a tenant may keep as one record. Pings have no id either. */
  async function* arrayRows(window: TimeRange, signal: AbortSignal): AsyncGenerator<HeldRows, InventoryEnd> {
    const rows = runner.rows(xql.arrays(), timeframe(window), signal)
    try {
      for (;;) {
        const step = await rows.next()
        if (step.done === true) return step.value
        for (const { _raw_log } of step.value) {
          const events = elementsOf(_raw_log)
          if (events === undefined)
            return { exhausted: false, reason: 'a record holds an array that was cut' }
          const held = heldRows(
            events.map(
              (event) => [valueAt(event, fields.id.split('.')), valueAt(event, [fields.time])] as const,
            ),
            window,
          )
          if (held.ids.length > 0) yield held
        }
      }
    } catch (error) {
      if (!(error instanceof RefusedQuery)) throw error
      if (!isWarned)
        parts.log.warn(
          `${connection.dataset} has rows without an id and no _raw_log to look into: if the live stream's arrays are kept as one record each, their events cannot be seen`,
        )
      isWarned = true
      return { exhausted: true }
    } finally {
      await rows.return({ exhausted: false })
    }
  }

  /** All rows of a small answer. @throws IncompleteError when they are not all */
  async function allRows(query: string, window: TimeRange, signal: AbortSignal): Promise<JsonObject[]> {
    const found: JsonObject[] = []
    const rows = runner.rows(query, timeframe(window), signal)
    for (;;) {
      const step = await rows.next()
      if (step.done !== true) found.push(...step.value)
      else if (step.value.exhausted) return found
      else {
        throw new IncompleteError(`stream ${name}: XSIAM could not be counted: ${step.value.reason}`, {
          reaction: 'split-window',
          hint: 'try a shorter window',
        })
      }
    }
  }

  async function plan(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<TimeRange[]> {
    if (window.to - window.from <= SMALL_MS) return [window]
    try {
      const hours = await allRows(xql.hours(window), window, signal)
      const buckets = hours.map(({ event_hour, ids }) => ({ at: hourOf(event_hour), rows: Number(ids) || 0 }))
      return cutByCounts(
        window,
        buckets.filter(({ at }) => !Number.isNaN(at)),
        { bucketMs: HOUR_MS, maxRows: PIECE_ROWS },
      )
    } catch (error) {
      // Counts only size pieces; a tenant that refuses this query may still list.
      if (!(error instanceof IncompleteError)) throw error
      return cutByCounts(window, [], { bucketMs: HOUR_MS, maxRows: PIECE_ROWS })
    }
  }

  async function count(window: TimeRange, { signal }: { readonly signal: AbortSignal }): Promise<number> {
    const [row] = await allRows(xql.count(window), window, signal)
    return row === undefined ? 0 : Number(row['ids'])
  }

  async function test(signal: AbortSignal): Promise<readonly Check[]> {
    const check = 'XQL'
    const now = parts.clock.now()
    try {
      const left = await runner.quota(signal)
      const events = await count({ from: now - DAY_MS, to: now + HOUR_MS }, { signal })
      const message = `${connection.dataset} holds ${events} events of the last 24 hours${left === undefined ? '' : `; ${left} query units were left of the day`}`
      if (events > 0) return [{ check, state: 'ok', message }]
      const hint = 'a quiet day, the dataset of another source, or live arrays that became one record each'
      return [{ check, state: 'warning', message, hint }]
    } catch (error) {
      if (!(error instanceof AuditctlError)) throw error
      const { message, hint, exitCode } = error
      const refused = exitCode === EXIT.auth ? { refused: true as const } : {}
      return [{ check, state: 'failure', message, ...(hint === undefined ? {} : { hint }), ...refused }]
    }
  }

  return {
    name,
    traits: { tellsDuplicates: true, tellsTime: true },
    plan,
    ids,
    count,
    queryText(window) {
      const { from, to } = { from: isoTime(window.from), to: isoTime(window.to) }
      const { from: first } = timeframe(window)
      return {
        query: xql.forPerson(window),
        where: `Query Builder > XQL, with the time range ${isoTime(first)} to now (rows may stand at their arrival); then save the result to a file`,
        feed: `auditctl gaps --stream ${name} --from ${from} --to ${to} --inventory result.tsv --inventory-field event_id --inventory-window ${from}/${to}`,
      }
    },
    test,
    queries: () => runner.queries(),
    close: async () => {},
  }
}

/** Ids of rows whose own time lies in the window, and of those that do not tell it. */
function heldRows(rows: readonly (readonly [id: unknown, at: unknown])[], window: TimeRange): HeldRows {
  const ids: string[] = []
  const atMs: EpochMs[] = []
  for (const [value, time] of rows) {
    const id = textOf(value)
    const at = eventTime(time)
    if (id === '' || (!Number.isNaN(at) && !isInside(at, window))) continue
    ids.push(id)
    atMs.push(at)
  }
  return { ids, atMs }
}

/** None for a record that is no array; undefined for an array that cannot be read. */
function elementsOf(raw: unknown): readonly unknown[] | undefined {
  if (typeof raw !== 'string' || !raw.trimStart().startsWith('[')) return []
  try {
    return JSON.parse(raw) as readonly unknown[]
  } catch {
    return undefined
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function eventTime(at: unknown): EpochMs {
  if (typeof at !== 'string') return Number.NaN
  try {
    return instantOfText(at)
  } catch {
    return Number.NaN
  }
}

/** How a timestamp is given differs: epoch milliseconds, or a text. */
function hourOf(value: unknown): EpochMs {
  return typeof value === 'number' ? value : Date.parse(String(value))
}
