import { type AuditEvent, SPAN_FIELDS, SpanEvent } from '../../core/event.ts'
import { eventsAt } from '../../core/events-of.ts'
import { type BatchRules, refusalOf } from '../../streams/batch.ts'
import { type Batch, batchOfItems, MAX_ASIDE } from './batches.ts'
import { type EncodeOptions, lateNow, NOTHING_LOST, type Prepared, tooLargeReason, unsent } from './encode.ts'
import type { LargeEvents } from './large-events.ts'
import { Packer } from './packer.ts'
import { type SpooledSpans, spooledSpans } from './spooled-events.ts'
import type { Stretch } from './stretches.ts'
import type { Work } from './types.ts'

/**
 * The batches that `batchesOf` makes of the stretches before a position, encoded straight into the bodies of their requests: what a delivery
 * spends its time on. The late rule is applied at the moment an event is reached.
 */
export function* packSpool(
  { parts, spool }: Pick<Work, 'parts' | 'spool'>,
  stretches: readonly Stretch[],
  before: number,
  options: EncodeOptions,
  rules: BatchRules,
  large: LargeEvents,
): Generator<Batch> {
  const packing = new Packing(parts, options, rules, large)
  const spare: SpanEvent[] = []
  for (const stretch of stretches) {
    if (stretch.first >= before) break
    yield* packing.end()
    for (const block of spooledSpans(spool, parts.source.shape, stretch)) {
      const count = Math.min(block.spans.count, before - block.position)
      const eventOf = eventsAt(block.spans, parts.source.shape, spare)
      for (let i = 0; i < count; i += 1) {
        i = packing.addLines(block, i, count)
        if (i === count) break
        const event = eventOf(i)
        packing.add(block, i, event)
        // Nobody keeps it: the next one may take its place.
        if (event instanceof SpanEvent) spare.push(event)
        if (packing.ready.length > 0) yield* packing.take()
      }
      if (count < block.spans.count) break
    }
  }
  yield* packing.end()
}

class Packing {
  /** Batches that are complete, in the order of the spool. */
  ready: Batch[] = []
  readonly #parts: Work['parts']
  readonly #late: EncodeOptions['late']
  readonly #large: LargeEvents
  readonly #packer: Packer
  readonly #copies: boolean
  readonly #plain: { readonly restamp: boolean; readonly mark: EncodeOptions['mark'] }
  readonly #restamped: { readonly restamp: boolean; readonly mark: EncodeOptions['mark'] }
  #aside: Prepared[] = []
  /** Of the event that is looked at: one for all of them, since a million objects would keep the collector busy. */
  readonly #place = {
    position: 0,
    spoolFrom: 0,
    spoolTo: 0,
    atMs: 0,
    isRestamped: false,
    notRebuilt: NOTHING_LOST,
  }

  constructor(parts: Work['parts'], { late, mark }: EncodeOptions, rules: BatchRules, large: LargeEvents) {
    this.#parts = parts
    this.#late = late
    this.#large = large
    this.#packer = new Packer(parts.destination, rules)
    const { source, destination } = parts
    const { accepts, advised } = destination.traits
    // Nothing has to be asked of each event: it goes as it lies in the spool.
    this.#copies =
      source.shape.isStreamedAsIs === true &&
      destination.copies?.(mark) === true &&
      destination.refuses === undefined &&
      accepts.pastMs === undefined &&
      accepts.futureMs === undefined &&
      advised === undefined
    this.#plain = { restamp: false, mark }
    this.#restamped = { restamp: true, mark }
  }

  /** As many as can be copied at once of the events of the block from `from` on; gives the number of the first one left, for `add`. */
  addLines({ spans, offset }: SpooledSpans, from: number, to: number): number {
    const { bytes, rows, times } = spans
    if (!this.#copies || times === undefined || this.#aside.length > 0) return from
    return this.#packer.keepLines({ bytes, rows, times }, from, to, offset)
  }

  /** The event that lies at `i` of the block. */
  add({ spans, position, offset }: SpooledSpans, i: number, event: AuditEvent): void {
    const { source, destination } = this.#parts
    const atMs = event.occurredAtMs
    const place = this.#place
    place.position = position + i
    place.spoolFrom = offset + (spans.rows[i * SPAN_FIELDS] ?? 0)
    place.spoolTo = offset + (spans.rows[i * SPAN_FIELDS + 1] ?? 0) + 1
    const late = lateNow(this.#parts, atMs)
    if (late !== undefined && this.#late !== 'restamp') {
      this.#setAside(unsent({ ...place, event }, this.#late === 'archive' ? 'archive' : 'late', 'late', late))
      return
    }
    const isRestamped = late !== undefined
    const { bytes, notRebuilt } = source.shape.asStreamed(event, source.streamedSettings)
    const length = this.#packer.write(bytes, event, isRestamped ? this.#restamped : this.#plain)
    const tooLarge = refusalOf(length, destination.traits)
    const refusal =
      tooLarge === undefined
        ? destination.refuses?.(this.#packer.written)
        : { code: 'too-large', reason: tooLargeReason(tooLarge) }
    if (refusal !== undefined) {
      this.#setAside(unsent({ ...place, event }, 'rejected', refusal.code, refusal.reason))
      return
    }
    if (this.#aside.length > 0) this.#closeAside()
    this.#large.note(length)
    place.atMs = atMs
    place.isRestamped = isRestamped
    place.notRebuilt = notRebuilt
    const full = this.#packer.keep(place)
    if (full !== undefined) this.ready.push(full)
  }

  /** What is complete, given away. */
  take(): readonly Batch[] {
    const { ready } = this
    this.ready = []
    return ready
  }

  /** All that is left: what comes next lies elsewhere in the spool. */
  end(): readonly Batch[] {
    this.#closeAside()
    const rest = this.#packer.finish()
    if (rest !== undefined) this.ready.push(rest)
    return this.take()
  }

  #setAside(item: Prepared): void {
    const kept = this.#aside[0]
    if (kept !== undefined && (kept.fate !== item.fate || this.#aside.length >= MAX_ASIDE)) this.#closeAside()
    const rest = this.#packer.finish()
    if (rest !== undefined) this.ready.push(rest)
    this.#aside.push(item)
  }

  #closeAside(): void {
    const kept = this.#aside[0]
    if (kept === undefined) return
    this.ready.push(batchOfItems(this.#aside, kept.fate, 0))
    this.#aside = []
  }
}
