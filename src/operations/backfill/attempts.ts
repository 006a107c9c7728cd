import type { Positions, Receipt } from '../../core/destination.ts'
import { type RemoteError, UnavailableError } from '../../core/errors.ts'
import type { RangeState, SpoolRange } from '../../state/ledger.ts'
import { appendDeadLetter } from './dead-letters.ts'
import type { Engine } from './deliver.ts'
import type { Prepared } from './encode.ts'
import { prepare } from './encode.ts'

const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 60_000
const MAX_ASKED_DELAY_MS = 300_000

/** Part of a batch that goes, or goes again, in one request. */
type Portion = { readonly items: readonly Prepared[]; readonly attempts: number; readonly waitMs: number }

type Outcome = { readonly state: RangeState; readonly code: string; readonly reason: string }

/**
 * Delivers one batch to its end: again what was proven not to be stored, in halves what was too much at once, alone what may be poison.
 * Everything is in the ledger before this returns or throws: the intent before each request, the outcome after it.
 * @throws the destination's stop, or UnavailableError when the attempts are spent
 */
export async function deliverBatch(engine: Engine, items: readonly Prepared[]): Promise<void> {
  const queue: Portion[] = [{ items, attempts: 0, waitMs: 0 }]
  for (let portion = queue.shift(); portion !== undefined; portion = queue.shift()) {
    await engine.pause(portion.waitMs, portion.items.length)
    const fresh = stillInTime(engine, portion.items)
    if (fresh.length < portion.items.length)
      queue.unshift({ ...portion, items: portion.items.slice(fresh.length), waitMs: 0 })
    if (fresh.length === 0) {
      // The first of them has aged out while waiting: it gets the late rule, the rest is looked at again.
      const again = queue.shift()
      if (again === undefined) return
      settleLate(engine, again.items.slice(0, 1))
      if (again.items.length > 1) queue.unshift({ ...again, items: again.items.slice(1) })
      continue
    }
    queue.unshift(...(await attempt(engine, { ...portion, items: fresh })))
  }
}

/** The events in front that are still inside the accept window; an event may age out between two attempts. */
function stillInTime(engine: Engine, items: readonly Prepared[]): readonly Prepared[] {
  const late = items.findIndex((item) => !item.isRestamped && prepareAgain(engine, item).fate !== 'send')
  return late === -1 ? items : items.slice(0, late)
}

function prepareAgain(engine: Engine, item: Prepared): Pick<Prepared, 'fate' | 'reason'> {
  const { accepts } = engine.work.parts.destination.traits
  if (accepts.pastMs === undefined && accepts.futureMs === undefined) return item
  return prepare(engine.work.parts, item, {
    ...engine.encodeOptions,
    late: engine.work.options.late === 'archive' ? 'archive' : 'skip',
    notRebuilt: {},
  })
}

function settleLate(engine: Engine, items: readonly Prepared[]): void {
  for (const item of items) {
    const { fate, reason } = prepareAgain(engine, item)
    engine.notSent(fate === 'archive' ? 'archive' : 'late', [{ ...item, reason }])
  }
}

/** One request; gives the portions that go again, in order. */
async function attempt(engine: Engine, portion: Portion): Promise<readonly Portion[]> {
  const { work } = engine
  const { destination, ledger, clock, inventory } = work.parts
  const { items } = portion
  const attempts = portion.attempts + 1
  const span = spanOf(items)
  const bytes = items.reduce((sum, item) => sum + item.encoded.length, 0)
  const sentAt = clock.now()
  ledger.intend(work.run.id, { ...span, sentAt, attempts, bytes })
  const receipt = await destination.deliver(
    { encoded: items.map((item) => item.encoded), ids: items.map((item) => item.event.id), run: work.run.id },
    { signal: engine.deliverySignal },
  )
  const outcomes = outcomesOf(receipt, items.length, inventory !== undefined)
  const counters = engine.count({
    requests: 1,
    retries: portion.attempts > 0 ? 1 : 0,
    bytesSent: bytes,
    batches: portion.attempts === 0 ? 1 : 0,
  })
  const isLast = attempts >= work.options.maxAttempts
  const again: Portion[] = []
  const pieces: SpoolRange[] = []
  let resent = 0
  let gaveUp = false
  for (const run of runsOf(outcomes)) {
    const part = items.slice(run.from, run.to)
    let { state } = run.outcome
    if (run.split) {
      if (part.length === 1) state = 'rejected'
      else {
        const middle = Math.ceil(part.length / 2)
        again.push(
          { items: part.slice(0, middle), attempts: portion.attempts, waitMs: 0 },
          { items: part.slice(middle), attempts: portion.attempts, waitMs: 0 },
        )
        // Two rows, since each half gets an intent of its own.
        pieces.push(
          rangeOf(part.slice(0, middle), 'retry', run.outcome, attempts, sentAt),
          rangeOf(part.slice(middle), 'retry', run.outcome, attempts, sentAt),
        )
        continue
      }
    }
    if (state === 'rejected') {
      for (const item of part)
        appendDeadLetter(engine.deadLetters, item.event, {
          code: run.outcome.code,
          reason: run.outcome.reason,
          attempts,
        })
    }
    const sendAgain =
      receipt.stop === undefined && (state === 'retry' || (state === 'unknown' && inventory === undefined))
    if (sendAgain && !isLast) {
      again.push({ items: part, attempts, waitMs: delayOf(engine, receipt, attempts) })
      if (state === 'unknown') {
        resent += part.length
        state = 'retry'
      }
    } else if (sendAgain && state === 'retry') gaveUp = true
    pieces.push(rangeOf(part, state, run.outcome, attempts, sentAt))
  }
  engine.commit(pieces, { ...counters, duplicatesPossible: counters.duplicatesPossible + resent })
  if (receipt.slowDownMs !== undefined) engine.slowDown(receipt.slowDownMs)
  if (receipt.stop !== undefined) throw receipt.stop
  if (gaveUp) throw spentError(engine, receipt, attempts)
  return again
}

