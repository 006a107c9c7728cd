import { type AuditEvent, compareEvents } from '../../core/event.ts'
import { IdSet } from '../../core/id-set.ts'
import { readSlices, type SliceEvents } from '../read-slices.ts'
import type { ExportOptions, ExportParts, Position, Watermark } from './types.ts'

/**
 * Rows written, compressed and hashed at once: cut by output rows, so that a resumed file has the same members as an uninterrupted one.
 * Few enough to stay in the cache of a core on their way to the file: four times as many cost a sixth more CPU.
 */
export const CHUNK_ROWS = 1024

export type Chunk = { readonly events: readonly AuditEvent[]; readonly doneThrough: number }
export type RowsEnd = { readonly warnings: readonly string[]; readonly brokenLines: number }

/**
 * The window's events in ascending order, in chunks of a fixed number of rows; what a resume (`after`) or an incremental export has written
 * already is left out. The events of a chunk are good until the chunk after the next is asked for: then their bytes are gone.
 */
export async function* chunksOf(
  parts: ExportParts,
  options: ExportOptions,
  from: { readonly after: Position | undefined; readonly watermark: Watermark | undefined },
): AsyncGenerator<Chunk, RowsEnd> {
  const { after, watermark } = from
  const window = { from: Math.max(options.window.from, after?.ms ?? 0), to: options.window.to }
  const seen = new IdSet({ expected: watermark?.recent.length ?? 0 })
  for (const [id] of watermark?.recent ?? []) seen.add(id)
  const end = { warnings: [] as string[], brokenLines: 0 }
  let chunk: AuditEvent[] = []
  const spent = new SpentSlices()
  const slices = readSlices(parts.source, window, options.filter, {
    ...parts,
    order: 'asc',
    onWarnings: (warnings, brokenLines) => {
      end.warnings.push(...warnings)
      end.brokenLines = brokenLines
    },
  })
  for await (const slice of slices) {
    // By number: iterators make an object for each event here.
    for (let n = 0; n < slice.events.length; n += 1) {
      const event = slice.events[n] as AuditEvent
      if (after !== undefined && isWritten(event, after)) continue
      if (watermark !== undefined && seen.has(event.id)) continue
      chunk.push(event)
      if (chunk.length === CHUNK_ROWS) {
        yield { events: chunk, doneThrough: slice.range.to }
        chunk = []
        spent.chunkDone()
      }
    }
    spent.add(slice)
  }
  if (chunk.length > 0) yield { events: chunk, doneThrough: window.to }
  return end
}

/** Slices of which every event was handed on, given back once nobody can hold one of them any more: two chunks later. */
class SpentSlices {
  #older: SliceEvents[] = []
  #newer: SliceEvents[] = []

  add(slice: SliceEvents): void {
    this.#newer.push(slice)
  }

  /** A chunk was consumed. The reader may still hold events of it, but none of the one before it. */
  chunkDone(): void {
    for (const slice of this.#older) slice.release()
    this.#older = this.#newer
    this.#newer = []
  }
}

function isWritten(event: AuditEvent, after: Position): boolean {
  if (event.occurredAtMs !== after.ms) return event.occurredAtMs < after.ms
  return (
    compareEvents(event, { ...POSITION, id: after.id, occurredAt: after.time, occurredAtMs: after.ms }) <= 0
  )
}

/** What `compareEvents` does not look at. */
const POSITION: AuditEvent = {
  source: '',
  id: '',
  occurredAt: '',
  occurredAtMs: 0,
  actor: undefined,
  action: '',
  target: undefined,
  buffer: new Uint8Array(),
  start: 0,
  end: 0,
  bytes: new Uint8Array(),
  record: () => ({}),
}

export function positionOf(event: AuditEvent): Position {
  return { ms: event.occurredAtMs, time: event.occurredAt, id: event.id }
}
