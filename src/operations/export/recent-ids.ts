import type { AuditEvent } from '../../core/event.ts'
import { type ExportOptions, queryHashOf, type Watermark } from './types.ts'

export type RecentId = readonly [id: string, ms: number]

const PRUNE_EVERY = 10_000

/**
 * The ids written inside the overlap, which the next export of this name reads again. Those of a window's end are enough for an export that
 * ends there (`whole`); one that may be stopped anywhere keeps those behind its newest event.
 */
export class RecentIds {
  readonly #overlapMs: number
  readonly #sinceEnd: number | undefined
  readonly #ids = new Map<string, number>()
  #newest = 0
  #added = 0

  constructor(
    earlier: readonly RecentId[],
    about: { readonly overlapMs: number; readonly wholeTo: number | undefined },
  ) {
    this.#overlapMs = about.overlapMs
    this.#sinceEnd = about.wholeTo === undefined ? undefined : about.wholeTo - about.overlapMs
    for (const [id, ms] of earlier) if (ms >= (this.#sinceEnd ?? 0)) this.#ids.set(id, ms)
  }

  note(events: readonly AuditEvent[]): void {
    const last = events.at(-1)
    if (last === undefined) return
    this.#newest = Math.max(this.#newest, last.occurredAtMs)
    const since = this.#sinceEnd ?? this.#newest - this.#overlapMs
    if (this.#newest < since) return
    for (const event of events) if (event.occurredAtMs >= since) this.#ids.set(event.id, event.occurredAtMs)
    this.#added += events.length
    if (this.#sinceEnd === undefined && this.#added >= PRUNE_EVERY) this.#prune(since)
  }

  /** Those no older than `since`. */
  list(since = this.#sinceEnd ?? 0): readonly RecentId[] {
    return [...this.#ids].filter(([, ms]) => ms >= since)
  }

  #prune(since: number): void {
    this.#added = 0
    for (const [id, ms] of this.#ids) if (ms < since) this.#ids.delete(id)
  }
}

/** What the next export of this name has to know, when this one has written everything before `doneThrough`. */
export function nextWatermark(
  options: ExportOptions,
  earlier: Watermark | undefined,
  recent: RecentIds,
  doneThrough: number,
): Watermark {
  const since = doneThrough - (options.incremental?.overlapMs ?? 0)
  return {
    doneThrough,
    since,
    begun: earlier?.begun ?? options.window.from,
    target: options.target?.path ?? '-',
    queryHash: queryHashOf(options),
    recent: recent.list(since),
  }
}
