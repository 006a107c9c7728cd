import { DAY_MS, type EpochMs, HOUR_MS, type TimeRange } from '../../core/time-range.ts'
import { ceilHour, floorHour, type HourLayout, isProbe, readHourKey } from './hour-keys.ts'
import { mapParts } from './map-parts.ts'
import type { ObjectEntry, ObjectStore } from './store.ts'

/** The objects of one hour's folder, in the order of their keys. */
export type Hour = { readonly from: EpochMs; readonly objects: readonly ObjectEntry[] }

const LISTINGS_IN_FLIGHT = 8
/** Days that are listed at once, ahead of whoever reads. */
const DAYS_AHEAD = 4

/**
 * The hours of an archive as its listings tell them. Both paddings of the folders' numbers are found, since the folders are looked up rather
 * than guessed.
 */
export class Hours {
  /** Keys inside the folders that are no files of the archive. */
  foreign = 0
  readonly #store: ObjectStore
  readonly #prefix: string
  readonly #layout: HourLayout
  readonly #isWanted: (name: string) => boolean
  readonly #folderLists = new Map<string, Promise<readonly string[]>>()

  /** @param isWanted told a key's last segment */
  constructor(
    store: ObjectStore,
    prefix: string,
    layout: HourLayout,
    isWanted: (name: string) => boolean = () => true,
  ) {
    this.#store = store
    this.#prefix = prefix
    this.#layout = layout
    this.#isWanted = isWanted
  }

  /** Hours that hold objects, oldest or newest first, of the folders that overlap the range. */
  async *within(range: TimeRange, signal: AbortSignal, order: 'asc' | 'desc' = 'asc'): AsyncGenerator<Hour> {
    const [from, to] = [floorHour(range.from), ceilHour(range.to)]
    const days: EpochMs[] = []
    for (let day = floorDay(from); day < to; day += DAY_MS) days.push(day)
    if (order === 'desc') days.reverse()
    const ahead: Promise<ReadonlyMap<EpochMs, readonly ObjectEntry[]>>[] = []
    let next = 0
    try {
      for (const _ of days) {
        for (; next < days.length && ahead.length < DAYS_AHEAD; next += 1) {
          const day = days[next] ?? 0
          const listing = this.#list(
            day,
            { from: Math.max(from, day), to: Math.min(to, day + DAY_MS) },
            signal,
          )
          listing.catch(() => {})
          ahead.push(listing)
        }
        const hours = [...((await ahead.shift()) ?? [])]
        if (order === 'desc') hours.reverse()
        for (const [at, objects] of hours) if (at >= from && at < to) yield { from: at, objects }
      }
    } finally {
      await Promise.allSettled(ahead)
    }
  }

  async #list(
    day: EpochMs,
    part: TimeRange,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<EpochMs, readonly ObjectEntry[]>> {
    // A whole day is one listing; of a part of one, only the hours asked for are listed: a day may hold a million objects.
    const isWhole = part.to - part.from === DAY_MS
    const hours = new Map<EpochMs, ObjectEntry[]>()
    for (const folder of await this.#dayFolders(day, signal)) {
      const folders = isWhole ? [folder] : await this.#hourFolders(folder, part, signal)
      await mapParts(folders.length, LISTINGS_IN_FLIGHT, async (n) => {
        for await (const page of this.#store.list(folders[n] ?? folder, signal)) this.#keep(page, hours)
      })
    }
    for (const objects of hours.values()) objects.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    return new Map([...hours].sort(([a], [b]) => a - b))
  }

  #keep(page: readonly ObjectEntry[], hours: Map<EpochMs, ObjectEntry[]>): void {
    for (const object of page) {
      const found = readHourKey(object.key.slice(this.#prefix.length), this.#layout)
      if (found === undefined || isProbe(object.key, object.bytes) || !this.#isWanted(found.name)) {
        this.foreign += 1
        continue
      }
      const objects = hours.get(found.hour)
      if (objects === undefined) hours.set(found.hour, [object])
      else objects.push(object)
    }
  }

  async #hourFolders(dayFolder: string, part: TimeRange, signal: AbortSignal): Promise<readonly string[]> {
    const folders = await this.#store.folders(dayFolder, signal)
    return folders.filter((folder) => {
      const hour = readHourKey(`${folder.slice(this.#prefix.length)}x`, this.#layout)?.hour
      return hour !== undefined && hour >= part.from && hour < part.to
    })
  }

  /** The folders of one day: several, where both spellings are in use. */
  async #dayFolders(day: EpochMs, signal: AbortSignal): Promise<readonly string[]> {
    const [year = '', month = '', date = ''] = new Date(day).toISOString().slice(0, 10).split('-')
    if (this.#layout === 'hive') {
      return [`${this.#prefix}dt=${year}-${month}-${date}/`, `${this.#prefix}dt=${year}${month}${date}/`]
    }
    const found: string[] = []
    for (const folder of await this.#folders(`${this.#prefix}year=${year}/`, 'month', month, signal)) {
      found.push(...(await this.#folders(folder, 'day', date, signal)))
    }
    return found
  }

  async #folders(
    prefix: string,
    key: string,
    number: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const asked = this.#folderLists.get(prefix) ?? this.#store.folders(prefix, signal)
    asked.catch(() => this.#folderLists.delete(prefix))
    this.#folderLists.set(prefix, asked)
    return (await asked).filter((folder) => {
      const value = new RegExp(`/${key}=(\\d{1,2})/$`).exec(folder)?.[1]
      return value !== undefined && Number(value) === Number(number)
    })
  }
}

function floorDay(at: EpochMs): EpochMs {
  return Math.floor(at / DAY_MS) * DAY_MS
}

/** The hours whose folders may hold events of the window. */
export function hoursFor(window: TimeRange, beforeMs: number, afterMs: number): TimeRange {
  return {
    from: floorHour(window.from - beforeMs),
    to: ceilHour(window.to) + Math.ceil(afterMs / HOUR_MS) * HOUR_MS,
  }
}