function spentError(engine: Engine, receipt: Receipt, attempts: number): RemoteError {
  const { name } = engine.work.parts.destination
  return new UnavailableError(`the stream ${name} kept refusing: ${receipt.reason} (${attempts} attempts)`, {
    hint: `nothing is lost: auditctl runs resume ${engine.work.run.id} goes on when the destination works again`,
    attempts,
  })
}

/** Full jitter below a doubling cap; a pause that the far side asked for is obeyed instead. */
function delayOf(engine: Engine, receipt: Receipt, attempts: number): number {
  if (receipt.retryAfterMs !== undefined) return Math.min(receipt.retryAfterMs, MAX_ASKED_DELAY_MS)
  return engine.work.parts.clock.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempts)
}

type Judged = { readonly outcome: Outcome; readonly split: boolean }

/** What the receipt says of every position; one named nowhere is unknown. */
function outcomesOf(receipt: Receipt, count: number, hasInventory: boolean): readonly Judged[] {
  const { code, reason } = receipt
  const judged = new Array<Judged>(count).fill({ outcome: { state: 'unknown', code, reason }, split: false })
  const put = (positions: Positions | undefined, state: RangeState, split = false): void => {
    for (const [from, to] of positions ?? [])
      judged.fill({ outcome: { state, code, reason }, split }, from, to)
  }
  put(receipt.accepted, 'delivered')
  // Stored by the far side's own account: looked up where that is possible; where it is not, its word is all there is.
  put(receipt.unverified, hasInventory ? 'unverified' : 'delivered')
  put(receipt.retry, 'retry')
  put(receipt.split, 'retry', true)
  put(receipt.unknown, 'unknown')
  for (const { position, code: refusal, reason: why } of receipt.rejected ?? []) {
    judged[position] = { outcome: { state: 'rejected', code: refusal, reason: why }, split: false }
  }
  return judged
}

/** Maximal runs of positions with the same outcome. */
function* runsOf(
  judged: readonly Judged[],
): Generator<{ readonly from: number; readonly to: number } & Judged> {
  let from = 0
  for (let to = 1; to <= judged.length; to += 1) {
    const [here, next] = [judged[from], judged[to]]
    if (here === undefined) return
    if (next !== undefined && next.split === here.split && sameOutcome(next.outcome, here.outcome)) continue
    yield { from, to, ...here }
    from = to
  }
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  return a.state === b.state && a.code === b.code && a.reason === b.reason
}

function spanOf(items: readonly Prepared[]): Pick<SpoolRange, 'first' | 'count' | 'spoolFrom' | 'spoolTo'> {
  const [first, last] = [items[0] as Prepared, items.at(-1) as Prepared]
  return { first: first.position, count: items.length, spoolFrom: first.spoolFrom, spoolTo: last.spoolTo }
}

export function rangeOf(
  items: readonly Prepared[],
  state: RangeState,
  outcome: { readonly code?: string; readonly reason?: string },
  attempts: number,
  sentAt: number | undefined,
): SpoolRange {
  return { ...spanOf(items), state, sentAt, attempts, code: outcome.code, reason: outcome.reason }
}
