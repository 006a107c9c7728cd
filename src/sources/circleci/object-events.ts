import { UserError } from '../../core/errors.ts'
import { type AuditEvent, type JsonObject, NamedEvent, SpanEvent } from '../../core/event.ts'
import { instantOfText } from '../../core/instant.ts'
import { compactJson } from '../../core/json-members.ts'
import type { Log } from '../../core/runtime.ts'
import { isInside, type TimeRange } from '../../core/time-range.ts'
import { type ObjectRecord, objectRecords } from '../../storage/objects/object-records.ts'
import type { ObjectEntry, ObjectStore } from '../../storage/objects/store.ts'
import { partOf, textAt } from './read-record.ts'
import { circleciShape } from './shape.ts'

/** Told one by one up to this many: a wrong bucket would flood the log. */
const MAX_TOLD = 20
const NEWLINE = 0x0a
const utf8 = new TextDecoder('utf-8')

export type ReaderParts = { readonly store: ObjectStore; readonly log: Log; readonly isStrict: boolean }

/** Reads the events of objects, and remembers what was wrong with them. */
export class ObjectEvents {
  readonly #parts: ReaderParts
  /** By key, since an object may be read more than once. */
  readonly #broken = new Map<string, number>()
  readonly #misnamed = new Set<string>()
  #told = 0

  constructor(parts: ReaderParts) {
    this.#parts = parts
  }

  get brokenLines(): number {
    let count = 0
    for (const lines of this.#broken.values()) count += lines
    return count
  }

  /** @throws IncompleteError for an object that cannot be read to its end; UserError for a broken line with `isStrict` */
  async read(object: ObjectEntry, range: TimeRange, signal: AbortSignal): Promise<AuditEvent[]> {
    const { store } = this.#parts
    const events: AuditEvent[] = []
    let broken = 0
    const onBroken = (line: number, reason: string): void => {
      broken += 1
      if (!this.#broken.has(object.key)) this.#tell(object.key, line, reason)
    }
    const records = objectRecords(store, object, { ...circleciShape, signal, onBroken })
    for (;;) {
      const step = await records.next()
      if (step.done !== true) {
        const { records: batch, lineOf } = step.value
        const base = batch[0]?.start ?? 0
        // The text is read a region at a time: its events share a copy of what they lie in.
        const own = Buffer.from(step.value.bytes.subarray(base, batch.at(-1)?.end))
        for (const record of batch) {
          const event = eventOf(own, base, record)
          if (typeof event === 'string') onBroken(lineOf(record), event)
          else if (isInside(event.occurredAtMs, range)) events.push(event)
        }
        continue
      }
      if (broken > 0) this.#broken.set(object.key, broken)
      if (step.value === 'differs') this.#misname(object.key)
      return events
    }
  }

  warnings(): readonly string[] {
    const warnings: string[] = []
    const lines = this.brokenLines
    if (lines > 0) {
      warnings.push(
        `${lines} broken ${lines === 1 ? 'line' : 'lines'} in ${this.#broken.size} objects left out`,
      )
    }
    const [first] = this.#misnamed
    if (first !== undefined) {
      warnings.push(
        `${this.#misnamed.size} objects do not hold what their names say, such as ${first}: altered, renamed or cut off; their events were read all the same`,
      )
    }
    return warnings
  }

  #tell(key: string, line: number, reason: string): void {
    const { log, store, isStrict } = this.#parts
    const where = `${store.url}/${key}: line ${line}`
    if (isStrict) {
      throw new UserError(`${where} is broken: ${reason}`, {
        hint: 'without --strict such lines are reported, counted and left out',
        code: 'broken-line',
      })
    }
    this.#told += 1
    const message = `${where} is broken and was left out: ${reason}`
    if (this.#told <= MAX_TOLD) log.warn(message)
    else log.debug(message)
  }

  #misname(key: string): void {
    const message = `${this.#parts.store.url}/${key}: its content does not have the SHA-1 of its name`
    if (this.#parts.isStrict) {
      throw new UserError(message, {
        hint: 'it was altered, renamed or cut off; without --strict it is read and reported',
        code: 'altered-object',
      })
    }
    if (!this.#misnamed.has(key)) this.#parts.log.warn(message)
    this.#misnamed.add(key)
  }
}

/** The event at its place in `bytes`, which begin at `base` of the region, or in words what is wrong with it. */
function eventOf(bytes: Buffer, base: number, record: ObjectRecord): AuditEvent | string {
  const [start, end] = [record.start - base, record.end - base]
  // A value over several lines must become one line.
  const isOneLine = !bytes.subarray(start, end).includes(NEWLINE)
  if (isOneLine && record.idStart >= 0 && record.timeStart >= 0) {
    try {
      return SpanEvent.of(circleciShape.reader, bytes, {
        start,
        end,
        idStart: record.idStart - base,
        idEnd: record.idEnd - base,
        timeStart: record.timeStart - base,
        timeEnd: record.timeEnd - base,
      })
    } catch {
      return 'its occurred_at is not a time'
    }
  }
  const own = isOneLine ? Buffer.from(bytes.subarray(start, end)) : compactJson(bytes.subarray(start, end))
  return namedEvent(own)
}

/** Where id and time are no plain members, or the time stands in the copy for SIEMs only. */
function namedEvent(own: Uint8Array): AuditEvent | string {
  const record = JSON.parse(utf8.decode(own)) as JsonObject
  const id = textAt(record, 'id')
  const time = textAt(record, 'occurred_at') ?? textAt(partOf(record, 'common_fields'), 'timestamp')
  if (id === null) return 'it has no id'
  if (time === null) return 'it has no occurred_at'
  try {
    const occurredAtMs = instantOfText(time)
    return new NamedEvent(circleciShape.reader, own, { id, occurredAt: time, occurredAtMs, record })
  } catch {
    return 'its occurred_at is not a time'
  }
}
