import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { LocalError, UserError } from '../core/errors.ts'
import { type AuditEvent, SPAN_FIELDS, SpanEvent, type SpanRun } from '../core/event.ts'
import type { EventSpans } from '../core/json-slice.ts'
import { SpanIndex } from './span-index.ts'

const BUFFER_BYTES = 1 << 20
const NEWLINE = 0x0a

/** Whole lines of a spool. `spans`: where their events lie, when this process wrote them itself. */
export type SpoolBlock = {
  readonly bytes: Uint8Array
  readonly offset: number
  readonly spans: EventSpans | undefined
}

/** A JSONL file that only grows, whose committed length the ledger knows: what lies beyond it after a crash is cut off. */
export class Spool {
  readonly path: string
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #buffered = 0
  #length: number
  /** The last buffer that was seen to hold no newline. */
  #compact: Uint8Array | undefined
  readonly #index: SpanIndex

  private constructor(path: string, fd: number, length: number) {
    this.path = path
    this.#fd = fd
    this.#length = length
    this.#index = new SpanIndex(`${path}.spans`, length)
  }

  /**
   * Opens `name` in the run's folder (0700, files 0600), cut to the length that was committed.
   * @throws UserError when less is there than was committed; LocalError when the disk fails
   */
  static open(folder: string, name: string, committedBytes: number): Spool {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, name)
      const fd = openSync(path, 'a+', 0o600)
      const { size } = fstatSync(fd)
      if (size < committedBytes) {
        closeSync(fd)
        throw damaged(path, `it ends at byte ${size}, and ${committedBytes} were recorded`)
      }
      ftruncateSync(fd, committedBytes)
      syncFolder(folder)
      return new Spool(path, fd, committedBytes)
    } catch (cause) {
      throw diskError(cause, join(folder, name))
    }
  }

  /** Bytes so far, unsynced ones included. */
  get length(): number {
    return this.#length
  }

  /** The event's own bytes and a line break. */
  append(event: AuditEvent): void {
    const { buffer, start, end } = event
    if (this.#hasNewline(buffer, start, end)) this.appendLine(Buffer.from(JSON.stringify(event.record())), 0)
    else {
      this.#index.add(event)
      this.#put(buffer, start, end)
    }
  }

  /** The same for one event after the other. Those that lie one behind the other in a reply are copied at once. */
  appendAll(events: readonly AuditEvent[]): void {
    for (let n = 0; n < events.length; ) {
      const event = events[n] as AuditEvent
      if (event instanceof SpanEvent && (event.isCompact || this.#isCompact(event.buffer))) {
        const run = event.runIn(events, n)
        this.#putRun(run)
        n += run.count
      } else {
        this.append(event)
        n += 1
      }
    }
  }

  /** None of the events holds a newline. */
  #putRun({ page, first, count }: SpanRun): void {
    const { buffer, rows, base } = page
    const end = first + count
    for (let n = first; n < end; ) {
      const start = rows[n * SPAN_FIELDS] as number
      // Where an event would begin in the buffer that begins at 0 in the reply.
      let shift = this.#buffered - start
      if ((rows[n * SPAN_FIELDS + 1] as number) + shift >= BUFFER_BYTES) {
        this.#flush()
        shift = -start
        const size = (rows[n * SPAN_FIELDS + 1] as number) - start
        if (size >= BUFFER_BYTES) {
          this.#index.addRow(page, n)
          this.#put(buffer, base + start, base + start + size)
          n += 1
          continue
        }
      }
      const from = n
      let to = start
      for (; n < end; n += 1) {
        const behind = (rows[n * SPAN_FIELDS + 1] as number) + shift
        if (behind >= BUFFER_BYTES) break
        this.#index.addRow(page, n)
        to = rows[n * SPAN_FIELDS + 1] as number
      }
      const target = this.#buffer
      target.set(buffer.subarray(base + start, base + to), start + shift)
      for (let k = from; k < n; k += 1) target[(rows[k * SPAN_FIELDS + 1] as number) + shift] = NEWLINE
      this.#buffered = to + shift + 1
      this.#length += to - start + 1
    }
  }

  /** A pretty-printed event would be several lines. */
  #hasNewline(buffer: Uint8Array, start: number, end: number): boolean {
    return !this.#isCompact(buffer) && buffer.subarray(start, end).includes(NEWLINE)
  }

  /** Most pages hold no newline at all, which one look at each tells where nobody has looked yet. */
  #isCompact(buffer: Uint8Array): boolean {
    if (buffer === this.#compact) return true
    if (buffer.includes(NEWLINE)) return false
    this.#compact = buffer
    return true
  }

  appendLine(bytes: Uint8Array, start: number, end = bytes.length): void {
    this.#index.lose()
    this.#put(bytes, start, end)
  }

  #put(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start
    if (this.#buffered + size + 1 > BUFFER_BYTES) this.#flush()
    if (size + 1 > BUFFER_BYTES) {
      this.#write(bytes, start, end)
      this.#write(Buffer.from('\n'), 0, 1)
    } else {
      this.#buffer.set(bytes.subarray(start, end), this.#buffered)
      this.#buffer[this.#buffered + size] = NEWLINE
      this.#buffered += size + 1
    }
    this.#length += size + 1
  }

  /** On disk when it returns. */
  sync(): void {
    this.#flush()
    try {
      fdatasyncSync(this.#fd)
    } catch (cause) {
      throw diskError(cause, this.path)
    }
  }

  /** The line that lies at `[from, to)`, without its line break. */
  line(from: number, to: number): Uint8Array {
    this.#flush()
    const bytes = Buffer.allocUnsafe(Math.max(0, to - from - 1))
    if (readSync(this.#fd, bytes, 0, bytes.length, from) === bytes.length) return bytes
    throw damaged(this.path, `the line at byte ${from} has no end`)
  }

  /**
   * Blocks of whole lines of `[from, to)`, with the offset of each block; reads what was synced or flushed. The bytes are overwritten when the
   * next block is asked for: a fresh buffer for each would be most of the garbage of a backfill.
   */
  *blocks(from: number, to: number): Generator<SpoolBlock> {
    this.#flush()
    let offset = from
    let line = from === this.#index.from ? 0 : undefined
    let size = BUFFER_BYTES
    let room = Buffer.allocUnsafeSlow(Math.max(0, Math.min(size, to - from)))
    while (offset < to) {
      if (size > room.length && room.length < to - offset) room = Buffer.allocUnsafeSlow(size)
      const bytes = room.subarray(0, Math.min(size, to - offset))
      const read = readSync(this.#fd, bytes, 0, bytes.length, offset)
      const end = bytes.lastIndexOf(NEWLINE, read - 1) + 1
      if (end === 0) {
        if (read < bytes.length || offset + read >= to)
          throw damaged(this.path, `the line at byte ${offset} has no end`)
        size *= 2
        continue
      }
      size = BUFFER_BYTES
      const block = bytes.subarray(0, end)
      const spans = line === undefined ? undefined : this.#index.spansOf(block, line)
      line = spans === undefined || line === undefined ? undefined : line + spans.count
      yield { bytes: block, offset, spans }
      offset += end
    }
  }

  close(): void {
    this.#flush()
    this.#index.close()
    closeSync(this.#fd)
  }

  #flush(): void {
    if (this.#buffered === 0) return
    const size = this.#buffered
    this.#buffered = 0
    this.#write(this.#buffer, 0, size)
  }

  #write(bytes: Uint8Array, start: number, end: number): void {
    try {
      for (let at = start; at < end; ) at += writeSync(this.#fd, bytes, at, end - at)
    } catch (cause) {
      throw diskError(cause, this.path)
    }
  }
}

/** A new file is only there for good once its folder is synced. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function damaged(path: string, how: string): UserError {
  return new UserError(`${path} is damaged: ${how}`, {
    code: 'state-damaged',
    hint: 'this run cannot be resumed; start afresh with --new',
  })
}

function diskError(cause: unknown, path: string): LocalError {
  if (cause instanceof UserError) throw cause
  const text = cause instanceof Error ? cause.message : String(cause)
  return new LocalError(`${path} could not be written: ${text}`, {
    cause,
    hint: 'free some space or check the disk, then run the same command again: it resumes where it was',
  })
}
