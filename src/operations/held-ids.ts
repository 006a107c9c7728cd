import { AuthError, IncompleteError } from '../core/errors.ts'
import { type AuditEvent, SpanEvent } from '../core/event.ts'
import { IdSet } from '../core/id-set.ts'
import type { FilledEnd, Inventory } from '../core/inventory.ts'
import type { Log } from '../core/runtime.ts'
import { isInside, isoTime, MINUTE_MS, type TimeRange } from '../core/time-range.ts'
import { sayThrottle } from './window-warnings.ts'

/** How often an incomplete answer is asked again in halves before it is an error. */
const MAX_SPLITS = 5

export type HeldParts = { readonly inventory: Inventory; readonly log: Log; readonly signal: AbortSignal }

/** One complete answer: the ids, and those met more than once with how often beyond the first. */
type Answer = {
  readonly range: TimeRange
  readonly ids: IdSet
  readonly again: Map<string, number>
  readonly rows: number
}

/** Without making a string of the id where it lies in the event's bytes. */
function isMarked(ids: IdSet, event: AuditEvent): boolean {
  const mark =
    event instanceof SpanEvent ? ids.markAt(event.buffer, event.idStart, event.idEnd) : ids.mark(event.id)
  return mark !== 'absent'
}

/** What the inventory holds of a window, a piece at a time; events must be looked up in ascending order of time. */
export class HeldIds {
  rows = 0
  duplicates = 0
  unexpected = 0
  readonly #parts: HeldParts
  readonly #pieces: readonly TimeRange[]
  readonly #window: TimeRange
  #next = 0
  #piece: TimeRange | undefined
  #answers: Answer[] = []

  private constructor(parts: HeldParts, pieces: readonly TimeRange[], window: TimeRange) {
    this.#parts = parts
    this.#pieces = pieces
    this.#window = window
  }

  /** Plans the window; nothing is asked for ids before the first event comes. */
  static async over(parts: HeldParts, window: TimeRange): Promise<HeldIds> {
    const pieces = await advised(() => parts.inventory.plan(window, parts))
    sayThrottle(parts.inventory, pieces.length, parts.log)
    return new HeldIds(parts, pieces, window)
  }

  /** @throws IncompleteError when the piece that the event lies in could not be shown complete */
  async has(event: AuditEvent): Promise<boolean> {
    while (this.#piece === undefined || event.occurredAtMs >= this.#piece.to) {
      if (!(await this.#advance())) return false
    }
    return this.hasNow(event)
  }

  /** The piece in hand can still answer for the event without asking the SIEM again. */
  holdsPieceOf(event: AuditEvent): boolean {
    return this.#piece !== undefined && event.occurredAtMs < this.#piece.to
  }

  /** `has` without the wait, for an event of the piece in hand. */
  hasNow(event: AuditEvent): boolean {
    let isHeld = false
    // Halves of a split piece may each hold it, and each then has an entry that is not unexpected.
    for (const { ids } of this.#answers) if (isMarked(ids, event)) isHeld = true
    return isHeld
  }

  /** Pieces after the last event are read too: what they hold is unexpected. */
  async finish(): Promise<void> {
    while (await this.#advance()) {
      // Each step accounts for one piece.
    }
  }

  async #advance(): Promise<boolean> {
    this.#closePiece()
    const piece = this.#pieces[this.#next]
    if (piece === undefined) return false
    this.#next += 1
    await this.#load(piece, 0)
    this.#piece = piece
    return true
  }

  #closePiece(): void {
    const { tellsTime } = this.#parts.inventory.traits
    for (const { ids, again, rows, range } of this.#answers) {
      this.rows += rows
      // Without times a repeated row may lie outside the window; only repeats of what the source has are known to be ours.
      for (const [id, count] of again) if (tellsTime || ids.isMarked(id)) this.duplicates += count
      if (!tellsTime) continue
      for (const { number } of ids.unmarked()) {
        if (number !== undefined && isInside(number, range) && isInside(number, this.#window))
          this.unexpected += 1
      }
    }
    for (const { ids } of this.#answers) ids.close()
    this.#answers = []
    this.#piece = undefined
  }

  async #load(range: TimeRange, depth: number): Promise<void> {
    const { inventory, signal, log } = this.#parts
    const ids = new IdSet({
      numbers: inventory.traits.tellsTime,
      spill: inventory.spilling?.open,
      maxBytes: inventory.spilling?.maxBytes,
    })
    const again = new Map<string, number>()
    const onRepeat = (id: string, at: number): void => {
      // A row of another time belongs to another piece, or to nobody's window: it may be looked up, but it counts for nothing.
      if (Number.isNaN(at) || isInside(at, range)) again.set(id, (again.get(id) ?? 0) + 1)
    }
    const end = await advised(async () =>
      inventory.fill === undefined
        ? await this.#fill(range, ids, onRepeat)
        : await inventory.fill(range, ids, { signal, onRepeat }),
    )
    signal.throwIfAborted()
    if (!end.exhausted) ids.close()
    if (end.exhausted) {
      this.#answers.push({ range, ids, again, rows: end.rows })
      return
    }
    const reason = end.reason ?? 'the answer ended early'
    if (depth >= MAX_SPLITS || range.to - range.from <= MINUTE_MS) {
      throw new IncompleteError(
        `the inventory of ${inventory.name} for ${isoTime(range.from)} to ${isoTime(range.to)} could not be shown complete: ${reason}`,
        { hint: 'nothing was concluded and nothing was sent; try again later or with a smaller window' },
      )
    }
    log.debug(`incomplete answer, asked again in halves: ${reason}`)
    const middle = range.from + Math.floor((range.to - range.from) / 2)
    await this.#load({ from: range.from, to: middle }, depth + 1)
    await this.#load({ from: middle, to: range.to }, depth + 1)
  }

  async #fill(range: TimeRange, set: IdSet, onRepeat: (id: string, at: number) => void): Promise<FilledEnd> {
    const answer = this.#parts.inventory.ids(range, this.#parts)
    let rows = 0
    for (;;) {
      const step = await answer.next()
      if (step.done) return { ...step.value, rows }
      const { ids, atMs } = step.value
      for (let i = 0; i < ids.length; i += 1) {
        const [id, at] = [ids[i] ?? '', atMs?.[i] ?? Number.NaN]
        const isNew = set.add(id, at)
        if (!isNew) onRepeat(id, at)
        if (Number.isNaN(at) || isInside(at, range)) rows += 1
      }
    }
  }
}

/** Refused search credentials stop the comparison; what still works without a search is said with them. */
async function advised<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    const still =
      'until then the held ids can be given with --inventory FILE; query, export and backfill --all need no search'
    const { message, hint, service, operation, status, requestId, attempts } = error
    throw new AuthError(message, {
      cause: error,
      hint: hint === undefined ? still : `${hint}; ${still}`,
      ...(service === undefined ? {} : { service }),
      ...(operation === undefined ? {} : { operation }),
      ...(status === undefined ? {} : { status }),
      requestId,
      attempts,
    })
  }
}
