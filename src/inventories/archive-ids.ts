import type { JsonObject } from '../core/event.ts'
import { valueAt } from '../core/filter.ts'
import { instantOf, instantOfText } from '../core/instant.ts'
import { TIME_KEYS } from '../storage/objects/event-origin.ts'
import type { ObjectRecord } from '../storage/objects/object-records.ts'

/** Where ids and times stand in what others archive: bare, in an envelope, as Datadog does. */
const ID_PATHS = [['id'], ['event', 'id'], ['_raw', 'id'], ['audit', 'id'], ['attributes', 'id'], ['_id']]
const WRAPPERS = [[], ['event'], ['_raw'], ['audit'], ['attributes']]

const utf8 = new TextDecoder('utf-8')

export type RowKeys = {
  readonly idKey: string
  readonly timeKey: string
  readonly idPath: readonly string[] | undefined
}

export function rowKeys(sourceType: string, idField: string | undefined): RowKeys {
  const timeKey = TIME_KEYS[sourceType] ?? 'timestamp'
  return { idKey: idField ?? 'id', timeKey, idPath: idField?.split('.') }
}

/** Id and time of an archived event; NaN where it tells no time, undefined where it has no id. */
export function idOf(
  bytes: Buffer,
  record: ObjectRecord,
  keys: RowKeys,
): { readonly id: string; readonly atMs: number } | undefined {
  const { start, end, idStart, idEnd, timeStart, timeEnd } = record
  if (idStart >= 0 && timeStart >= 0) {
    try {
      return { id: bytes.toString('latin1', idStart, idEnd), atMs: instantOf(bytes, timeStart, timeEnd) }
    } catch {
      // What is no time there may still have one elsewhere.
    }
  }
  const event = JSON.parse(utf8.decode(bytes.subarray(start, end))) as JsonObject
  const paths = keys.idPath === undefined ? ID_PATHS : [keys.idPath]
  const id = paths
    .map((path) => valueAt(event, path))
    .find((value) => typeof value === 'string' || Number.isSafeInteger(value))
  if (id === undefined || id === '') return undefined
  return { id: String(id), atMs: timeOf(event, keys.timeKey) }
}

function timeOf(event: JsonObject, timeKey: string): number {
  for (const key of new Set([timeKey, ...Object.values(TIME_KEYS), 'time'])) {
    for (const wrapper of WRAPPERS) {
      const value = valueAt(event, [...wrapper, key])
      if (typeof value !== 'string') continue
      try {
        return instantOfText(value)
      } catch {
        // Another key may hold it.
      }
    }
  }
  return Number.NaN
}
