import type { Records } from '../../storage/records/read-records.ts'

/** Where ids go as they are read. */
export interface IdSink {
  take(bytes: Uint8Array, start: number, end: number, atMs: number): void
  takeText(id: string, atMs: number): void
}

/** Reads the ids of one form of file. */
export interface RowReader {
  /** Hands the ids of the records to the sink, or returns why the file cannot be trusted, with the line. */
  read(batch: Records, sink: IdSink): string | undefined
}
