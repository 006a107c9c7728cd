import { Batcher, type BatchRules } from '../../streams/batch.ts'
import type { Fate, Prepared } from './encode.ts'

/** Neighbours in the spool that share a fate: one request's events, or events that are not sent. `bytes`: of the body. */
export type Batch = { readonly fate: Fate; readonly items: readonly Prepared[]; readonly bytes: number }

const MAX_ASIDE = 1000

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
        yield { fate: kept.fate, items: aside, bytes: 0 }
        aside = []
      }
      if (isBroken || item.fate !== 'send') {
        const rest = batcher.finish()
        if (rest !== undefined) yield { fate: 'send', items: rest.items, bytes: rest.bytes }
      }
      if (item.fate !== 'send') {
        aside.push(item)
        continue
      }
      const full = batcher.add(item)
      if (full === undefined) continue
      if (full.kind === 'refused')
        throw new TypeError(`the event at ${item.position} should have been set aside`)
      yield { fate: 'send', items: full.items, bytes: full.bytes }
    }
  }
  const rest = batcher.finish()
  if (rest !== undefined) yield { fate: 'send', items: rest.items, bytes: rest.bytes }
  const kept = aside[0]
  if (kept !== undefined) yield { fate: kept.fate, items: aside, bytes: 0 }
}
