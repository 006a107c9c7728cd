import type { Destination } from '../../core/destination.ts'
import type { Prepared } from './encode.ts'

/** Neighbours in the spool that share a fate: one request's events, or events that are not sent. */
export type Batch = {
  readonly fate: Prepared['fate']
  readonly items: readonly Prepared[]
  readonly bytes: number
}

/**
 * Greedy batches in the order of the spool: full to the exact serialised byte and event limits, frame included. Events that are not sent
 * come in groups of their own, so that every batch is one unbroken stretch of the spool.
 */
export function* batchesOf(
  items: Iterable<Prepared>,
  { limits, frame, maxSpanMs }: Destination['traits'],
): Generator<Batch> {
  const maxEvents = limits.maxEvents ?? Number.POSITIVE_INFINITY
  const ends = frame.open.length + frame.close.length
  const separator = frame.separator.length
  let group: Prepared[] = []
  let bytes = ends
  let fate: Prepared['fate'] = 'send'
  let oldest = 0
  for (const item of items) {
    const more = item.encoded.length + (group.length > 0 ? separator : 0)
    const spans = maxSpanMs !== undefined && item.atMs - oldest > maxSpanMs
    const isFull = fate === 'send' && (group.length >= maxEvents || bytes + more > limits.maxBytes || spans)
    if (group.length > 0 && (item.fate !== fate || isFull || group.length >= 10_000)) {
      yield { fate, items: group, bytes }
      group = []
      bytes = ends
    }
    if (group.length === 0) {
      fate = item.fate
      oldest = item.atMs
    }
    bytes += item.encoded.length + (group.length > 0 ? separator : 0)
    group.push(item)
  }
  if (group.length > 0) yield { fate, items: group, bytes }
}
