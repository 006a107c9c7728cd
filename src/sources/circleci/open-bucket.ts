import { formatDuration } from '../../core/duration.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { Log } from '../../core/runtime.ts'
import type { OpenOptions, OpenWindow, Page, Slice } from '../../core/source.ts'
import { type EpochMs, HOUR_MS, isInside, type TimeRange } from '../../core/time-range.ts'
import { ceilHour, digestedName } from '../../storage/objects/hour-keys.ts'
import { Hours } from '../../storage/objects/hours.ts'
import type { ObjectEntry, ObjectStore } from '../../storage/objects/store.ts'
import { mapInOrder } from '../../streams/map-in-order.ts'
import { ObjectEvents } from './object-events.ts'
import { Shelf } from './shelf.ts'
import { BEFORE_MS, type SliceKey, sliceHours } from './slices.ts'

/** Objects read at once. */
const READS_IN_FLIGHT = 32
/** Larger ones are read a slice at a time and not kept. */
const KEPT_BYTES = 4 * 1024 * 1024

export type BucketSettings = {
  readonly store: ObjectStore
  /** With its slash; empty for none. */
  readonly prefix: string
  readonly slackMs: number
  readonly log: Log
  readonly isStrict: boolean
}

/** A window of the bucket stream: listed as it is cut into slices, each object read once by neighbouring slices. */
export function openBucket(window: TimeRange, settings: BucketSettings, options: OpenOptions): OpenWindow {
  const { store, prefix, slackMs, log } = settings
  const { order, signal } = options
  const hours = new Hours(store, prefix, 'circleci', digestedName)
  const reader = new ObjectEvents(settings)
  const shelf = new Shelf((object) => reader.read(object, window, signal))
  let objects = 0
  let latestMs = 0
  let earliestMs = 0

  /** What lies further from its folder than the slices look. */
  const note = (events: readonly AuditEvent[], hour: EpochMs): void => {
    for (const { occurredAtMs } of events) {
      const behind = hour - ceilHour(occurredAtMs + 1) + HOUR_MS
      if (behind > slackMs) latestMs = Math.max(latestMs, behind)
      const ahead = occurredAtMs - (hour + HOUR_MS)
      if (ahead >= BEFORE_MS) earliestMs = Math.max(earliestMs, ahead)
    }
  }

  async function read(hour: EpochMs, object: ObjectEntry, range: TimeRange, own: AbortSignal): Promise<Page> {
    const isKept = object.bytes <= KEPT_BYTES
    const events = await (isKept ? shelf.get(object) : reader.read(object, range, own))
    note(events, hour)
    return isKept ? events.filter(({ occurredAtMs }) => isInside(occurredAtMs, range)) : events
  }

  return {
    slices: () => sliceHours(window, hours, { order, slackMs, signal }),
    async *read(slice: Slice, own: AbortSignal): AsyncGenerator<Page> {
      const found = (slice.key as SliceKey).hours.flatMap((hour) =>
        hour.objects.map((object) => ({ hour: hour.from, object })),
      )
      objects += found.length
      const pages = mapInOrder(
        found,
        READS_IN_FLIGHT,
        ({ hour, object }) => read(hour, object, slice.range, own),
        own,
      )
      for await (const page of pages) if (page.length > 0) yield page
    },
    warnings() {
      const warnings = [...reader.warnings()]
      if (latestMs > 0) {
        warnings.push(
          `some events were delivered ${formatDuration(latestMs)} after their hour, more than the slack of ${formatDuration(slackMs)}: others like them may have been missed; set "slack" to ${formatDuration(latestMs)} or more`,
        )
      }
      if (earliestMs > 0) {
        warnings.push(
          `some events happened ${formatDuration(earliestMs)} after the hour of their folder: is a clock wrong?`,
        )
      }
      if (objects === 0) {
        warnings.push(
          `${store.url}/${prefix} holds no year=/month=/day=/hour= folders for this window: a quiet time, a wrong "prefix", or streaming was disconnected`,
        )
      }
      if (hours.foreign > 0)
        log.debug(`${hours.foreign} objects in the folders are no audit files and were left out`)
      return warnings
    },
    brokenLines: () => reader.brokenLines,
    close: async () => shelf.clear(),
  }
}
