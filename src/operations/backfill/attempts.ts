import type { Positions, Receipt } from '../../core/destination.ts'
import { formatDuration } from '../../core/duration.ts'
import { type RemoteError, UnavailableError } from '../../core/errors.ts'
import type { RangeState, SpoolRange } from '../../state/run-record.ts'
import { type Batch, batchesOf, batchOfItems } from './batches.ts'
import { lateNow, type Prepared, prepare } from './encode.ts'
import type { Engine } from './engine.ts'
import { isAcceptedWhole, outcomesOf, type Part, partsOf } from './outcomes.ts'
import { PackedBatch } from './packed-batch.ts'
import { rangeOf } from './ranges.ts'
import { spooledEvents } from './spooled-events.ts'
import { refusesEverything } from './suspects.ts'

const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 60_000
/** A longer pause than this ends the run instead: better to stop and say so than to sleep for hours. */
const MAX_ASKED_DELAY_MS = 300_000

/** Part of a batch that goes, or goes again, in one request. */
type Portion = {
  readonly batch: Batch
  /** Requests that carried it so far. */
  readonly attempts: number
  /** Of them, those since anything came of it. */
  readonly failures: number
  readonly waitMs: number
}

/**
 * Delivers one batch to its end: again what was proven not to be stored, in halves what was too much at once, alone what may be poison.
 * Everything is in the ledger before this returns or throws: the intent before each request, the outcome after it.
 * @throws the destination's stop, or UnavailableError when the attempts are spent
 */
export async function deliverBatch(engine: Engine, batch: Batch): Promise<void> {
  const end = batch.first + batch.count
  // In the order of the spool; taken from its far end while it is in doubt whether the events are refused or the settings.
  const queue: Portion[] = [{ batch, attempts: 0, failures: 0, waitMs: 0 }]
  for (;;) {
    const isInDoubt = engine.suspects.areMany
    const portion = isInDoubt ? queue.pop() : queue.shift()
    if (portion === undefined) return
    await engine.pause(portion.waitMs, portion.batch.count)
    const again = hasAged(engine, portion)
      ? await refreshed(engine, portion)
      : await attempt(engine, portion, end)
    if (isInDoubt) queue.push(...again)
    else queue.unshift(...again)
  }
}

/** Whether one of the events has left the accept window since it was prepared. */
function hasAged(engine: Engine, { batch }: Portion): boolean {
  const { parts } = engine.work
  const { accepts } = parts.destination.traits
  if (accepts.pastMs === undefined && accepts.futureMs === undefined) return false
  if (batch instanceof PackedBatch && batch.restamped === 0)
    return [batch.oldest, batch.newest].some((atMs) => lateNow(parts, atMs) !== undefined)
  return batch.items.some((item) => !item.isRestamped && lateNow(parts, item.atMs) !== undefined)
}

/** The late rule applied once more: what may not go any more is set aside, the rest goes in new portions. */
async function refreshed(engine: Engine, portion: Portion): Promise<readonly Portion[]> {
  const { parts, spool } = engine.work
  const events = spooledEvents(spool, parts.source.shape, portion.batch)
  const items = portion.batch.items.map((item) => {
    const { value: spooled } = events.next()
    return item.isRestamped || spooled === undefined ? item : prepare(parts, spooled, engine.encodeOptions)
  })
  const portions: Portion[] = []
  for (const batch of batchesOf([items], parts.destination.traits)) {
    if (batch.fate === 'send') portions.push({ ...portion, batch, waitMs: 0 })
    else await engine.setAside(batch.items)
  }
  return portions
}

/** One request; gives the portions that go again, in order. `end`: the position behind the batch that the portion is of. */
async function attempt(engine: Engine, portion: Portion, end: number): Promise<readonly Portion[]> {
  const { parts, run, spool } = engine.work
  const { batch } = portion
  const { first, count, spoolFrom, spoolTo, bytes } = batch
  const attempts = portion.attempts + 1
  const sentAt = parts.clock.now()
  parts.ledger.intend(run.id, { first, count, spoolFrom, spoolTo, sentAt, attempts, bytes })
  const receipt = await parts.destination.deliver(
    {
      // Few providers ask for these two.
      get encoded() {
        return batch.items.map((item) => item.encoded)
      },
      get ids() {
        return Array.from(spooledEvents(spool, parts.source.shape, batch), ({ event }) => event.id)
      },
      count,
      run: run.id,
      body: batch.body,
    },
    { signal: engine.deliverySignal },
  )
  const settled = settleParts(engine, portion, receipt, { attempts, sentAt })
  engine.commit(
    settled.pieces,
    {
      requests: 1,
      bytesSent: bytes,
      // Every request is a batch of its own, or one sent again.
      ...(portion.failures > 0 ? { retries: 1 } : { batches: 1 }),
      duplicatesPossible: settled.resent,
      unverified: parts.live === undefined ? lengthOf(receipt.unverified) : 0,
      restamped: settled.restamped,
    },
    settled.lost,
  )
  if (isAnswer(receipt)) engine.answered()
  else engine.unanswered()
  const asked = Math.max(receipt.slowDownMs ?? 0, receipt.retryAfterMs ?? 0)
  if (asked > 0) engine.slowDown(Math.min(asked, MAX_ASKED_DELAY_MS))
  if (receipt.stop !== undefined) throw receipt.stop
  if (settled.isRefusedAlone && engine.suspects.areMany && batch.first + batch.count === end)
    throw refusesEverything(engine, receipt.reason)
  if (settled.gaveUp || (settled.again.length > 0 && asked > MAX_ASKED_DELAY_MS))
    throw spentError(engine, receipt, attempts)
  return settled.again
}

