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
 * The events' own bytes, a line each. Events that lie side by side in one reply, a byte between them, are copied as one region.
 * Given an `output`, the bytes are good until it is cleared; otherwise for good.
 */
export function jsonLines(events: readonly AuditEvent[], output = new OutputBuffer()): Uint8Array {
  output.clear()
  let size = events.length
  for (const event of events) size += event.end - event.start
  output.reserve(size)
  const lines = output.bytes
  let at = 0
  for (let first = 0; first < events.length; ) {
    const { buffer, start } = events[first] as AuditEvent
    const offset = at - start
    let next = first
    let end = start - 1
    for (; next < events.length; next += 1) {
      const event = events[next] as AuditEvent
      if (event.buffer !== buffer || event.start !== end + 1) break
      end = event.end
    }
    lines.set(buffer.subarray(start, end), at)
    for (let n = first; n < next; n += 1) lines[offset + (events[n] as AuditEvent).end] = NEWLINE
    at = offset + end + 1
    first = next
  }
  output.length = at
  return output.view()
}
