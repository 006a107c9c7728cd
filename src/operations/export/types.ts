import { createHash } from 'node:crypto'
import type { AuditEvent } from '../../core/event.ts'
import type { Compression, ExportDisk } from '../../core/export-disk.ts'
import type { EventFilter } from '../../core/filter.ts'
import type { ManifestFile } from '../../core/manifest.ts'
import type { Clock, Log, Observer } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import type { Ledger } from '../../state/ledger.ts'
import type { RunRecord } from '../../state/run-record.ts'

/** Turns events into the bytes of the format; `formats` makes it. */
export type RowWriter = { readonly header: Uint8Array; encode(events: readonly AuditEvent[]): Uint8Array }

export type ExportOptions = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly format: 'jsonl' | 'csv'
  readonly compression: Compression
  /** An absolute file or folder; undefined: stdout. */
  readonly target: { readonly kind: 'file' | 'folder'; readonly path: string } | undefined
  readonly overwrite: boolean
  readonly incremental: { readonly name: string; readonly overlapMs: number } | undefined
  /** In the manifest: the filters as asked. */
  readonly query: unknown
}

/** SHA-256 of the query as it stands in the manifest. */
export function queryHashOf({ query }: Pick<ExportOptions, 'query'>): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('hex')
}

export type ExportParts = {
  readonly source: AuditSource
  readonly ledger: Ledger | undefined
  readonly disk: ExportDisk
  readonly writer: RowWriter
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly observe?: Observer
  readonly version: string
  /** Stdout, with back-pressure: resolves when the bytes have left and may be overwritten. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly flush: () => Promise<void>
}

/** The event written last: what a resume goes on after. */
export type Position = { readonly ms: number; readonly time: string; readonly id: string }

/** What a resume needs, recorded in one step with every sync. */
export type ExportProgress = {
  readonly rows: number
  readonly bytes: number
  readonly rawBytes: number
  readonly last: Position | undefined
  readonly files: readonly ManifestFile[]
  /** Of a folder: its manifest tells it. */
  readonly idDigest: string
  /** Of an incremental export: what it wrote inside the overlap. */
  readonly recent: readonly (readonly [id: string, ms: number])[]
  /** Every event is in the part file; what is left is to give it its name. */
  readonly isWhole: boolean
  /** Of a file that is whole: input lines that were left out. */
  readonly brokenLines: number
}

export const NO_PROGRESS: ExportProgress = {
  rows: 0,
  bytes: 0,
  rawBytes: 0,
  last: undefined,
  files: [],
  idDigest: '0'.repeat(32),
  recent: [],
  isWhole: false,
  brokenLines: 0,
}

/** What an export that was given a name remembers: how far it is, and which ids of the overlap it has written. */
export type Watermark = {
  readonly doneThrough: number
  /** From here on every id that was written is in `recent`. */
  readonly since: number
  /** Where the first export of this name began: nothing older was ever asked for. */
  readonly begun: number
  readonly target: string
  /** Filters, columns and format: all exports of a name have the same. */
  readonly queryHash: string
  readonly recent: readonly (readonly [id: string, ms: number])[]
}

export type ExportResult = {
  readonly run: RunRecord | undefined
  readonly rows: number
  readonly bytes: number
  readonly files: number
  readonly complete: boolean
  readonly reasons: readonly string[]
  readonly warnings: readonly string[]
  readonly brokenLines: number
}
