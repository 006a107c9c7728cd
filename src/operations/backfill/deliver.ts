import type { ReplayMark } from '../../core/destination.ts'
import type { RunCounters, SpoolRange } from '../../state/ledger.ts'
import { Spool } from '../../state/spool.ts'
import { mapInOrder } from '../../streams/map-in-order.ts'
import { archiveEvents } from './archive.ts'
import { deliverBatch, rangeOf } from './attempts.ts'
import { batchesOf } from './batches.ts'
import { appendDeadLetter, DEAD_LETTER_FILE } from './dead-letters.ts'
import { type EncodeOptions, type Prepared, prepare } from './encode.ts'
import { spooledEvents } from './spooled-events.ts'
import { type Stretch, stretchesToSend } from './stretches.ts'
import type { Work } from './types.ts'

/** How long requests in flight may still take once the run was asked to end. */
const ABANDON_MS = 4000

/** Everything the deliveries of a run share: counters, pauses, dead letters. One per invocation. */
export class Engine {
  readonly work: Work
  readonly encodeOptions: EncodeOptions
  readonly deadLetters: Spool
  /** Fires a little after the run's own signal, so that requests in flight may finish. */
  readonly deliverySignal: AbortSignal
  #counters: RunCounters
  #resumeAt = 0
  #nextAt = 0
  /** Events whose fate this invocation recorded, for `--limit`. */
  recorded = 0

  constructor(work: Work) {
    const { clock, signal, ledger } = work.parts
    this.work = work
    this.#counters = work.run.counters
    this.deadLetters = Spool.open(
      ledger.folderOf(work.run.id),
      DEAD_LETTER_FILE,
      work.run.counters.deadLetterBytes,
    )
    this.encodeOptions = { late: work.options.late, mark: markOf(work), notRebuilt: {} }
    const abandon = new AbortController()
    this.deliverySignal = abandon.signal
    const onAbort = (): void => {
      clock.sleep(ABANDON_MS).then(
        () => abandon.abort(signal.reason),
        () => abandon.abort(signal.reason),
      )
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  }

  get counters(): RunCounters {
    return this.#counters
  }

  close(): void {
    this.deadLetters.close()
  }

  /** Waits for what a retry, the far side or `--max-rate` asks for. @throws the signal's reason */
  async pause(waitMs: number, events: number): Promise<void> {
    const { clock, signal } = this.work.parts
    const { maxRate } = this.work.options
    signal.throwIfAborted()
    const now = clock.now()
    let until = Math.max(now + waitMs, this.#resumeAt)
    if (maxRate !== undefined) {
      until = Math.max(until, this.#nextAt)
      this.#nextAt = until + (events / maxRate) * 1000
    }
    if (until > now) await clock.sleep(until - now, signal)
  }

  slowDown(ms: number): void {
    this.#resumeAt = Math.max(this.#resumeAt, this.work.parts.clock.now() + ms)
  }

  count(step: Partial<Pick<RunCounters, 'requests' | 'retries' | 'bytesSent' | 'batches'>>): RunCounters {
    const { batches, requests, retries, bytesSent } = this.#counters
    this.#counters = {
      ...this.#counters,
      batches: batches + (step.batches ?? 0),
      requests: requests + (step.requests ?? 0),
      retries: retries + (step.retries ?? 0),
      bytesSent: bytesSent + (step.bytesSent ?? 0),
    }
    return this.#counters
  }

  /** The outcome of a stretch: dead letters reach the disk before the ledger speaks of them. */
  commit(pieces: readonly SpoolRange[], counters: RunCounters = this.#counters): void {
    if (this.deadLetters.length > this.#counters.deadLetterBytes) this.deadLetters.sync()
    this.#counters = { ...counters, deadLetterBytes: this.deadLetters.length, notRebuilt: this.#notRebuilt() }
    this.work.parts.ledger.settle(this.work.run.id, pieces, this.#counters)
    for (const { state, count } of pieces) if (state !== 'retry') this.recorded += count
    this.#observe()
  }

  /** Events that are not sent: written to the dead letters or the archive, then recorded. */
  notSent(fate: Prepared['fate'], items: readonly Prepared[]): void {
    const first = items[0]
    if (first === undefined) return
    if (fate === 'archive') {
      archiveEvents(this.work, items)
      this.commit([rangeOf(items, 'archived', { code: 'late', reason: first.reason }, 0, undefined)])
      return
    }
    const code = fate === 'refused' ? 'refused' : fate === 'late' ? 'late' : 'too-large'
    for (const { event, reason } of items)
      appendDeadLetter(this.deadLetters, event, { code, reason, attempts: 0 })
    this.commit([
      rangeOf(items, fate === 'late' ? 'late' : 'rejected', { code, reason: first.reason }, 0, undefined),
    ])
  }

  #notRebuilt(): Record<string, number> {
    const sum: Record<string, number> = { ...this.work.run.counters.notRebuilt }
    for (const [field, count] of Object.entries(this.encodeOptions.notRebuilt))
      sum[field] = (sum[field] ?? 0) + count
    return sum
  }

  #observe(): void {
    const { observe, ledger } = this.work.parts
    if (observe === undefined) return
    const totals = ledger.totals(this.work.run.id)
    observe({
      phase: 'deliver',
      done: 0,
      events: this.work.run.spooled,
      total: this.work.run.spooled,
      delivered: totals.delivered ?? 0,
      rejected: (totals.rejected ?? 0) + (totals.late ?? 0),
      retries: this.#counters.retries,
    })
  }
}

/**
 * Sends what is left of the spool, oldest first, in full batches; requests start in order and a few may be in flight. Stops after `most`
 * events. Returns when every one of them has a recorded fate or is unknown.
 */
export async function deliverSpool(engine: Engine, most = Number.POSITIVE_INFINITY): Promise<void> {
  const { work } = engine
  const { ledger, destination } = work.parts
  const { spooled, spoolBytes } = work.run
  const stretches = stretchesToSend(ledger.ranges(work.run.id), { events: spooled, bytes: spoolBytes })
  const batches = batchesOf(preparedEvents(engine, stretches, most), destination.traits)
  const done = mapInOrder(batches, destination.traits.concurrency, async (batch) => {
    if (batch.fate === 'send') await deliverBatch(engine, batch.items)
    else engine.notSent(batch.fate, batch.items)
  })
  for await (const _ of done) work.parts.signal.throwIfAborted()
}

function* preparedEvents(engine: Engine, stretches: readonly Stretch[], most: number): Generator<Prepared> {
  const { work } = engine
  let taken = 0
  for (const stretch of stretches) {
    for (const spooled of spooledEvents(work.spool, work.parts.source.shape, stretch)) {
      if (taken >= most) return
      taken += 1
      yield prepare(work.parts, spooled, engine.encodeOptions)
    }
  }
}

/** The same mark for every event of a run, also over resumes: `encode` is pure. */
function markOf({ run, options }: Work): ReplayMark | undefined {
  return options.mark ? { run: run.id, backfilledAt: new Date(run.createdAt).toISOString() } : undefined
}
