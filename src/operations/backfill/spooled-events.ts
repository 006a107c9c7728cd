import { eventsAt } from '../../core/events-of.ts'
import { sliceLines } from '../../core/json-lines.ts'
import type { EventSpans } from '../../core/json-slice.ts'
import type { EventShape } from '../../core/source.ts'
import type { Spool } from '../../state/spool.ts'
import type { Stretch } from './stretches.ts'
import type { SpooledEvent } from './types.ts'

export const SPOOL_FILE = 'spool.jsonl'

/** Where the events of a block lie in its bytes; `position` and `offset`: of its first event, of its first byte in the spool. */
export type SpooledSpans = { readonly spans: EventSpans; readonly position: number; readonly offset: number }

/** The events of a stretch, in order, a block of the file at a time. They are gone when the next block is asked for. */
export function* spooledSpans(
  spool: Spool,
  shape: EventShape,
  stretch: Omit<Stretch, 'count'>,
): Generator<SpooledSpans> {
  let position = stretch.first
  for (const block of spool.blocks(stretch.spoolFrom, stretch.spoolTo)) {
    const { offset, spans = sliceLines(block.bytes, shape).spans } = block
    yield { spans, position, offset }
    position += spans.count
  }
}

/** The same as events. */
export function* spooledBlocks(
  spool: Spool,
  shape: EventShape,
  stretch: Omit<Stretch, 'count'>,
): Generator<readonly SpooledEvent[]> {
  for (const { spans, position, offset } of spooledSpans(spool, shape, stretch)) {
    const events: SpooledEvent[] = new Array(spans.count)
    const eventOf = eventsAt(spans, shape)
    for (let i = 0; i < spans.count; i += 1) {
      events[i] = {
        event: eventOf(i),
        position: position + i,
        spoolFrom: offset + (spans.starts[i] ?? 0),
        spoolTo: offset + (spans.ends[i] ?? 0) + 1,
      }
    }
    yield events
  }
}

/** The same, event by event: what is kept of one has to be copied. */
export function* spooledEvents(
  spool: Spool,
  shape: EventShape,
  stretch: Omit<Stretch, 'count'>,
): Generator<SpooledEvent> {
  for (const block of spooledBlocks(spool, shape, stretch)) yield* block
}
