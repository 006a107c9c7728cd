import type { LatePolicy } from './destination.ts'
import type { EpochMs, TimeRange } from './time-range.ts'

export type RunStatus = 'planned' | 'completed' | 'partial' | 'failed' | 'interrupted' | 'running'
export type RunMode = 'missing' | 'all' | 'resend' | 'export'
export type WindowText = { readonly from: string; readonly to: string }

export type BackfillPlan = {
  readonly events: number
  readonly batches: number
  readonly bytes: number
  readonly rejected: number
  readonly late: number
  readonly oldest: string | null
  readonly newest: string | null
  readonly estimatedSeconds: number
  readonly sourceRequests: number
  readonly inventoryQueries: number
}

/** The report of a run, contract section 4: keys and arithmetic are fixed there. */
export type RunReport = {
  readonly run: string | null
  readonly status: RunStatus
  readonly source: string
  readonly stream: string | null
  readonly window: WindowText
  readonly mode: RunMode
  readonly dryRun?: true
  readonly plan?: BackfillPlan
  readonly scanned: number
  readonly alreadyHeld: number
  readonly selected: number
  readonly delivered: number
  readonly rejected: number
  readonly late: number
  readonly archived: number
  readonly unresolved: number
  readonly pending: number
  readonly duplicatesPossible: number
  readonly batches: number
  readonly requests: number
  readonly retries: number
  readonly bytesSent: number
  readonly verified: boolean | null
  readonly stillMissing: number | null
  readonly deadLetter: string | null
  readonly durationMs: number
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** Exports only. */
  readonly out?: string
  readonly written?: number
  /** Fields of the streamed shape that could not be rebuilt, with how many events each. */
  readonly notRebuilt?: Readonly<Record<string, number>>
  readonly createdAt?: string
  readonly provenUntil?: string | null
}

export type Gap = {
  readonly from: string
  readonly to: string
  readonly missing: number
  readonly firstId: string | null
  readonly lastId: string | null
}

/** The report of `gaps`, contract section 4. */
export type GapReport = {
  readonly source: string
  readonly stream: string
  readonly window: WindowText
  readonly judgedTo: string
  readonly method: 'ids' | 'counts'
  readonly sourceEvents: number
  readonly heldEvents: number
  readonly missing: number
  readonly tooYoung: number
  readonly unexpected: number | null
  readonly duplicates: number | null
  readonly complete: boolean
  readonly gaps: readonly Gap[]
  readonly provenUntil: string | null
  readonly warnings: readonly string[]
}

/** What a run was asked; stored with it, so that a resume asks the same. */
export type RunQuestion = {
  readonly mode: RunMode
  readonly source: string
  readonly stream: string | null
  readonly from: EpochMs
  readonly to: EpochMs
  /** As typed (`24h`/`now`): the same command finds its run again although `now` has moved. */
  readonly typedWindow: string
  readonly filter: string
  readonly windows?: readonly TimeRange[]
  readonly late?: LatePolicy
  readonly lateIsNamed?: boolean
  readonly mark?: boolean
  readonly verify?: boolean
  readonly probe?: boolean
  readonly maxMissing?: { readonly events?: number; readonly percent?: number }
  /** How it was learned what the SIEM held: an inventory file, or the provider's search with its query for the whole window. */
  readonly foundBy?: {
    readonly file?: string
    readonly provider?: string
    readonly query?: string
    readonly where?: string
  }
  /** Of an export: its options as typed, so that it can be resumed by the run's id alone. */
  readonly command?: Readonly<Record<string, unknown>>
}
