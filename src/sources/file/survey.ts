import { isUtf8 } from 'node:buffer'
import { EventScanner } from '../../core/event-scanner.ts'
import { isPlainlyNamed } from '../../core/events-of.ts'
import { instantOf } from '../../core/instant.ts'
import { checked } from '../../core/json-check.ts'
import type { Outline } from '../../core/outlines.ts'
import type { EventShape } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { type OpenRecords, openRecords, type Records } from '../../storage/records/read-records.ts'
import type { BrokenLines } from './broken-lines.ts'
import { Chunk } from './chunk.ts'
import { compactJson } from './compact-json.ts'
import type { Input } from './input.ts'
import { nameOf } from './name-event.ts'
import { RowReader } from './row-to-json.ts'
import { NOT_PLAIN } from './rows.ts'
import type { Shelf } from './shelf.ts'

const OPEN_BRACE = 0x7b
const NEWLINE = 0x0a
const utf8 = new TextDecoder('utf-8')

export type SurveyParts = {
  readonly shape: EventShape
  readonly window: TimeRange
  readonly shelf: Shelf
  readonly broken: BrokenLines
  readonly signal: AbortSignal
  /** Looks at the first event: throws when it is none of the shape that was taken for granted. */
  readonly onFirst: (record: unknown, file: string) => void
  readonly onSkipped: (file: string, reason: string) => void
}

/** Passes over the input once and notes where each event of the window lies and when it happened. Every byte of every event is checked to be JSON. */
export class Survey {
  /** Events met, those beyond the window included. */
  met = 0
  readonly #parts: SurveyParts
  readonly #chunk = new Chunk()
  readonly #scanner: EventScanner
  #isPutAway = false

  constructor(parts: SurveyParts) {
    this.#parts = parts
    this.#scanner = new EventScanner(parts.shape)
  }

  /** Of the events met, by which their rows tell where their values are. */
  get outlines(): readonly Outline[] {
    return this.#scanner.outlines.all
  }

  /** @throws UserError, LocalError, IncompleteError */
  async add(input: Input): Promise<void> {
    const { shape } = this.#parts
    const opened = await openRecords(input.text(), {
      name: input.name,
      textForm: (head) => (isHeader(head, shape) ? 'rows' : 'lines'),
    })
    if (opened === undefined) return
    try {
      if (opened.form === 'lines' && input.mayBeOther && !(await input.hasObjects())) {
        this.#parts.onSkipped(input.name, 'it holds no events')
      } else await this.#addRecords(input, opened)
    } finally {
      await opened.close()
    }
  }

