import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { type AuditEvent, SPAN_FIELDS, SpanEvent, type SpanPage } from '../core/event.ts'
import type { EventSpans } from '../core/json-slice.ts'
import { SpanList } from '../core/span-list.ts'

/**
 * Of a line: its length without the break, the bounds of its event's id and time from its start (-1 where they are to be searched), a gap, and
 * in the place of two more when it happened, in milliseconds.
 */
const FIELDS = 8
const LINE_BYTES = FIELDS * 4
const TIME = 3
/** Those of a row of a page. */
const BOUNDS = 5
const LINES = 4096
const NEWLINE = 0x0a
const bounds = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }

/**
 * Where the events of a spool lie, as the scan that wrote them found it, so that the delivery in the same process need not search its bytes
 * again. Nothing depends on it: it lives in memory and a nameless file, ends with the process, and what it says is checked against the lines.
 */
export class SpanIndex {
  /** Offset of the first line it knows. */
  readonly from: number
  readonly #path: string
  readonly #rows = new Int32Array(FIELDS * LINES)
  readonly #times = new Float64Array(this.#rows.buffer)
  #buffered = 0
  #written = 0
  #fd: number | undefined
  #isLost = false

  constructor(path: string, from: number) {
    this.#path = path
    this.from = from
  }

  add(event: AuditEvent): void {
    if (this.#isLost) return
    if (this.#buffered === LINES) this.#flush()
    const at = this.#buffered * FIELDS
    const rows = this.#rows
    rows[at] = event.end - event.start
    if (event instanceof SpanEvent) {
      rows[at + 1] = event.idStart - event.start
      rows[at + 2] = event.idEnd - event.start
      rows[at + 3] = event.timeStart - event.start
      rows[at + 4] = event.timeEnd - event.start
    } else rows.fill(-1, at + 1, at + BOUNDS)
    this.#times[at / 2 + TIME] = event.occurredAtMs
    this.#buffered += 1
  }

  /** The same for event `n` of a page. */
  addRow({ rows: from, times }: SpanPage, n: number): void {
    if (this.#isLost) return
    if (this.#buffered === LINES) this.#flush()
    const at = this.#buffered * FIELDS
    const row = n * SPAN_FIELDS
    const rows = this.#rows
    const start = from[row] as number
    for (let k = 0; k < BOUNDS; k += 1) rows[at + k] = (from[row + 1 + k] as number) - start
    this.#times[at / 2 + TIME] = times[n] as number
    this.#buffered += 1
  }

  /** The next lines cannot be described. */
  lose(): void {
    this.#isLost = true
  }

  /** The lines of a block, the first of which is line number `line` of the index; undefined when they are not what it knows. */
  spansOf(block: Uint8Array, line: number): EventSpans | undefined {
    if (this.#isLost) return undefined
    const list = new SpanList(block)
    let count = 0
    let times = new Float64Array(16 + (block.length >> 9))
    for (let at = 0; at < block.length; ) {
      const rows = this.#read(line + count)
      if (rows === undefined) return undefined
      const readTimes = new Float64Array(rows.buffer, rows.byteOffset, rows.length / 2)
      for (let row = 0; row < rows.length && at < block.length; row += FIELDS) {
        const end = at + (rows[row] as number)
        if (block[end] !== NEWLINE) return undefined
        const base = (rows[row + 1] as number) < 0 ? undefined : at
        bounds.idStart = base === undefined ? -1 : base + (rows[row + 1] as number)
        bounds.idEnd = base === undefined ? -1 : base + (rows[row + 2] as number)
        bounds.timeStart = base === undefined ? -1 : base + (rows[row + 3] as number)
        bounds.timeEnd = base === undefined ? -1 : base + (rows[row + 4] as number)
        list.add(at, end, bounds)
        if (count === times.length) times = larger(times)
        times[count] = readTimes[row / 2 + TIME] as number
        count += 1
        at = end + 1
      }
    }
    return list.spans({ times })
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#isLost = true
  }

  /** Some lines from that one on; none that were not added. */
  #read(line: number): Int32Array | undefined {
    if (line >= this.#written) {
      const rows = this.#rows.subarray((line - this.#written) * FIELDS, this.#buffered * FIELDS)
      return rows.length === 0 ? undefined : rows
    }
    const count = Math.min(LINES / 2, this.#written - line)
    const rows = new Int32Array(count * FIELDS)
    try {
      const read = readSync(this.#fd ?? -1, rows, 0, rows.byteLength, line * LINE_BYTES)
      return read === rows.byteLength ? rows : undefined
    } catch {
      return undefined
    }
  }

  #flush(): void {
    try {
      if (this.#fd === undefined) {
        this.#fd = openSync(this.#path, 'w+', 0o600)
        rmSync(this.#path, { force: true })
      }
      let at = 0
      const bytes = this.#buffered * LINE_BYTES
      while (at < bytes) at += writeSync(this.#fd, this.#rows, at, bytes - at)
      this.#written += this.#buffered
      this.#buffered = 0
    } catch {
      // Only time is lost with it: the lines are searched instead.
      this.lose()
    }
  }
}

function larger(times: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const copy = new Float64Array(times.length * 2)
  copy.set(times)
  return copy
}
