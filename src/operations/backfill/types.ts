import type { Destination, LatePolicy } from '../../core/destination.ts'
import type { AuditEvent } from '../../core/event.ts'
import type { EventFilter } from '../../core/filter.ts'
import type { Inventory } from '../../core/inventory.ts'
import type { BackfillPlan } from '../../core/report.ts'
import type { Clock, Log, Observer } from '../../core/runtime.ts'
import type { AuditSource } from '../../core/source.ts'
import type { TimeRange } from '../../core/time-range.ts'
import type { Ledger } from '../../state/ledger.ts'
import type { RunRecord } from '../../state/run-record.ts'
import type { Spool } from '../../state/spool.ts'

export type BackfillOptions = {
  readonly mode: 'missing' | 'all'
  /** Ascending and disjoint: one for a plain window, several for `--gaps FILE`. */
  readonly windows: readonly TimeRange[]
  readonly typedWindow: string
  readonly filter: EventFilter
  /** Canonical text of the filters, part of the run's key. */
  readonly filterText: string
  readonly late: LatePolicy
  /** Whether `--late` or the stream names the policy: an unnamed restamp needs `--yes`. */
  readonly lateIsNamed: boolean
  readonly mark: boolean
  readonly probe: boolean
  readonly maxMissing: { readonly events?: number; readonly percent?: number } | undefined
  readonly limit: number | undefined
  readonly verify: boolean
  readonly yes: boolean
  readonly fresh: boolean
  readonly maxRate: number | undefined
  readonly maxAttempts: number
  /** Folder or object URL for `late: archive`; undefined: the run's own folder. */
  readonly archiveDir: string | undefined
}

/** Where late events go instead of to a folder. */
export type ArchiveBucket = {
  /** Creates the file unless it is there with the same content; repeats what may pass. @throws AuditctlError */
  write(path: string, content: Uint8Array, signal: AbortSignal): Promise<void>
}

export type BackfillParts = {
  readonly source: AuditSource
  readonly destination: Destination
  /** What is held already, for `--missing`. */
  readonly inventory: Inventory | undefined
  /**
   * Where what was sent can be found afterwards: the SIEM's own search. Not a file, which says what was held when it was made; without this
   * an unknown outcome is sent again.
   */
  readonly live: Inventory | undefined
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly observe?: Observer
  /** Shown and asked on a terminal; undefined where nobody can answer. */
  readonly confirm?: (plan: BackfillPlan, doubts: readonly string[]) => Promise<boolean>
  readonly version: string
  /** The bucket that `archiveDir` names, where it is an object URL. */
  readonly archive?: ArchiveBucket | undefined
}

/** A run being worked on. */
export type Work = {
  readonly parts: BackfillParts
  readonly options: BackfillOptions
  readonly run: RunRecord
  readonly spool: Spool
  readonly problems: string[]
  readonly warnings: string[]
  /** Exit codes met on the way; the contract's order decides between them. */
  readonly exits: Set<number>
}

/** An event as it lies in the spool: its position among the run's events, and its bytes' offsets. */
export type SpooledEvent = {
  readonly event: AuditEvent
  readonly position: number
  readonly spoolFrom: number
  readonly spoolTo: number
}
