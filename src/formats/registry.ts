import type { EventWriter, EventWriterOptions } from './event-writer.ts'

export type FormatName = 'jsonl' | 'csv'

/** Formats of events and where they live: one line each, loaded when a command needs one. */
export const FORMATS: Readonly<Record<FormatName, (options: EventWriterOptions) => Promise<EventWriter>>> = {
  jsonl: (options) => import('./jsonl.ts').then((file) => file.jsonlWriter(options)),
  csv: (options) => import('./csv-bytes.ts').then((file) => file.csvWriter(options.columns ?? [], options)),
}
