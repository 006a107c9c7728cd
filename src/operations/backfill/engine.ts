import type { ReplayMark, RunNote } from '../../core/destination.ts'
import type { RunCounters, SpoolRange } from '../../state/run-record.ts'
import { Spool } from '../../state/spool.ts'
import { archiveEvents } from './archive.ts'
import { appendDeadLetter, DEAD_LETTER_FILE } from './dead-letters.ts'
import type { EncodeOptions, Prepared } from './encode.ts'
import { LargeEvents } from './large-events.ts'
import { rangeOf } from './ranges.ts'
import { runJournal } from './run-journal.ts'
import { Suspects } from './suspects.ts'
import type { Work } from './types.ts'

/** How long requests in flight may still take once the run was asked to end. */
const ABANDON_MS = 4000
/** So many requests in a row without an answer that counts: the far side is down, and more would only be unknown too. */
const MAX_UNANSWERED = 4

export type Step = {
  readonly requests?: number
  readonly retries?: number
  readonly batches?: number
  readonly bytesSent?: number
  readonly duplicatesPossible?: number
  readonly unverified?: number
  readonly restamped?: number
}

/** Everything the deliveries of a run share: counters, pauses, dead letters. One per invocation. */
export class Engine {
  readonly work: Work
  readonly encodeOptions: EncodeOptions
  readonly deadLetters: Spool
  /** Fires a little after the run's own signal, so that requests in flight may finish. */
  readonly deliverySignal: AbortSignal
  /** Events whose fate is known, over all invocations. */
  readonly tally: { delivered: number; notSent: number }
  readonly suspects = new Suspects()
  readonly large: LargeEvents
  #counters: RunCounters
  #unanswered = 0
  #resumeAt = 0
  #nextAt = 0
  readonly #halt = new AbortController()
  readonly #closed = new AbortController()
  readonly #pauseSignal: AbortSignal

