import type { JsonObject } from '../core/event.ts'
import type { FaultPlan } from './faults.ts'
import type { Violation } from './listen.ts'

/** What a sandbox is asked to be: the flags of `auditctl sandbox`. */
export type SandboxOptions = {
  /** Generated events; undefined serves the recordings. */
  readonly events?: number | undefined
  readonly seed: number
  readonly generation: '2025' | '2026'
  /** Moves the recorded or generated times so that the last event lies a little in the past. */
  readonly recent: boolean
  /** The outage that the SIEM missed. */
  readonly drop?: { readonly from: number; readonly to: number } | undefined
  readonly faults: FaultPlan
  /** First port; the others follow. 0 or undefined: any free ones. */
  readonly port?: number | undefined
  readonly now: () => number
}

/** What the contract suites need in order to try a receiver: its own faults by what they mean, each as a `--fault` would say it. */
export type ReceiverTrials = {
  /** Credentials inside `config.streams`, which may appear nowhere. */
  readonly secrets: readonly string[]
  /** The stream's settings with credentials that are refused. */
  readonly refused: JsonObject
  /** With an index, table or path that does not exist, where the product notices. */
  readonly misconfigured?: JsonObject
  /** Variants that must keep the same promises: acknowledgment on, another mode. */
  readonly variants?: readonly { readonly title: string; readonly settings: JsonObject }[]
  readonly faults: {
    /** Told to slow down, nothing stored, with `Retry-After: 2`. */
    readonly throttled: string
    /** The connection breaks before and after the batch was stored. */
    readonly resetBefore: string
    readonly resetAfter: string
    /** Stored, and answered as an error of the server. */
    readonly errorAfter: string
    /** A proxy's HTML with status 200 in place of an answer, nothing stored. */
    readonly proxyPage: string
    /** The answer comes half a minute late. */
    readonly slow: string
  }
  /** Answers with that status and no words of the product, nothing stored. */
  status(code: number): string
  /** From now on the event of that id is refused, by position or as a whole, as the product does; undefined where it refuses none. */
  poison?(id: string): string
}

/** The same for a product's search. */
export type SearchTrials = {
  readonly secrets: readonly string[]
  /** The stream's settings with search credentials that are refused. */
  readonly refused: JsonObject
  /** Faults that each make one answer partial. */
  readonly partial: readonly string[]
  /** Faults that an inventory has to see through: the answer is whole all the same. */
  readonly harmless: readonly string[]
  /** Fails for ever, on the server's side. */
  readonly unavailable: string
  /** Rows arriving from now on become searchable that much later. */
  indexDelay?(ms: number): string
}

/** One product's strict server (or several listeners of it), as tests, demo and benches see it. */
export type SandboxService = {
  readonly name: string
  /** By the names of the contract: `infisical`, `splunk`, `splunkSearch`. */
  readonly urls: Readonly<Record<string, string>>
  /** Entries for a config file that point at it, with literal throwaway secrets. */
  readonly config: {
    readonly sources?: Record<string, JsonObject>
    readonly streams?: Record<string, JsonObject>
  }
  readonly violations: readonly Violation[]
  /** A receiver: ids in the order of arrival, repeats and preloaded ones included. Counted here and nowhere else. */
  receivedIds?(): readonly string[]
  /** A receiver: the stored rows, as that product would keep them. */
  rows?(): readonly JsonObject[]
  /** A receiver: puts streamed events in as if the live stream had delivered them. */
  preload?(streamed: Iterable<JsonObject>): void
  readonly trials?: { readonly receiver?: ReceiverTrials; readonly search?: SearchTrials }
  /** A source: its native events, oldest first; not the ones that reading adds. */
  events?(): Iterable<JsonObject>
  close(): Promise<void>
}
