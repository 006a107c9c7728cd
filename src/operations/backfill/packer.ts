import type { Destination } from '../../core/destination.ts'
import { type AuditEvent, SPAN_FIELDS } from '../../core/event.ts'
import { type BatchRules, checkRules } from '../../streams/batch.ts'
import { NOTHING_LOST } from './encode.ts'
import { type EventTable, eventTable, PackedBatch } from './packed-batch.ts'

/** A body begins with this much room and grows to what it needs; the next begins as large as the one before ended. */
const FIRST_BYTES = 256 * 1024
const SPARE_BYTES = 8 * 1024
/** Bodies kept for reuse. */
const MAX_SPARE = 4

const NEWLINE = 0x0a

/** Events that lie one behind the other with a byte between them: a block of the spool. Rows as in `EventSpans`. */
export type Lines = { readonly bytes: Uint8Array; readonly rows: Int32Array; readonly times: Float64Array }

type Encode = NonNullable<Destination['encodeInto']>

/** What is kept of an event besides its bytes. */
export type Kept = {
  readonly position: number
  readonly spoolFrom: number
  readonly spoolTo: number
  readonly atMs: number
  readonly isRestamped: boolean
  readonly notRebuilt: readonly string[]
}

/**
 * Encodes events straight into the bodies of requests, in the batches that `Batcher` would make of them. An event is written behind the
 * others first; when it does not fit with them, its bytes move on into a body of their own.
 */
