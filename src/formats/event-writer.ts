import type { AuditEvent } from '../core/event.ts'

/** Turns pages of events into the bytes of a file or of stdout. */
export interface EventWriter {
  /** How a file of it ends, without a dot. */
  readonly extension: 'jsonl' | 'csv'
  /** What a file begins with, also when it holds no event; empty for most formats. */
  readonly header: Uint8Array
  /** The events in their order. The bytes lie in a buffer that is used again: write or copy them before the next call. */
  encode(events: readonly AuditEvent[]): Uint8Array
}

export type EventWriterOptions = {
  /** Dotted paths. CSV: all columns, in this order. JSON Lines: only these members of each event; undefined for the event as it came. */
  readonly columns?: readonly string[] | undefined
  /** Cells that a spreadsheet would run as a formula get an apostrophe in front. CSV only; on unless switched off. */
  readonly guard?: boolean | undefined
}
