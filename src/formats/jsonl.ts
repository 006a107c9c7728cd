import type { AuditEvent } from '../core/event.ts'
import type { EventWriter, EventWriterOptions } from './event-writer.ts'
import { jsonTextAt } from './json-text-at.ts'
import { OutputBuffer } from './output-buffer.ts'

const NEWLINE = 0x0a

/** JSON Lines. Without columns each line is the event's own bytes; with columns an object of these dotted paths, null where there is none. */
export function jsonlWriter({ columns }: EventWriterOptions = {}): EventWriter {
  const output = new OutputBuffer()
  const fields = columns?.map((column) => ({ name: JSON.stringify(column), path: column.split('.') }))
  return {
    extension: 'jsonl',
    header: new Uint8Array(),
    encode(events) {
      if (fields === undefined) return jsonLines(events, output)
      output.clear()
      for (const event of events) {
        const members = fields.map(({ name, path }) => `${name}:${jsonTextAt(event.bytes, path) ?? 'null'}`)
        output.text(`{${members.join(',')}}\n`)
      }
      return output.view()
    },
  }
}

/**
 * The events' own bytes, a line each. Given an `output`, the bytes are good until it is cleared; otherwise for good.
 */
export function jsonLines(events: readonly AuditEvent[], output = new OutputBuffer()): Uint8Array {
  output.clear()
  for (let first = 0; first < events.length; ) {
    const run = runFrom(events, first)
    if (run.isOneRegion) copyRegion(events, first, run, output)
    else copyEach(events, first, run, output)
    first = run.next
  }
  return output.view()
}

/** Events that follow each other and lie in one buffer. */
type Run = {
  readonly next: number
  /** Of the events alone. */
  readonly bytes: number
  /** Where in the buffer they all lie. */
  readonly from: number
  readonly to: number
  /** Side by side in their order, a byte between them. */
  readonly isOneRegion: boolean
}

function runFrom(events: readonly AuditEvent[], first: number): Run {
  const { buffer, start } = events[first] as AuditEvent
  let next = first
  let bytes = 0
  let from = start
  let to = start
  let end = start - 1
  let isOneRegion = true
  for (; next < events.length; next += 1) {
    const event = events[next] as AuditEvent
    if (event.buffer !== buffer) break
    if (event.start !== end + 1) isOneRegion = false
    end = event.end
    if (event.start < from) from = event.start
    if (end > to) to = end
    bytes += end - event.start
  }
  return { next, bytes, from, to, isOneRegion }
}

/** One copy; the bytes between the events then become line ends. */
function copyRegion(events: readonly AuditEvent[], first: number, run: Run, output: OutputBuffer): void {
  const { buffer } = events[first] as AuditEvent
  output.reserve(run.to - run.from + 1)
  const lines = output.bytes
  const offset = output.length - run.from
  lines.set(buffer.subarray(run.from, run.to), output.length)
  for (let n = first; n < run.next; n += 1) lines[offset + (events[n] as AuditEvent).end] = NEWLINE
  output.length += run.to - run.from + 1
}

/**
 * A copy for each event, as for a page that came newest first. The region is first brought behind the lines: copying within one buffer
 * makes no view for each event, which would cost more than the copying. Events strewn over a large region are copied from where they lie.
 */
function copyEach(events: readonly AuditEvent[], first: number, run: Run, output: OutputBuffer): void {
  const { buffer } = events[first] as AuditEvent
  const size = run.bytes + run.next - first
  const region = run.to - run.from
  const isStrewn = region > 2 * size
  output.reserve(size + (isStrewn ? 0 : region))
  const lines = output.bytes
  let at = output.length
  const offset = at + size - run.from
  if (!isStrewn) lines.set(buffer.subarray(run.from, run.to), at + size)
  for (let n = first; n < run.next; n += 1) {
    const { start, end } = events[n] as AuditEvent
    if (isStrewn) lines.set(buffer.subarray(start, end), at)
    else lines.copyWithin(at, offset + start, offset + end)
    at += end - start
    lines[at] = NEWLINE
    at += 1
  }
  output.length = at
}
