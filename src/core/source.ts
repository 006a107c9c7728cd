import type { Check } from './check.ts'
import type { AuditEvent, EventReader, JsonObject } from './event.ts'
import type { EventFilter, FilterFields } from './filter.ts'
import type { TimeRange } from './time-range.ts'

export type Order = 'asc' | 'desc'

/** Some events of a slice; a page may be empty while more follow. */
export type Page = readonly AuditEvent[]

/** A part of a window that can be read again. `label` is for logs and `--explain`. */
export type Slice = {
  readonly index: number
  readonly range: TimeRange
  readonly label?: string
  /** What the source itself needs to read it; nobody else looks inside. */
  readonly key?: unknown
}

export type SourceTraits = {
  /** How long after it happened an event may still turn up in the source. */
  readonly allowedLatenessMs: number
  /** How long the product's own stream may still be retrying an event: until then its absence from the SIEM proves nothing. */
  readonly liveRetryMs: number
  /** How far back the source keeps events, when it is known. */
  readonly retentionMs: number | undefined
  /** Reading leaves events of its own in the log (Infisical's `view-audit-logs`): such an event is recognised by this. */
  isOwnRead?(event: AuditEvent): boolean
}

export type OpenOptions = {
  readonly order: Order
  /** How many slices the caller will read at once; sources size their slices with it. */
  readonly concurrency: number
  readonly signal: AbortSignal
  /** The most events the caller wants, when it knows: `query -n 50` must not plan for a million. */
  readonly limit?: number
}

export interface OpenWindow {
  /**
   * Disjoint slices that together cover the window, in the asked order; planned ahead, so that several can be read at once and delivered
   * in order. May adapt their width to what reading earlier ones has shown.
   */
  slices(): AsyncIterable<Slice>
  /**
   * Every matching event of the slice at least once, in any order, or an error: a slice that could not be shown complete is never a short
   * one. Callers drop repeats and test each event again, since servers skip filters in silence.
   * @throws IncompleteError when the slice cannot be shown complete
   */
  read(slice: Slice, signal: AbortSignal): AsyncIterable<Page>
  /** What the reader should be told once the window was read: suspicious silence, widened filters, a server generation. */
  warnings(): readonly string[]
  /** Input lines that were no events and were left out, each already reported through the log: files only. */
  brokenLines?(): number
  close(): Promise<void>
}

/** How the native shape is turned into what the product would have streamed. */
export type Streamed = { readonly bytes: Uint8Array; readonly notRebuilt: readonly string[] }

/** What `--explain` prints: what the server is asked, what is checked here. */
export type SourcePlan = {
  readonly requests: readonly string[]
  readonly pushedDown: readonly string[]
  readonly local: readonly string[]
  readonly estimatedPages: number | undefined
}

/** Who reads and what for; goes into manifests and reports. No secrets. */
export type SourceIdentity = {
  readonly url: string | undefined
  readonly organization: string | undefined
  readonly identity: string | undefined
  readonly scope: string | undefined
  readonly generation: string | undefined
}

/** The one documented shape that every source maps to (`--shape common`). */
export type CommonEvent = {
  readonly id: string
  readonly time: string
  readonly actor: {
    readonly type: string | null
    readonly id: string | null
    readonly name: string | null
    readonly email: string | null
  }
  readonly action: string
  readonly target: { readonly type: string | null; readonly id: string | null; readonly name: string | null }
  readonly outcome: 'success' | 'failure' | null
  readonly ip: string | null
  readonly userAgent: string | null
  readonly requestId: string | null
  readonly organization: string | null
  readonly project: string | null
  readonly source: string
}

/** What a product's events mean, apart from any server: shared by the product's source, by files of its exports, and by tests. */
export type EventShape = {
  readonly type: string
  readonly reader: EventReader
  /** Dotted paths of the CSV columns in their fixed order. A path that names an object gives its JSON text. */
  readonly columns: readonly string[]
  /** Dotted paths a table shows by default: time, action, actor, target and what else a person wants at a glance. */
  readonly tableColumns: readonly string[]
  readonly filters: FilterFields
  /** Where the id and the time stand at the top level of the native JSON. */
  readonly idKey: string
  readonly timeKey: string
  /** Where `idKey` and `timeKey` are not enough (numbers, aliases, a time without a zone): what the record says they are. */
  name?(
    record: JsonObject,
  ): { readonly id: string; readonly occurredAt: string; readonly occurredAtMs: number } | undefined
  /** Names that one event type has had over the releases, the given one included. */
  aliases(eventType: string): readonly string[]
  /** The shape this product's own log stream would have sent, as JSON bytes copied from the event; names what could not be rebuilt. */
  asStreamed(event: AuditEvent, settings: StreamedSettings): Streamed
  toCommon(record: JsonObject): CommonEvent
  /** Event types known so far, an open set: for completion and suggestions only. */
  readonly knownEventTypes: readonly string[]
}

export type StreamedSettings = {
  /** Where the product kept its log when it streamed: decides between null and the empty string. */
  readonly store: 'postgres' | 'clickhouse'
  readonly retentionDays: number | undefined
}

export interface AuditSource {
  /** As configured, `prod`. */
  readonly name: string
  readonly shape: EventShape
  readonly traits: SourceTraits
  readonly streamedSettings: StreamedSettings
  /** Looks at what a window asks for and cuts it into slices that can be read again. */
  open(window: TimeRange, filter: EventFilter, options: OpenOptions): Promise<OpenWindow>
  plan(window: TimeRange, filter: EventFilter, options: { readonly order: Order }): SourcePlan
  identify(signal: AbortSignal): Promise<SourceIdentity>
  /** The cheapest honest checks: reachable, credentials accepted, permission to read. */
  test(signal: AbortSignal): Promise<readonly Check[]>
  /** Requests made so far, for reports. */
  requests(): number
  close(): Promise<void>
}
