import type { Check } from '../core/check.ts'
import { AuditctlError, EXIT, IncompleteError } from '../core/errors.ts'
import type { HeldRows, Inventory, InventoryEnd } from '../core/inventory.ts'
import { DAY_MS, HOUR_MS, isInside, isoTime, type TimeRange } from '../core/time-range.ts'
import type { Layout } from '../storage/objects/layouts.ts'
import { objectRecords } from '../storage/objects/object-records.ts'
import { openStore, type StoreSettings } from '../storage/objects/open-store.ts'
import type { ObjectEntry, ObjectStore } from '../storage/objects/store.ts'
import { mapInOrder } from '../streams/map-in-order.ts'
import { idOf, rowKeys } from './archive-ids.ts'
import { objectsOf } from './archive-objects.ts'
import { queryText } from './archive-query.ts'
import { cutByCounts } from './cut-by-counts.ts'
import type { InventoryParts } from './define-inventory.ts'

export type ArchiveSettings = {
  readonly prefix?: string | undefined
  readonly layout?: Layout | undefined
  readonly slack?: number | undefined
  readonly idField?: string | undefined
}

const READS_IN_FLIGHT = 16
const MIB = 1024 * 1024
/** Packed bytes of about 250,000 events. */
const PIECE_BYTES = 32 * 1024 * 1024

/** What a bucket holds, by reading its objects: names prove nothing. */
export function createArchiveInventory(
  name: string,
  settings: ArchiveSettings & { readonly store: StoreSettings },
  parts: InventoryParts,
): Inventory {
  const { log, clock, sourceType } = parts
  const layout = settings.layout ?? 'hive'
  const slackMs = settings.slack ?? (layout === 'circleci' ? 2 : 1) * HOUR_MS
  const sources = parts.sourceNames ?? [sourceType]
  const place = { layout, prefix: settings.prefix, sources, slackMs }
  const keys = rowKeys(sourceType, settings.idField)
  const altered = new Set<string>()
  let opened: Promise<ObjectStore> | undefined
  let store: ObjectStore | undefined
  const bucket = async (): Promise<ObjectStore> => {
    opened ??= (parts.openStore ?? openStore)(settings.store, parts)
    try {
      store = await opened
      return store
    } catch (error) {
      opened = undefined
      throw error
    }
  }

  /** Rows of the window, or why the object cannot be read to its end. */
  async function rowsOf(object: ObjectEntry, window: TimeRange, signal: AbortSignal): Promise<Held | string> {
    const held: Held = { ids: [], atMs: [] }
    const at = await bucket()
    let broken = 0
    const onBroken = (line: number, reason: string): void => {
      broken += 1
      if (broken === 1) log.warn(`${at.url}/${object.key}: line ${line} is no archived event: ${reason}`)
    }
    try {
      const records = objectRecords(at, object, { ...keys, signal, onBroken })
      for (;;) {
        const step = await records.next()
        if (step.done === true) {
          if (step.value === 'differs' && !altered.has(object.key)) {
            altered.add(object.key)
            log.warn(
              `${at.url}/${object.key}: its content does not have the digest of its name: altered, renamed or cut off`,
            )
          }
          if (step.value === 'differs' && broken > 0)
            return `${at.url}/${object.key} is cut off or altered: ${broken} of its lines are broken`
          return held
        }
        const { bytes, records: batch, lineOf } = step.value
        for (const record of batch) {
          const row = idOf(bytes, record, keys)
          if (row === undefined) onBroken(lineOf(record), `it has no ${keys.idKey}`)
          else if (Number.isNaN(row.atMs) || isInside(row.atMs, window)) {
            held.ids.push(row.id)
            held.atMs.push(row.atMs)
          }
        }
      }
    } catch (error) {
      if (error instanceof IncompleteError) return error.message
      throw error
    }
  }

  async function* ids(
    window: TimeRange,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<HeldRows, InventoryEnd> {
    const objects = objectsOf(await bucket(), place, window, signal)
    const answers = mapInOrder(
      objects,
      READS_IN_FLIGHT,
      ({ object }) => rowsOf(object, window, signal),
      signal,
    )
    for await (const held of answers) {
      if (typeof held === 'string') return { exhausted: false, reason: held }
      if (held.ids.length > 0) yield held
    }
    return { exhausted: true }
  }

  return {
    name,
    traits: { tellsDuplicates: true, tellsTime: true },
    async plan(window, { signal }) {
      const hours = new Map<number, number>()
      const at = await bucket()
      let [count, bytes] = [0, 0]
      for await (const { object, range } of objectsOf(at, place, window, signal)) {
        count += 1
        bytes += object.bytes
        const hour = Math.max(Math.floor(range.from / HOUR_MS) * HOUR_MS, window.from)
        hours.set(hour, (hours.get(hour) ?? 0) + object.bytes)
      }
      log.info(
        `${at.url} holds ${count.toLocaleString('en-US')} objects of the window, ${sizeOf(bytes)} to be read`,
      )
      const buckets = [...hours].map(([at, rows]) => ({ at, rows }))
      return cutByCounts(window, buckets, { bucketMs: HOUR_MS, maxRows: PIECE_BYTES })
    },
    ids,
    queryText: (window) => queryText(name, settings.store, place, keys, window),
    async test(signal): Promise<readonly Check[]> {
      const check = 'archive'
      try {
        const at = await bucket()
        await at.probe(signal)
        const now = clock.now()
        let [objects, bytes] = [0, 0]
        for await (const { object } of objectsOf(at, place, { from: now - DAY_MS, to: now }, signal)) {
          objects += 1
          bytes += object.bytes
        }
        if (objects > 0)
          return [
            {
              check,
              state: 'ok',
              message: `${objects} objects (${bytes} bytes) of the last 24 hours in ${at.url}`,
            },
          ]
        const hint = 'a quiet day, or another "prefix", "layout" or product'
        return [
          {
            check,
            state: 'warning',
            message: `${at.url} may be listed, and holds no object since ${isoTime(now - DAY_MS)}`,
            hint,
          },
        ]
      } catch (error) {
        if (!(error instanceof AuditctlError)) throw error
        const hint = error.hint === undefined ? {} : { hint: error.hint }
        const refused = error.exitCode === EXIT.auth ? { refused: true as const } : {}
        return [{ check, state: 'failure', message: error.message, ...hint, ...refused }]
      }
    },
    queries: () => store?.requests() ?? 0,
    close: async () => store?.close(),
  }
}

function sizeOf(bytes: number): string {
  return bytes < MIB ? `${Math.ceil(bytes / 1024)} KiB` : `${Math.ceil(bytes / MIB)} MiB`
}

type Held = { readonly ids: string[]; readonly atMs: number[] }
