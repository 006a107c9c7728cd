import type { BackfillPlan } from '../../core/report.ts'
import { isoTime } from '../../core/time-range.ts'
import { batchesOf } from './batches.ts'
import { toSend } from './deliver.ts'
import { type Prepared, prepare } from './encode.ts'
import { markOf } from './engine.ts'
import { LargeEvents } from './large-events.ts'
import { spooledBlocks } from './spooled-events.ts'
import { boundOf } from './stretches.ts'
import type { Work } from './types.ts'

/** What a request costs at a far side nobody has measured yet. */
const ASSUMED_REQUEST_MS = 200

/** What delivery would do, to the byte: the spool is encoded and batched as it will be, and nothing is sent. What is doubtful joins the run's warnings. */
export function planDelivery(work: Work): BackfillPlan {
  const { source, destination, inventory } = work.parts
  const { options, run } = work
  let [events, rejected, late, batches, bytes] = [0, 0, 0, 0, 0]
  const large = new LargeEvents(destination)
  let [oldest, newest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const pages = function* (): Generator<readonly Prepared[]> {
    const encode = { late: options.late, mark: markOf(work) }
    const stretches = toSend(work)
    const before = boundOf(stretches, options.limit)
    for (const stretch of stretches) {
      for (const block of spooledBlocks(work.spool, source.shape, stretch)) {
        const items = block
          .filter(({ position }) => position < before)
          .map((spooled) => prepare(work.parts, spooled, encode))
        for (const item of items) {
          if (item.fate === 'rejected') rejected += 1
          else if (item.fate !== 'send' || item.isRestamped) late += 1
          if (item.fate !== 'send') continue
          events += 1
          large.note(item.encoded.length)
          oldest = Math.min(oldest, item.atMs)
          newest = Math.max(newest, item.atMs)
        }
        yield items
      }
    }
  }
  for (const batch of batchesOf(pages(), destination.traits)) {
    if (batch.fate !== 'send') continue
    batches += 1
    bytes += batch.bytes
  }
  work.warnings.push(...large.warnings())
  const byRequests = (batches * ASSUMED_REQUEST_MS) / destination.traits.concurrency / 1000
  const byRate = options.maxRate === undefined ? 0 : events / options.maxRate
  return {
    events,
    batches,
    bytes,
    rejected: rejected + run.carried.rejected,
    late: late + run.carried.late + run.carried.archived,
    oldest: events === 0 ? null : isoTime(oldest),
    newest: events === 0 ? null : isoTime(newest),
    estimatedSeconds: Math.ceil(Math.max(byRequests, byRate)),
    sourceRequests: source.requests(),
    inventoryQueries: inventory?.queries() ?? 0,
  }
}
