import type * as z from 'zod'
import type { HttpClient } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { AuditSource, EventShape } from '../core/source.ts'

/** What a source is handed besides its settings. */
export type SourceParts = {
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Log
  /** A fresh private folder (0700) for spooled partitions; removed by whoever built the parts. */
  scratch(): Promise<string>
  readonly stdin: AsyncIterable<Uint8Array>
  /** Folder that relative paths of the configuration start from. */
  readonly baseDir: string
  /** Shapes of other products by type, for files that hold their exports (`of`). */
  shape(type: string): Promise<EventShape>
  /** `--strict`: a broken input line ends the command. */
  readonly strict: boolean
}

export type SourceDefinition<Options extends z.ZodType = z.ZodType> = {
  readonly type: string
  readonly title: string
  /** A `z.strictObject` that spreads `sourceCommon`. */
  readonly options: Options
  readonly shape: EventShape
  /** What `source types` says it can and cannot do, a short sentence each. */
  readonly notes: readonly string[]
  create(name: string, options: z.output<Options>, parts: SourceParts): AuditSource
}

export function defineSource<Options extends z.ZodType>(
  definition: SourceDefinition<Options>,
): SourceDefinition<Options> {
  return definition
}
