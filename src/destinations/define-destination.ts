import type * as z from 'zod'
import type { AcceptWindow, BatchLimits, Destination, Frame, LatePolicy } from '../core/destination.ts'
import type { HttpClient } from '../core/http.ts'
import type { Clock, Log } from '../core/runtime.ts'
import type { OpenStore } from '../storage/objects/open-store.ts'

export type DestinationParts = {
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Log
  readonly baseDir: string
  /** A request, where the service's own default is not meant. */
  readonly timeoutMs?: number | undefined
  /** Opens buckets; tests hand in one that lies in memory. */
  readonly openStore?: OpenStore
}

export type DestinationDefinition<Options extends z.ZodType = z.ZodType> = {
  readonly provider: string
  readonly title: string
  /** A `z.strictObject` that spreads `streamCommon`. */
  readonly options: Options
  /** What `stream types` prints; a configured stream may stay below `hard`, never above. */
  readonly limits: { readonly default: BatchLimits; readonly hard: BatchLimits }
  readonly frame: Frame
  readonly accepts: AcceptWindow
  /** What is known of the ages that the far side keeps where `accepts` has no figure; left out: any age. */
  readonly keeps?: string
  readonly lateDefault: LatePolicy
  /** What the figures of `accepts` and `lateDefault` hold for, or what changes them, in a few words each. */
  readonly notes?: { readonly accepts?: string; readonly late?: string }
  readonly graceMs: number
  /** Where the id stands in a row of the SIEM for what this provider is sent: what can be searched, in words, or `no`. */
  readonly searchable: string
  /** The set-up step by step, with the texts to paste, for `stream guide`; for that type of source, where it matters. */
  guide(sourceType?: string): string
  create(name: string, options: z.output<Options>, parts: DestinationParts): Destination
}

export function defineDestination<Options extends z.ZodType>(
  definition: DestinationDefinition<Options>,
): DestinationDefinition<Options> {
  return definition
}
