import type { BackfillPlan } from '../../core/report.ts'
import { isoTime } from '../../core/time-range.ts'
import { batchesOf } from './batches.ts'
import { type Prepared, prepare } from './encode.ts'
import { spooledEvents } from './spooled-events.ts'
import { stretchesToSend } from './stretches.ts'
import type { Work } from './types.ts'

/** What a request costs at a far side nobody has measured yet. */
const ASSUMED_REQUEST_MS = 200

/** What delivery would do, to the byte: the spool is encoded and batched as it will be, and nothing is sent. */
export function planDelivery(work: Work): BackfillPlan {
  const { source, destination, ledger, inventory } = work.parts
  const { options, run } = work
  let [events, rejected, late, batches, bytes] = [0, 0, 0, 0, 0]
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const items = function* (): Generator<Prepared> {
    const encode = { late: options.late, mark: undefined, notRebuilt: {} }
    const mark = options.mark
      ? { run: run.id, backfilledAt: new Date(run.createdAt).toISOString() }
      : undefined
    let taken = 0
    for (const stretch of stretchesToSend(ledger.ranges(run.id), {
      events: run.spooled,
      bytes: run.spoolBytes,
    })) {
      for (const spooled of spooledEvents(work.spool, source.shape, stretch)) {
        if (options.limit !== undefined && taken >= options.limit) return
        taken += 1
        const item = prepare(work.parts, spooled, { ...encode, mark })
        if (item.fate === 'too-large' || item.fate === 'refused') rejected += 1
        else if (item.fate !== 'send' || item.isRestamped) late += 1
        if (item.fate === 'send') {
          events += 1
          oldest = Math.min(oldest, item.atMs)
          newest = Math.max(newest, item.atMs)
        }
        yield item
      }
    }
  }
  for (const batch of batchesOf(items(), destination.traits)) {
    if (batch.fate !== 'send') continue
    batches += 1
    bytes += batch.bytes
  }
  const byRequests = (batches * ASSUMED_REQUEST_MS) / destination.traits.concurrency / 1000
  const byRate = options.maxRate === undefined ? 0 : events / options.maxRate
  return {
    events,
    batches,
    bytes,
    rejected: rejected + run.carried.rejected,
    late: late + run.carried.late,
    oldest: events === 0 ? null : isoTime(oldest),
    newest: events === 0 ? null : isoTime(newest),
    estimatedSeconds: Math.ceil(Math.max(byRequests, byRate)),
    sourceRequests: source.requests(),
    inventoryQueries: inventory?.queries() ?? 0,
  }
}
