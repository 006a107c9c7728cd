import type { AuditEvent } from '../../core/event.ts'
import type { RunGap } from '../../state/run-record.ts'

/** More gaps than this are counted, not listed: no report names them all. */
export const MOST_GAPS = 1000

/** The gaps that a scan comes upon, for the ledger; a resumed scan goes on in the one that was open. */
export class LostRanges {
  #open: { -readonly [Key in keyof RunGap]: RunGap[Key] } | undefined
  /** Of the open gap, as long as its bytes are there: its id is read once, not for each event. */
  #last: AuditEvent | undefined
  #closed: RunGap[] = []
  #next: number

  constructor(recorded: readonly RunGap[]) {
    const last = recorded.at(-1)
    this.#open = last?.isOpen === true ? { ...last } : undefined
    this.#next = last === undefined ? 0 : last.n + 1
  }

  /** An event of the source is held: the gap before it is over. */
  held(): void {
    const open = this.#named()
    if (open === undefined) return
    this.#closed.push({ ...open, isOpen: false })
    this.#open = undefined
  }

  /** @param position of the event in the spool, or where it would lie */
  missing(event: AuditEvent, position: number, isSpooled: boolean): void {
    this.#open ??= this.#opened(event, position)
    const open = this.#open
    open.missing += 1
    if (isSpooled) open.spooled += 1
    open.range = { from: open.range.from, to: event.occurredAtMs + 1 }
    this.#last = event
  }

  /** What the ledger does not know yet, as far as it is listed. */
  take(): readonly RunGap[] {
    const open = this.#named()
    const gaps = open === undefined ? this.#closed : [...this.#closed, { ...open }]
    this.#closed = []
    return gaps.filter(({ n }) => n < MOST_GAPS)
  }

  #opened({ id, occurredAtMs }: AuditEvent, position: number): RunGap {
    const range = { from: occurredAtMs, to: occurredAtMs + 1 }
    const n = this.#next
    this.#next += 1
    return { n, range, missing: 0, spoolFirst: position, spooled: 0, firstId: id, lastId: id, isOpen: true }
  }

  #named(): RunGap | undefined {
    if (this.#open !== undefined && this.#last !== undefined) this.#open.lastId = this.#last.id
    this.#last = undefined
    return this.#open
  }
}
