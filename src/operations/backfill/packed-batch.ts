import type { Batch } from './batches.ts'
import { NOTHING_LOST, type Prepared } from './encode.ts'
import type { Kept } from './packer.ts'

const NO_BODY = Buffer.alloc(0)

/** Of an event: where it begins and ends in the body, where its line ends in the spool, and its time. */
const FIELDS = 4
const FIRST_EVENTS = 1000

/** What is known of the events of a batch, reused like the bodies. */
export type EventTable = Float64Array

export function eventTable(events = FIRST_EVENTS): EventTable {
  return new Float64Array(events * FIELDS)
}

/**
 * A batch whose events lie one behind the other in the body of their request. Per event there are only numbers: objects that live until the
 * answer comes were most of what the collector had to copy. `items` makes them where an answer does not settle the batch as a whole.
 */
export class PackedBatch implements Batch {
  readonly fate = 'send'
  count = 0
  restamped = 0
  oldest = Number.POSITIVE_INFINITY
  newest = Number.NEGATIVE_INFINITY
  readonly first: number
  readonly spoolFrom: number
  #table: EventTable
  readonly #restamped = new Set<number>()
  /** Stretches of events with the same list, by where they end. */
  readonly #notRebuilt: { readonly fields: readonly string[]; to: number }[] = []
  #body: Buffer = NO_BODY
  readonly #giveBack: (body: Buffer, table: EventTable) => void
  #items: readonly Prepared[] | undefined

  /** `giveBack` takes body and table once nobody looks at them any more. */
  constructor(
    first: number,
    spoolFrom: number,
    table: EventTable,
    giveBack: (body: Buffer, table: EventTable) => void,
  ) {
    this.#table = table
    this.#giveBack = giveBack
    this.first = first
    this.spoolFrom = spoolFrom
  }

  get spoolTo(): number {
    return this.count === 0 ? this.spoolFrom : this.#of(this.count - 1, 2)
  }

  /** The whole body, with the frame around the events. */
  get body(): Buffer {
    return this.#body
  }

  get bytes(): number {
    return this.#body.length
  }

  get items(): readonly Prepared[] {
    this.#items ??= Array.from({ length: this.count }, (_, i) => this.#item(i))
    return this.#items
  }

  close(body: Buffer): void {
    this.#body = body
  }

  /** Gives the body's memory to a later batch. Only once the far side has answered for all of it: until then it may still be read. */
  release(): void {
    // Items are views of it.
    if (this.#items === undefined && this.#body !== NO_BODY) this.#giveBack(this.#body, this.#table)
    this.#body = NO_BODY
  }

  /** Notes the event that lies at `[start, end)` of the body. */
  add(start: number, end: number, { spoolTo, atMs, isRestamped, notRebuilt }: Kept): void {
    if (isRestamped) {
      this.#restamped.add(this.count)
      this.restamped += 1
    }
    this.addPlain(start, end, spoolTo, atMs)
    this.lacks(notRebuilt)
  }

  /** The same for an event that is not restamped; `lacks` is to be told of it, or of it and those before it at once. */
  addPlain(start: number, end: number, spoolTo: number, atMs: number): void {
    const at = this.count * FIELDS
    if (at === this.#table.length) this.#grow()
    const table = this.#table
    table[at] = start
    table[at + 1] = end
    table[at + 2] = spoolTo
    table[at + 3] = atMs
    this.count += 1
    if (atMs < this.oldest) this.oldest = atMs
    if (atMs > this.newest) this.newest = atMs
  }

  /** What could not be rebuilt of the events that were added last. */
  lacks(fields: readonly string[]): void {
    // An object for each event would outlive the request and keep the collector busy.
    const last = this.#notRebuilt.at(-1)
    if (last !== undefined && isSameList(last.fields, fields)) last.to = this.count
    else this.#notRebuilt.push({ fields, to: this.count })
  }

  addLossesTo(lost: Map<string, number>): void {
    let from = 0
    for (const { fields, to } of this.#notRebuilt) {
      for (const field of fields) lost.set(field, (lost.get(field) ?? 0) + to - from)
      from = to
    }
  }

  #grow(): void {
    const larger = eventTable((2 * this.#table.length) / FIELDS)
    larger.set(this.#table)
    this.#table = larger
  }

  #of(i: number, field: number): number {
    return this.#table[i * FIELDS + field] as number
  }

  #item(i: number): Prepared {
    return {
      position: this.first + i,
      spoolFrom: i === 0 ? this.spoolFrom : this.#of(i - 1, 2),
      spoolTo: this.#of(i, 2),
      fate: 'send',
      encoded: this.#body.subarray(this.#of(i, 0), this.#of(i, 1)),
      atMs: this.#of(i, 3),
      isRestamped: this.#restamped.has(i),
      notRebuilt: this.#notRebuilt.find(({ to }) => i < to)?.fields ?? NOTHING_LOST,
      code: '',
      reason: '',
    }
  }
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((field, n) => field === b[n]))
}