  async #addRecords(input: Input, { form, records, delimiter }: OpenRecords): Promise<void> {
    let reader: RowReader | undefined
    const isInPlace = input.start !== undefined && form !== 'rows' && form !== 'json-values'
    for (let next = await records.next(); ; next = await records.next()) {
      this.#parts.signal.throwIfAborted()
      if (next.done === true) {
        const { problem } = next.value
        if (problem !== undefined) this.#parts.broken.add(input.name, 1, problem)
        return
      }
      const batch = next.value
      if (form === 'rows') {
        const first = reader === undefined ? 1 : 0
        reader ??= new RowReader(textOf(batch, 0), delimiter)
        await this.#addRows(input, batch, reader, first)
      } else if (form === 'json-values') await this.#addValues(input, batch)
      else await this.#addLines(input, batch, isInPlace)
    }
  }

  /** To be called once after the last input. */
  async finish(): Promise<void> {
    if (this.#isPutAway) await this.#putAway()
    else this.#parts.shelf.keep(this.#chunk)
  }

  async #addLines(input: Input, batch: Records, isInPlace: boolean): Promise<void> {
    const { starts, ends, count } = batch.spans
    const from = starts[0] as number
    const to = ends[count - 1] as number
    if (to <= from) return
    await this.#roomFor(to - from)
    const chunk = this.#chunk
    const before = chunk.rows.count
    const at = chunk.put(batch.bytes, from, to)
    if (isInPlace)
      chunk.segments?.push({ path: input.name, offset: (input.start ?? 0) + batch.offset + from, at })
    else chunk.segments = undefined
    const isClean = isUtf8(batch.bytes.subarray(from, to))
    const shift = at - from
    for (let n = 0; n < count; n += 1) {
      const start = starts[n] as number
      const end = ends[n] as number
      if (start === end) continue
      const problem = this.#take(chunk.bytes, start + shift, end + shift, isClean, input.name)
      if (problem !== undefined) this.#parts.broken.add(input.name, batch.lineOf(n), problem)
    }
    if (chunk.rows.count === before) chunk.cutTo(at)
  }

  async #addValues(input: Input, batch: Records): Promise<void> {
    const { starts, ends, count } = batch.spans
    for (let n = 0; n < count; n += 1) {
      const start = starts[n] as number
      const end = ends[n] as number
      await this.#roomFor(end - start)
      const at = this.#chunk.room(end - start)
      this.#chunk.segments = undefined
      // A value over several lines must become one line; one that is compact keeps its bytes.
      const isOneLine = !batch.bytes.subarray(start, end).includes(NEWLINE)
      if (isOneLine) this.#chunk.put(batch.bytes, start, end)
      else this.#chunk.filled = compactJson(batch.bytes, start, end, this.#chunk.bytes, at)
      this.#addLast(input, batch, n, at, isUtf8(batch.bytes.subarray(start, end)))
    }
  }

  async #addRows(input: Input, batch: Records, reader: RowReader, first: number): Promise<void> {
    for (let n = first; n < batch.spans.count; n += 1) {
      const start = batch.spans.starts[n] as number
      const end = batch.spans.ends[n] as number
      const isClean = isUtf8(batch.bytes.subarray(start, end))
      const answer = isClean ? reader.json(textOf(batch, n)) : { problem: 'it is not UTF-8' }
      if ('problem' in answer) {
        this.#parts.broken.add(input.name, batch.lineOf(n), answer.problem)
        continue
      }
      const bytes = Buffer.from(answer.json)
      await this.#roomFor(bytes.length)
      this.#chunk.segments = undefined
      const at = this.#chunk.put(bytes, 0, bytes.length)
      this.#addLast(input, batch, n, at, true)
    }
  }

  #addLast(input: Input, batch: Records, n: number, at: number, isClean: boolean): void {
    const chunk = this.#chunk
    const before = chunk.rows.count
    chunk.bytes[chunk.filled] = NEWLINE
    const problem = this.#take(chunk.bytes, at, chunk.filled, isClean, input.name)
    if (problem !== undefined) this.#parts.broken.add(input.name, batch.lineOf(n), problem)
    if (chunk.rows.count === before) chunk.cutTo(at)
  }

  /** Notes the event, or says what is wrong with it. */
  #take(bytes: Buffer, start: number, end: number, isClean: boolean, file: string): string | undefined {
    const { shape, window } = this.#parts
    const over = this.#scanner.check(bytes, start, end)
    const { isKnown } = this.#scanner
    if (over !== end || bytes[start] !== OPEN_BRACE) return notAnEvent(bytes, start, end, over)
    if (!isClean && !isUtf8(bytes.subarray(start, end))) return 'it is not UTF-8'
    let found: typeof checked = checked
    let timeMs: number
    const { idStart, idEnd, timeStart, timeEnd } = checked
    const isPlain = isPlainlyNamed(shape, bytes, idStart, idEnd, timeStart, timeEnd)
    if (isPlain && this.met > 0) {
      try {
        timeMs = instantOf(bytes, timeStart, timeEnd)
      } catch {
        return `its ${shape.timeKey} is not a time`
      }
    } else {
      const record: unknown = JSON.parse(utf8.decode(bytes.subarray(start, end)))
      const named = nameOf(record, shape)
      if (typeof named === 'string') return named
      if (this.met === 0) this.#parts.onFirst(record, file)
      if (!isPlain) found = NOT_PLAIN
      timeMs = named.occurredAtMs
    }
    this.met += 1
    if (timeMs >= window.from && timeMs < window.to) {
      const known = isKnown && found === checked ? this.#scanner.outlines : undefined
      this.#chunk.rows.add(start, end, found, timeMs, known)
    }
    return undefined
  }

  async #roomFor(bytes: number): Promise<void> {
    if (this.#chunk.isFullWith(bytes)) await this.#putAway()
  }

  async #putAway(): Promise<void> {
    this.#isPutAway = true
    await this.#parts.shelf.put(this.#chunk)
  }
}

/** A CSV header that names the columns an event cannot do without. */
function isHeader(line: string, shape: EventShape): boolean {
  const names = line.split(/[,;\t]/).map((name) => name.trim().replace(/^"|"$/g, ''))
  return names.includes(shape.idKey) && names.includes(shape.timeKey)
}

function notAnEvent(bytes: Buffer, start: number, end: number, over: number): string {
  if (bytes[start] !== OPEN_BRACE) return `it is not a JSON object: ${excerpt(bytes, start, end)}`
  if (over >= 0) return `something follows its JSON: ${excerpt(bytes, over, end)}`
  if (over === -1) return 'its JSON is cut off'
  const at = -2 - over
  return `its JSON breaks off at byte ${at - start + 1}: ${excerpt(bytes, Math.max(start, at - 10), end)}`
}

function excerpt(bytes: Buffer, start: number, end: number): string {
  return JSON.stringify(bytes.toString('utf8', start, Math.min(end, start + 30)))
}

function textOf(batch: Records, n: number): string {
  return batch.bytes.toString('utf8', batch.spans.starts[n] ?? 0, batch.spans.ends[n] ?? 0)
}
