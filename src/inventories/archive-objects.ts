import { DAY_MS, HOUR_MS, overlaps, type TimeRange } from '../core/time-range.ts'
import { digestedName, folderPrefix, isProbe } from '../storage/objects/hour-keys.ts'
import { Hours, hoursFor } from '../storage/objects/hours.ts'
import { archiveFolder, type Layout, readFlatName } from '../storage/objects/layouts.ts'
import type { ObjectEntry, ObjectStore } from '../storage/objects/store.ts'

export type ArchivePlace = {
  readonly layout: Layout
  readonly prefix: string | undefined
  /** The sources whose folders are looked into. */
  readonly sources: readonly string[]
  /** How long after its hour an event may have been delivered. */
  readonly slackMs: number
}

/** Objects with the times that their keys stand for. */
export type DatedObject = { readonly object: ObjectEntry; readonly range: TimeRange }

/** An hour on the other side, for archives that are filled by the hour of delivery and by clocks that differ. */
const BEFORE_MS = HOUR_MS
const DATA_FILE = /^[^_.].*\.(?:jsonl|ndjson|json|log)(?:\.(?:gz|zst))?$|^part-/i

/** Objects that may hold events of the window, in the order of their keys' times. */
export async function* objectsOf(
  store: ObjectStore,
  place: ArchivePlace,
  window: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<DatedObject> {
  const { layout, prefix, sources, slackMs } = place
  if (layout === 'flat') return yield* flatObjects(store, folderPrefix(prefix), window, signal)
  const own = sources.map((source) => archiveFolder(layout, prefix, source))
  const isWanted = layout === 'circleci' ? digestedName : (name: string) => DATA_FILE.test(name)
  // A Hive archive that somebody else fills has no folder for the source.
  for (const folder of new Set([...own, folderPrefix(prefix)])) {
    const hours = new Hours(store, folder, layout, isWanted)
    for await (const { from, objects } of hours.within(hoursFor(window, BEFORE_MS, slackMs), signal)) {
      for (const object of objects) yield { object, range: { from, to: from + HOUR_MS } }
    }
  }
}

/** A flat archive is listed whole: its keys begin with the time, so pages before the window are asked to be left out. */
async function* flatObjects(
  store: ObjectStore,
  folder: string,
  window: TimeRange,
  signal: AbortSignal,
): AsyncGenerator<DatedObject> {
  // An object holds events of one day.
  const first = new Date(window.from - DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')
  for await (const page of store.list(folder, signal, `${folder}${first}`)) {
    for (const object of page) {
      const range = readFlatName(object.key.slice(folder.length))
      if (range === undefined || isProbe(object.key, object.bytes)) continue
      if (range.from >= window.to) return
      if (overlaps(range, window)) yield { object, range }
    }
  }
}
