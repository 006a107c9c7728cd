import { Batcher, type BatchRules } from '../../streams/batch.ts'
import type { Fate, Prepared } from './encode.ts'
import { spanOf } from './ranges.ts'
import type { Stretch } from './stretches.ts'

/** Neighbours in the spool that share a fate: one request's events, or events that are not sent. `bytes`: of the body. */
export type Batch = Stretch & {
  readonly fate: Fate
  /** Not looked at where the batch as a whole will do: they may have to be made first. */
  readonly items: readonly Prepared[]
  readonly bytes: number
  /** Where the events already lie in the body of their request. */
  readonly body?: Uint8Array
}

/** So many events at most are set aside at once. */
export const MAX_ASIDE = 1000

export function batchOfItems(items: readonly Prepared[], fate: Fate, bytes: number): Batch {
  return { ...spanOf(items), fate, items, bytes }
}

/** Greedy batches in the order of the spool. Each is one unbroken stretch of it, since the ledger knows stretches only. */
export function* batchesOf(pages: Iterable<readonly Prepared[]>, rules: BatchRules): Generator<Batch> {
  const batcher = new Batcher<Prepared>(rules)
  let aside: Prepared[] = []
  let following = -1
  for (const page of pages) {
    for (const item of page) {
      const isBroken = item.position !== following
      following = item.position + 1
      const kept = aside[0]
      if (kept !== undefined && (isBroken || item.fate !== kept.fate || aside.length >= MAX_ASIDE)) {
        yield batchOfItems(aside, kept.fate, 0)
        aside = []
      }
      if (isBroken || item.fate !== 'send') {
        const rest = batcher.finish()
        if (rest !== undefined) yield batchOfItems(rest.items, 'send', rest.bytes)
      }
      if (item.fate !== 'send') {
        aside.push(item)
        continue
      }
      const full = batcher.add(item)
      if (full === undefined) continue
      if (full.kind === 'refused')
        throw new TypeError(`the event at ${item.position} should have been set aside`)
      yield batchOfItems(full.items, 'send', full.bytes)
    }
  }
  const rest = batcher.finish()
  if (rest !== undefined) yield batchOfItems(rest.items, 'send', rest.bytes)
  const kept = aside[0]
  if (kept !== undefined) yield batchOfItems(aside, kept.fate, 0)
}