function lengthOf(positions: Positions | undefined): number {
  return positions?.reduce((sum, [from, to]) => sum + to - from, 0) ?? 0
}

/** Something of it was stored or refused: the far side is at work. */
function isAnswer({ accepted, unverified, rejected, retry, split }: Receipt): boolean {
  return [accepted, unverified, rejected, retry, split].some((part) => (part?.length ?? 0) > 0)
}

type Settled = {
  readonly pieces: SpoolRange[]
  readonly again: Portion[]
  readonly lost: Map<string, number>
  resent: number
  restamped: number
  gaveUp: boolean
  /** The one event of the request was refused, and nobody knows yet whether it is at fault. */
  isRefusedAlone: boolean
}

/** What becomes of each part of a portion, with its refused events appended to the dead letters. */
function settleParts(
  engine: Engine,
  portion: Portion,
  receipt: Receipt,
  { attempts, sentAt }: { readonly attempts: number; readonly sentAt: number },
): Settled {
  const { parts, options } = engine.work
  const settled: Settled = {
    pieces: [],
    again: [],
    lost: new Map(),
    resent: 0,
    restamped: 0,
    gaveUp: false,
    isRefusedAlone: false,
  }
  const hasMoved = [receipt.accepted, receipt.unverified, receipt.rejected].some(
    (part) => (part?.length ?? 0) > 0,
  )
  const failures = hasMoved ? 0 : portion.failures + 1
  const isTaken = [receipt.accepted, receipt.unverified].some((part) => (part?.length ?? 0) > 0)
  if (isTaken) engine.condemn()
  const isLast = failures >= options.maxAttempts
  const put = (items: readonly Prepared[], state: RangeState, { outcome }: Part): void => {
    settled.pieces.push(rangeOf(items, state, outcome, attempts, sentAt))
  }
  const sendAgain = (items: readonly Prepared[], failed: number, waitMs: number): void => {
    const again = batchOfItems(items, 'send', bytesOf(engine, items))
    settled.again.push({ batch: again, attempts, failures: failed, waitMs })
  }
  const { batch } = portion
  if (batch instanceof PackedBatch && isAcceptedWhole(receipt, batch.count)) {
    const { first, count, spoolFrom, spoolTo } = batch
    const { code, reason } = receipt
    settled.pieces.push({
      first,
      count,
      spoolFrom,
      spoolTo,
      state: 'delivered',
      sentAt,
      attempts,
      code,
      reason,
    })
    batch.addLossesTo(settled.lost)
    settled.restamped = batch.restamped
    batch.release()
    return settled
  }
  for (const part of partsOf(outcomesOf(receipt, batch.count, parts.live !== undefined))) {
    const items = batch.items.slice(part.from, part.to)
    const { state } = part.outcome
    if (part.split && items.length > 1) {
      const middle = Math.ceil(items.length / 2)
      for (const half of [items.slice(0, middle), items.slice(middle)]) {
        sendAgain(half, 0, 0)
        // Two rows, since each half gets an intent of its own.
        put(half, 'retry', part)
      }
    } else if (part.split || state === 'rejected') {
      const { code, reason } = part.outcome
      const [alone] = portion.batch.count === 1 ? items : []
      if (alone !== undefined && engine.holdsSuspects) {
        engine.suspects.add({ item: alone, outcome: part.outcome, attempts })
        put(items, 'retry', part)
        settled.isRefusedAlone = true
        continue
      }
      for (const item of items) engine.letter(item, { code, reason, attempts })
      put(items, 'rejected', part)
    } else if (state === 'retry' || (state === 'unknown' && parts.live === undefined)) {
      const goesAgain = !isLast && receipt.stop === undefined
      if (goesAgain) sendAgain(items, failures, delayOf(engine, receipt, failures))
      else if (state === 'retry' && receipt.stop === undefined) settled.gaveUp = true
      if (goesAgain && state === 'unknown') settled.resent += items.length
      put(items, goesAgain ? 'retry' : state, part)
    } else put(items, state, part)
    // What is unknown now is counted when it turns out to be held, and not when it goes again.
    if (state === 'delivered') tellLosses(settled, items)
  }
  return settled
}

/** Counts what a far side now holds without its own time, or without a field that could not be rebuilt. */
function tellLosses(settled: Settled, items: readonly Prepared[]): void {
  for (const { isRestamped, notRebuilt } of items) {
    if (isRestamped) settled.restamped += 1
    for (const field of notRebuilt) settled.lost.set(field, (settled.lost.get(field) ?? 0) + 1)
  }
}

function bytesOf(engine: Engine, items: readonly Prepared[]): number {
  const { open, separator, close } = engine.work.parts.destination.traits.frame
  const ends = open.length + close.length + separator.length * (items.length - 1)
  return items.reduce((sum, { encoded }) => sum + encoded.length, ends)
}

function spentError(engine: Engine, receipt: Receipt, attempts: number): RemoteError {
  const { name } = engine.work.parts.destination
  const asked = receipt.retryAfterMs ?? 0
  const pause = asked > MAX_ASKED_DELAY_MS ? `, and asks for a pause of ${formatDuration(asked)}` : ''
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  return new UnavailableError(`the stream ${name} kept refusing: ${receipt.reason} (${tries})${pause}`, {
    hint: `nothing is lost: auditctl runs resume ${engine.work.run.id} goes on when the destination works again`,
    attempts,
  })
}

/** Full jitter below a doubling cap; a pause that the far side asked for is obeyed instead. */
function delayOf(engine: Engine, { retryAfterMs }: Receipt, failures: number): number {
  // "Come back in 0 seconds" says nothing about how long the trouble lasts.
  if (retryAfterMs !== undefined && retryAfterMs > 0) return retryAfterMs
  const most = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
  return Math.floor(engine.work.parts.clock.random() * most)
}
