import type { Check } from './check.ts'
import type { AuditEvent, EventId, EventReader, JsonObject } from './event.ts'
import type { EventFilter, FilterFields } from './filter.ts'
import type { EpochMs, TimeRange } from './time-range.ts'

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
  /** Nobody will look at the events of the slice again: their memory may be given back, and they may become others. Need not be called. */
  release?(slice: Slice): void
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
  /** Those that are certain before anything is read, in the asked order; reading may cut each further. */
  readonly slices?: readonly TimeRange[]
}

/** Who reads and what for; goes into manifests and reports. No secrets. */
export type SourceIdentity = {
  readonly url: string | undefined
  readonly organization: string | undefined
  readonly identity: string | undefined
  readonly scope: string | undefined
  readonly generation: string | undefined
  /** As its events tell it, where the settings do not. */
  readonly retentionMs?: number | undefined
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
  /** The same of its streamed shape, where that has fixed ones. */
  readonly streamColumns?: readonly string[]
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
  /** `name` says what `idKey` and `timeKey` say wherever both hold plain texts and the time ends in `Z`: such an event need not be parsed. */
  readonly isPlainlyNamed?: boolean
  /** Names that one event type has had over the releases, the given one included. */
  aliases(eventType: string): readonly string[]
  /** The shape this product's own log stream would have sent, as JSON bytes copied from the event; names what could not be rebuilt. */
  asStreamed(event: AuditEvent, settings: StreamedSettings): Streamed
  /** `asStreamed` gives each event's own bytes, and nothing is lost. */
  readonly isStreamedAsIs?: boolean
  toCommon(record: JsonObject): CommonEvent
  /** Event types known so far, an open set: for completion and suggestions only. */
  readonly knownEventTypes: readonly string[]
}

export type StreamedSettings = {
  /** Where the product kept its log when it streamed: decides between null and the empty string. */
  readonly store: 'postgres' | 'clickhouse'
  readonly retentionDays: number | undefined
}

/** What a trail follows: `trail secret PATH | identity ID | entity ID | request ID | trace ID`. */
export type TrailKind = 'secret' | 'identity' | 'entity' | 'request' | 'trace'

/** A line of an execution log that belongs to an event (InfraKitchen): what the action printed while it ran. */
export type TrailLine = {
  /** The event whose action wrote it, when the source says so. */
  readonly eventId: EventId | undefined
  readonly occurredAt: string
  readonly occurredAtMs: EpochMs
  readonly level: string
  /** As printed, colour codes included: escape it where a person reads it. */
  readonly text: string
  /** The whole line in its native shape. */
  readonly record: JsonObject
}

/** A trail as the server gives it. Its events are like those of `OpenWindow.read`: callers sort, drop repeats and test each again. */
export type Trail = {
  readonly events: AsyncIterable<Page>
  /** Once `events` has ended: execution logs that belong to the events, oldest first; empty where the source has none. */
  lines(): readonly TrailLine[]
  /** Once `events` has ended: what the server says of the trail as a whole, to be shown as it is. */
  summary(): JsonObject | undefined
  warnings(): readonly string[]
}

/** Groupings of `summary --by`. */
export type SummaryBy =
  | 'action'
  | 'actor'
  | 'actor-type'
  | 'outcome'
  | 'path'
  | 'project'
  | 'ip'
  | 'hour'
  | 'day'

/** Counts of a window by the server's own account; the groups add up to the total. */
export type SourceSummary = {
  readonly total: number
  readonly groups: readonly { readonly key: string; readonly count: number }[]
  /** Everything that the server said. */
  readonly record: JsonObject
}

/** Events in the order of another field than time, by the server's own sorting. */
export type SortedEvents = { readonly events: Page; readonly hasMore: boolean }

/** An object URL's parts: where a job at the source writes to. */
export type RemoteTarget = {
  readonly provider: 's3' | 'gcs' | 'azure-blob'
  readonly bucket: string
  readonly prefix: string
}

export type RemoteExportRequest = {
  readonly window: TimeRange
  readonly filter: EventFilter
  readonly format: 'jsonl' | 'csv'
  readonly target: RemoteTarget
  /** Where the source itself finds the credentials for the bucket: a secret's path, never a key. */
  readonly credentialsPath: string
}

export type RemoteFile = {
  readonly key: string
  readonly records: number | undefined
  readonly bytes: number | undefined
  readonly sha256: string | undefined
}

/** A job that runs at the source. `status` is the source's own word for `state`. */
export type RemoteExport = {
  readonly id: string
  readonly state: 'running' | 'completed' | 'failed'
  readonly status: string
  readonly estimatedRecords: number | undefined
  /** Of a completed job. */
  readonly manifest:
    | { readonly files: readonly RemoteFile[]; readonly totalRecords: number | undefined }
    | undefined
  readonly record: JsonObject
}

export interface RemoteExports {
  /**
   * Starts a job; never twice for one call.
   * @throws UserError for a filter that the source cannot apply by itself
   */
  create(request: RemoteExportRequest, signal: AbortSignal): Promise<RemoteExport>
  status(id: string, signal: AbortSignal): Promise<RemoteExport>
  list(signal: AbortSignal): Promise<readonly RemoteExport[]>
  /**
   * Asks again, ever less often, until the job has ended, well or not.
   * @throws UnavailableError when `timeoutMs` (default 1 h) has passed; the job itself goes on
   */
  wait(
    id: string,
    options: {
      readonly signal: AbortSignal
      readonly timeoutMs?: number
      readonly onStatus?: (job: RemoteExport) => void
    },
  ): Promise<RemoteExport>
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
  /** The server's own trail; resolves with undefined where it has none of that kind, and the trail is computed from events. */
  trail?(
    kind: TrailKind,
    id: string,
    asked: { readonly window: TimeRange; readonly filter: EventFilter; readonly signal: AbortSignal },
  ): Promise<Trail | undefined>
  /** Counts of all events of the window by the server; resolves with undefined where it cannot say, and they are computed from events. */
  summary?(window: TimeRange, by: SummaryBy, signal: AbortSignal): Promise<SourceSummary | undefined>
  /** Jobs that write to object storage at the source's side. */
  readonly remoteExports?: RemoteExports
  /**
   * The first `limit` events of the window by a field of the native event, sorted by the server; resolves with undefined where it cannot
   * (a field it does not sort by, a filter it does not apply, a window that is not all it holds), and the rows read are sorted here.
   */
  sorted?(
    window: TimeRange,
    filter: EventFilter,
    options: {
      readonly field: string
      readonly order: Order
      readonly limit: number
      readonly signal: AbortSignal
    },
  ): Promise<SortedEvents | undefined>
  close(): Promise<void>
}
