import type { EventPage, EventPlace, HeldEvent } from './event-page.ts'
import type { EventFilter, FilterName } from './filter.ts'
import type { BackfillPlan, GapReport, RunReport } from './report.ts'
import type { Observer } from './runtime.ts'
import type { EpochMs, TimeRange } from './time-range.ts'

/** What the list shows: a window of the source and what must hold. */
export type BrowserQuery = { readonly window: TimeRange; readonly filter: EventFilter }

/** What a line of the list says; text from outside, not yet escaped. */
export type EventRow = {
  readonly action: string
  readonly actor: string
  readonly target: string
}

/** Which events a page holds: those after the place in the direction, or from the window's end (`older`) or start (`newer`). */
export type PageRequest = BrowserQuery & {
  readonly after: EventPlace | undefined
  readonly toward: 'older' | 'newer'
  readonly limit: number
}

export type PageAnswer = { readonly page: EventPage; readonly hasMore: boolean }

/** How many events lie in each of equal parts of the window, as far as they were counted: from its end down to `countedFrom`. */
export type CountStep = {
  readonly cells: Float64Array
  readonly total: number
  readonly countedFrom: EpochMs
  /** Event types and actors seen so far, the most frequent first: for completion. */
  readonly types: readonly string[]
  readonly actors: readonly string[]
}

export type ShapeName = 'native' | 'stream' | 'common'

/** `text`: JSON. `notRebuilt`: members of the stream shape that the source's API does not give. */
export type ShapedEvent = { readonly text: string; readonly notRebuilt: readonly string[] }

/** A configured delivery. */
export type BrowserStream = { readonly name: string; readonly provider: string }

/** What the source recorded and the SIEM holds, over equal parts of the window, and the gaps between them. */
export type Coverage = {
  readonly stream: string
  readonly query: BrowserQuery
  readonly recorded: Float64Array
  readonly held: Float64Array
  readonly report: GapReport
}

export type BackfillRequest = {
  readonly stream: string
  readonly query: BrowserQuery
  /** A comparison has shown that all of this window is missing while the SIEM holds what lies around it: no reason to doubt the search. */
  readonly isKnownHole: boolean
}

/** What a person is asked before anything is sent. */
export type BackfillQuestion = {
  readonly plan: BackfillPlan
  readonly doubts: readonly string[]
}

export type BackfillOutcome = { readonly report: RunReport; readonly exitCode: number }

/**
 * Everything the browser can do, handed in by whoever starts it. Every call throws the errors of `core/errors.ts`, or the signal's reason
 * once it fires; nothing here writes to the terminal.
 */
export interface BrowserOperations {
  readonly source: string
  readonly streams: readonly BrowserStream[]
  readonly filterNames: readonly FilterName[]
  readonly knownEventTypes: readonly string[]
  /** Where times are shown: `UTC`, `Europe/Berlin`. */
  readonly zone: string
  now(): EpochMs
  /** Parses the event anew on each call: nothing is kept. */
  row(event: Pick<HeldEvent, 'bytes'>): EventRow
  shaped(event: HeldEvent, shape: ShapeName): ShapedEvent
  /** With the other names of its event types. @throws UserError for a filter that means nothing for the source */
  resolveFilter(filter: EventFilter): EventFilter
  page(request: PageRequest, signal: AbortSignal): Promise<PageAnswer>
  /** Reads the window once, newest first, and keeps nothing of it but counts. */
  count(query: BrowserQuery, cells: number, signal: AbortSignal): AsyncIterable<CountStep>
  /** New events as they appear, late ones too, each once; ends when the signal fires. */
  follow(query: BrowserQuery, signal: AbortSignal): AsyncIterable<EventPage>
  /** Writes JSON Lines, or CSV where the name ends so. @throws UserError for a file that is there already */
  exportEvents(events: readonly HeldEvent[], path: string, shape: ShapeName): Promise<string>
  compare(
    stream: string,
    query: BrowserQuery,
    options: { readonly cells: number; readonly signal: AbortSignal; readonly observe: Observer },
  ): Promise<Coverage>
  /** Sends what is missing and verifies it. `confirm` is asked once, before anything is sent. @throws UserError when it says no */
  backfill(
    request: BackfillRequest,
    options: {
      readonly signal: AbortSignal
      readonly observe: Observer
      readonly confirm: (question: BackfillQuestion) => Promise<boolean>
    },
  ): Promise<BackfillOutcome>
  /** How the same backfill is run again from a shell, and a run looked at. */
  commands(run: string): readonly string[]
}

/** What is said aside: warnings of the source, retries. */
export type Notice = { readonly level: 'info' | 'warning'; readonly text: string }
