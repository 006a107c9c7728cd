import type { Check } from './check.ts'
import type { RemoteError } from './errors.ts'
import type { AuditEvent } from './event.ts'
import type { TimeRange } from './time-range.ts'

/** Bytes are those of the whole body, frame included, before compression. `null`: the provider has no such limit. */
export type BatchLimits = {
  readonly maxEvents: number | null
  readonly maxBytes: number
  readonly maxEventBytes: number
  /** A body of one event may be this long, where the provider takes more than `maxBytes`, which is then but a good size for batches. */
  readonly maxAloneBytes?: number
}

/** What surrounds and separates encoded events in a body: `[`, `,`, `]` for a JSON array. ASCII. */
export type Frame = { readonly open: string; readonly separator: string; readonly close: string }

export type LatePolicy = 'skip' | 'fail' | 'restamp' | 'archive'

/** Ages of events that the far side really keeps under their own time; absent: no such bound is known. */
export type AcceptWindow = { readonly pastMs?: number; readonly futureMs?: number }

export type DestinationTraits = {
  /** What a batch may hold with this stream's settings; inside `hard`. */
  readonly limits: BatchLimits
  readonly frame: Frame
  readonly accepts: AcceptWindow
  /** Longer events are taken, but better were not sent; what comes of them, in words that end a sentence. */
  readonly advised?: { readonly eventBytes: number; readonly beyond: string }
  readonly lateDefault: LatePolicy
  /** Restamped events keep no time of their own: the far side drops the one inside them. */
  readonly restampLosesTime?: boolean
  /** How long after sending an event may stay unsearchable. */
  readonly graceMs: number
  /** Where a request may not mix old and new events. */
  readonly maxSpanMs?: number
  /** Test events that go in one request: several where it is not known whether the far side tells the events of a request apart. Default 1. */
  readonly canaries?: number
  /** Requests in flight that keep the order meaningful. */
  readonly concurrency: number
}

/** The object `auditctl: { run, backfilledAt }` that `--mark` adds inside the event. */
export type ReplayMark = { readonly run: string; readonly backfilledAt: string }

export type DeliveryBatch = {
  /** As `encode` returned them, in ascending time order. */
  readonly encoded: readonly Uint8Array[]
  /** How many, where the sender would have to make `encoded` to say so. */
  readonly count?: number | undefined
  /** The events' ids, for idempotency keys. */
  readonly ids: readonly string[]
  readonly run: string
  /** The whole body with the frame around it, where the sender has it in one piece and has asked `refuses` of each event: nobody writes to it. */
  readonly body?: Uint8Array | undefined
}

/** Half-open ranges of positions in a batch. */
export type Positions = readonly (readonly [from: number, to: number])[]

/** Every position of the batch is in exactly one list; one named nowhere counts as unknown, never as accepted. */
export type Receipt = {
  readonly accepted?: Positions
  /** Stored by the far side's own account in an answer that was not a plain yes: looked up, where that is possible, before anyone calls it delivered. */
  readonly unverified?: Positions
  readonly rejected?: readonly { readonly position: number; readonly code: string; readonly reason: string }[]
  /** The answer proves that nothing of these was stored: they may be sent again as they are. */
  readonly retry?: Positions
  /** Nothing of these was stored, and smaller requests may pass (413, or 400 without a position): halve, and dead-letter the one that is still refused alone. */
  readonly split?: Positions
  /** Sent, and nobody knows whether stored: timeout, reset or 5xx after the body. */
  readonly unknown?: Positions
  /** What came back, for reports: `hec-9`, `http-503`, `timeout`. */
  readonly code: string
  readonly reason: string
  readonly retryAfterMs?: number | undefined
  /** Accepted, but the far side asks for a pause before the next request. */
  readonly slowDownMs?: number
  /** Ends the run: credentials or configuration refused, quota spent. */
  readonly stop?: RemoteError
}

/** What a run is about, for providers that write it down beside the events. `query`: JSON, as in a manifest. */
export type RunNote = {
  readonly run: string
  readonly source: { readonly name: string; readonly type: string }
  readonly window: TimeRange
  readonly query: unknown
  /** Of the program. */
  readonly version: string
  /** Where the provider keeps what it must still know when the run is resumed by another process. */
  readonly journal?: RunJournal | undefined
}

/** Lines that are on the disk once `add` returns. */
export type RunJournal = {
  /** Of this process and of earlier ones that worked on the run, in order. */
  lines(): readonly string[]
  /** One line, without its end. @throws LocalError when the disk does not take it */
  add(line: string): void
}

/** A configured delivery to one provider: the `--stream` of the contract. */
export interface Destination {
  /** As configured, `soc`. */
  readonly name: string
  readonly provider: string
  readonly traits: DestinationTraits
  /** Pure: same arguments, same bytes; wraps the streamed shape in the provider's envelope. Never longer than it says: limits are checked on its result. */
  encode(
    streamed: Uint8Array,
    event: AuditEvent,
    options: { readonly restamp: boolean; readonly mark?: ReplayMark | undefined },
  ): Uint8Array
  /**
   * The same bytes as `encode` gives, written to `out` from `at` on: gives the index behind them, or -1 where there is too little room. For
   * providers whose events come by the million.
   */
  encodeInto?(
    out: Buffer,
    at: number,
    streamed: Uint8Array,
    event: AuditEvent,
    options: { readonly restamp: boolean; readonly mark?: ReplayMark | undefined },
  ): number
  /** Whether `encode` gives the streamed bytes as they are, unless an event is restamped: then those of many events can be copied at once. */
  copies?(mark: ReplayMark | undefined): boolean
  /** Why an encoded event may not be sent at all, beyond its size: for the plan. `deliver` refuses it all the same. */
  refuses?(encoded: Uint8Array): { readonly code: string; readonly reason: string } | undefined
  /** Told of a run before its first `deliver`, in each process that works on it. */
  begins?(note: RunNote): void
  /** One attempt: tokens, signature and times of sending are made anew for each. Never retries by itself, never throws for what the far side did. */
  deliver(batch: DeliveryBatch, options: { readonly signal: AbortSignal }): Promise<Receipt>
  /** The cheapest honest check; sends no event unless `send`. Says what it proved and what it did not. `sourceTypes`: whose events it is for. */
  test(options: {
    readonly send: boolean
    readonly sourceTypes?: readonly string[] | undefined
    readonly signal: AbortSignal
  }): Promise<readonly Check[]>
  /** The query that leaves out what a marked run sent, in the provider's own language. */
  replayQuery?(run: string): string
  close(): Promise<void>
}
