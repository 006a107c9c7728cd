import type * as z from 'zod'
import type { HttpClient } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { AuditSource, EventShape } from '../core/source.ts'
import type { OpenStore } from '../storage/objects/open-store.ts'

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
  /** A request, where the service's own default is not meant. */
  readonly timeoutMs?: number | undefined
  /** Opens buckets; tests hand in one that lies in memory. */
  readonly openStore?: OpenStore
}

/** `Made`: a promise where a source must look something up before it can say what it is (a file learns the shape it holds). */
export type SourceDefinition<
  Options extends z.ZodType = z.ZodType,
  Made extends AuditSource | Promise<AuditSource> = AuditSource | Promise<AuditSource>,
> = {
  readonly type: string
  readonly title: string
  /** A `z.strictObject` that spreads `sourceCommon`. */
  readonly options: Options
  readonly shape: EventShape
  /** What `source types` says it can and cannot do, a short sentence each. */
  readonly notes: readonly string[]
  create(name: string, options: z.output<Options>, parts: SourceParts): Made
}

export function defineSource<Options extends z.ZodType, Made extends AuditSource | Promise<AuditSource>>(
  definition: SourceDefinition<Options, Made>,
): SourceDefinition<Options, Made> {
  return definition
}