  constructor(work: Work) {
    const { clock, signal, ledger } = work.parts
    const { counters, id } = work.run
    this.work = work
    this.large = new LargeEvents(work.parts.destination)
    this.#counters = counters
    const totals = ledger.totals(id)
    this.tally = {
      delivered: totals.delivered ?? 0,
      notSent: (totals.rejected ?? 0) + (totals.late ?? 0) + (totals.archived ?? 0),
    }
    this.deadLetters = Spool.open(ledger.folderOf(id), DEAD_LETTER_FILE, counters.deadLetterBytes)
    work.parts.destination.begins?.(noteOf(work))
    this.encodeOptions = { late: work.options.late, mark: markOf(work) }
    this.#pauseSignal = AbortSignal.any([signal, this.#halt.signal])
    const abandon = new AbortController()
    this.deliverySignal = abandon.signal
    const onAbort = (): void => {
      const stop = (): void => abandon.abort(signal.reason)
      clock.sleep(ABANDON_MS, this.#closed.signal).then(stop, stop)
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true, signal: this.#closed.signal })
  }

  get counters(): RunCounters {
    return this.#counters
  }

  /** The far side does not answer: whatever is sent now would only be unknown as well. */
  get isUnanswered(): boolean {
    return this.#unanswered >= MAX_UNANSWERED
  }

  /** What is sent once more by hand was refused before: it may well be at fault, all of it. */
  get holdsSuspects(): boolean {
    return this.work.run.question.mode !== 'resend'
  }

  close(): void {
    this.#closed.abort()
    this.deadLetters.close()
  }

  /** One delivery failed for good: the others finish the request they are in, and try nothing again. */
  halt(error: unknown): void {
    this.#halt.abort(error)
  }

  /** Waits for what a retry, the far side or `--max-rate` asks for. @throws the signal's reason, or that of `halt` */
  async pause(waitMs: number, events: number): Promise<void> {
    const { clock } = this.work.parts
    const { maxRate } = this.work.options
    this.#pauseSignal.throwIfAborted()
    const now = clock.now()
    let until = now + waitMs
    if (maxRate !== undefined) {
      until = Math.max(until, this.#nextAt)
      this.#nextAt = Math.max(until, this.#resumeAt) + Math.ceil((events / maxRate) * 1000)
    }
    // The far side may ask for more while this one waits.
    for (let next = Math.max(until, this.#resumeAt); next > clock.now(); next = this.#resumeAt)
      await clock.sleep(next - clock.now(), this.#pauseSignal)
    this.#pauseSignal.throwIfAborted()
  }

  slowDown(ms: number): void {
    this.#resumeAt = Math.max(this.#resumeAt, this.work.parts.clock.now() + ms)
  }

  answered(): void {
    this.#unanswered = 0
  }

  unanswered(): void {
    this.#unanswered += 1
  }

  /** The outcome of a stretch: dead letters reach the disk before the ledger speaks of them. */
  commit(pieces: readonly SpoolRange[], step: Step = {}, lost: ReadonlyMap<string, number> = NO_LOSS): void {
    const before = this.#counters
    if (this.deadLetters.length > before.deadLetterBytes) this.deadLetters.sync()
    const counters: RunCounters = {
      ...before,
      requests: before.requests + (step.requests ?? 0),
      retries: before.retries + (step.retries ?? 0),
      batches: before.batches + (step.batches ?? 0),
      bytesSent: before.bytesSent + (step.bytesSent ?? 0),
      duplicatesPossible: before.duplicatesPossible + (step.duplicatesPossible ?? 0),
      unverified: before.unverified + (step.unverified ?? 0),
      restamped: before.restamped + (step.restamped ?? 0),
      deadLetterBytes: this.deadLetters.length,
      notRebuilt: lost.size === 0 ? before.notRebuilt : plus(before.notRebuilt, lost),
    }
    this.#counters = counters
    const { ledger } = this.work.parts
    const isYes = pieces.every(({ state }) => state === 'delivered')
    if (isYes) ledger.settleSoon(this.work.run.id, pieces, counters)
    else ledger.settle(this.work.run.id, pieces, counters)
    for (const { state, count } of pieces) {
      if (state === 'delivered') this.tally.delivered += count
      else if (state === 'rejected' || state === 'late' || state === 'archived') this.tally.notSent += count
    }
    this.#observe()
  }

  /** Appends a dead letter with the event's own bytes; it counts once the stretch is committed. */
  letter({ spoolFrom, spoolTo }: Prepared, letter: Parameters<typeof appendDeadLetter>[2]): void {
    appendDeadLetter(this.deadLetters, this.work.spool.line(spoolFrom, spoolTo), letter)
  }

  /** Events that were refused alone are at fault, not the settings. */
  condemn(): void {
    for (const { item, outcome, attempts } of this.suspects.take()) {
      const { code, reason } = outcome
      this.letter(item, { code, reason, attempts })
      this.commit([rangeOf([item], 'rejected', { code, reason }, attempts, undefined)])
    }
  }

  /** Events that are not sent: written to the dead letters or the archive, then recorded. @throws what the archive threw: nothing is recorded then */
  async setAside(items: readonly Prepared[]): Promise<void> {
    const first = items[0]
    if (first === undefined) return
    const { code, reason, fate } = first
    if (fate === 'archive') await archiveEvents(this.work, items, this.deliverySignal)
    else {
      for (const item of items) {
        const letter = { code: item.code, reason: item.reason, attempts: 0 }
        this.letter(item, letter)
      }
    }
    const state = fate === 'archive' ? 'archived' : fate === 'late' ? 'late' : 'rejected'
    this.commit([rangeOf(items, state, { code, reason }, 0, undefined)])
  }

  #observe(): void {
    const { run, parts } = this.work
    parts.observe?.({
      phase: 'deliver',
      done: 0,
      events: run.spooled,
      total: run.spooled,
      delivered: this.tally.delivered,
      rejected: this.tally.notSent,
      retries: this.#counters.retries,
    })
  }
}

const NO_LOSS: ReadonlyMap<string, number> = new Map()

function plus(
  before: Readonly<Record<string, number>>,
  lost: ReadonlyMap<string, number>,
): Record<string, number> {
  const sum: Record<string, number> = { ...before }
  for (const [field, count] of lost) sum[field] = (sum[field] ?? 0) + count
  return sum
}

function noteOf({ run, parts }: Work): RunNote {
  const { mode, filter, windows, from, to } = run.question
  return {
    run: run.id,
    source: { name: parts.source.name, type: parts.source.shape.type },
    window: { from, to },
    query: {
      mode,
      filter: JSON.parse(filter) as unknown,
      ...((windows?.length ?? 0) > 1 ? { windows } : {}),
    },
    version: parts.version,
    journal: runJournal(parts.ledger.folderOf(run.id)),
  }
}

/** The same mark for every event of a run, also over resumes: `encode` is pure. */
export function markOf({ run, options }: Pick<Work, 'run' | 'options'>): ReplayMark | undefined {
  return options.mark ? { run: run.id, backfilledAt: new Date(run.createdAt).toISOString() } : undefined
}
