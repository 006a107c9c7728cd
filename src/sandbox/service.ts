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
  /** A receiver: ids in the order of arrival, repeats included. Counted here and nowhere else. */
  receivedIds?(): readonly string[]
  /** A receiver: the stored rows, as that product would keep them. */
  rows?(): readonly JsonObject[]
  /** A receiver: puts streamed events in as if the live stream had delivered them. */
  preload?(streamed: Iterable<JsonObject>): void
  /** A source: its native events, oldest first; not the ones that reading adds. */
  events?(): Iterable<JsonObject>
  close(): Promise<void>
}