export class Packer {
  readonly #rules: BatchRules
  readonly #encode: Encode
  readonly #maxEvents: number
  readonly #maxSpanMs: number
  #size = FIRST_BYTES
  #batch: PackedBatch | undefined
  #body: Buffer = Buffer.alloc(0)
  /** Behind the last event of the batch, and behind the one that was written after it. */
  #at = 0
  #end = 0
  /** Bodies that are done with: fresh memory for each request would have to be cleared by the system and swept up by the collector. */
  readonly #spare: Buffer[] = []
  readonly #spareTables: EventTable[] = []
  readonly #takeBack = (body: Buffer, table: EventTable): void => {
    const whole = Buffer.from(body.buffer)
    if (this.#spare.length < MAX_SPARE && whole.length <= 2 * this.#size) this.#spare.push(whole)
    if (this.#spareTables.length < MAX_SPARE) this.#spareTables.push(table)
  }

  /** @throws RangeError when a limit leaves room for nothing */
  constructor(destination: Pick<Destination, 'encode' | 'encodeInto'>, rules: BatchRules) {
    checkRules(rules)
    this.#rules = rules
    this.#encode = destination.encodeInto ?? copying(destination)
    this.#maxEvents = rules.limits.maxEvents ?? Number.POSITIVE_INFINITY
    this.#maxSpanMs = rules.maxSpanMs ?? Number.POSITIVE_INFINITY
  }

  /** Encodes an event, which belongs to no batch before `keep`; gives its length. */
  write(streamed: Uint8Array, event: AuditEvent, options: Parameters<Encode>[4]): number {
    const start = this.#start()
    for (;;) {
      if (start <= this.#body.length) {
        this.#end = this.#encode(this.#body, start, streamed, event, options)
        if (this.#end >= 0) return this.#end - start
      }
      this.#grow()
    }
  }

  /** The event that was written last. */
  get written(): Uint8Array {
    return this.#body.subarray(this.#start(), this.#end)
  }

  /** Puts what was written last into a batch; gives the batch that is full without it. `event` itself is not kept. */
  keep(event: Kept): PackedBatch | undefined {
    const start = this.#start()
    const end = this.#end
    const body = this.#body
    if (this.#batch !== undefined && this.#hasRoom(this.#batch, event.atMs)) {
      const { separator } = this.#rules.frame
      if (separator !== '') body.write(separator, this.#at, 'latin1')
      this.#batch.add(start, end, event)
      this.#at = end
      return undefined
    }
    const full = this.finish()
    const at = this.#start()
    const behind = at + end - start
    while (behind > this.#body.length) this.#grow()
    if (full !== undefined) body.copy(this.#body, at, start, end)
    this.#batch = new PackedBatch(
      event.position,
      event.spoolFrom,
      this.#spareTables.pop() ?? eventTable(),
      this.#takeBack,
    )
    this.#batch.add(at, behind, event)
    this.#at = behind
    return full
  }

  /**
   * Puts as many of the lines `[from, to)` of a block into the batch that was begun as it has room for, all of them copied at once: for
   * events that are sent as they lie there. Gives the number of the first one left, and neither begins a batch nor ends one. `offset`: of
   * the block in the spool.
   */
  keepLines({ bytes, rows, times }: Lines, from: number, to: number, offset: number): number {
    const { limits, frame } = this.#rules
    const batch = this.#batch
    if (batch === undefined || frame.separator.length !== 1) return from
    const room = limits.maxBytes - frame.close.length
    const start = this.#start()
    const shift = start - (rows[from * SPAN_FIELDS] as number)
    let behind = start - 1
    let n = from
    for (; n < to && batch.count < this.#maxEvents; n += 1) {
      const begin = (rows[n * SPAN_FIELDS] as number) + shift
      const end = (rows[n * SPAN_FIELDS + 1] as number) + shift
      const atMs = times[n] as number
      if (begin !== behind + 1 || end > room || end - begin > limits.maxEventBytes) break
      if (Math.max(batch.newest, atMs) - Math.min(batch.oldest, atMs) > this.#maxSpanMs) break
      batch.addPlain(begin, end, offset + end - shift + 1, atMs)
      behind = end
    }
    if (n === from) return from
    batch.lacks(NOTHING_LOST)
    while (behind > this.#body.length) this.#grow()
    const body = this.#body
    body.set(bytes.subarray(start - shift, behind - shift), start)
    const separator = frame.separator.charCodeAt(0)
    body[start - 1] = separator
    if (separator !== NEWLINE)
      for (let k = from; k < n - 1; k += 1) body[(rows[k * SPAN_FIELDS + 1] as number) + shift] = separator
    this.#at = behind
    return n
  }

  /** The batch that was begun, if any; a next event begins another. */
  finish(): PackedBatch | undefined {
    const batch = this.#batch
    if (batch === undefined) return undefined
    const { open, close } = this.#rules.frame
    const length = this.#at + close.length
    while (length > this.#body.length) this.#grow()
    this.#body.write(open, 0, 'latin1')
    this.#body.write(close, this.#at, 'latin1')
    batch.close(this.#body.subarray(0, length))
    this.#batch = undefined
    this.#size = Math.max(FIRST_BYTES, length + SPARE_BYTES)
    this.#body = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#size)
    return batch
  }

  #hasRoom(batch: PackedBatch, atMs: number): boolean {
    const { limits, frame } = this.#rules
    if (this.#end + frame.close.length > limits.maxBytes || batch.count >= this.#maxEvents) return false
    return Math.max(batch.newest, atMs) - Math.min(batch.oldest, atMs) <= this.#maxSpanMs
  }

  /** Where the next event goes. */
  #start(): number {
    const { open, separator } = this.#rules.frame
    return this.#batch === undefined ? open.length : this.#at + separator.length
  }

  #grow(): void {
    this.#size = Math.max(this.#size, this.#body.length * 2)
    const larger = Buffer.allocUnsafeSlow(this.#size)
    larger.set(this.#body)
    this.#body = larger
  }
}

function copying(destination: Pick<Destination, 'encode'>): Encode {
  return (out, at, streamed, event, options) => {
    const encoded = destination.encode(streamed, event, options)
    if (at + encoded.length > out.length) return -1
    out.set(encoded, at)
    return at + encoded.length
  }
}
