import type {
  BackfillOutcome,
  BackfillQuestion,
  BrowserOperations,
  BrowserQuery,
  CountStep,
  Coverage,
  Notice,
  PageAnswer,
  ShapedEvent,
  ShapeName,
} from '../core/browser.ts'
import type { EventPage, HeldEvent } from '../core/event-page.ts'
import type { EventFilter } from '../core/filter.ts'
import type { Progress } from '../core/runtime.ts'
import type { EpochMs } from '../core/time-range.ts'
import type { Size } from './layout.ts'

export type Failure = { readonly message: string; readonly hint: string | undefined }

/** What reading and the work in the background tell. */
export type NewsMessage =
  | {
      readonly type: 'opened'
      readonly operations: BrowserOperations
      readonly query: BrowserQuery
    }
  | {
      readonly type: 'loaded'
      readonly generation: number
      readonly toward: 'older' | 'newer'
      readonly answer: PageAnswer
    }
  | { readonly type: 'load-failed'; readonly generation: number; readonly failure: Failure }
  | {
      readonly type: 'counted'
      readonly query: BrowserQuery
      readonly step: CountStep
      readonly isWhole: boolean
    }
  | { readonly type: 'count-failed'; readonly query: BrowserQuery; readonly failure: Failure }
  | { readonly type: 'arrived'; readonly generation: number; readonly page: EventPage; readonly now: EpochMs }
  | { readonly type: 'follow-failed'; readonly failure: Failure }
  | {
      readonly type: 'shown'
      readonly event: HeldEvent
      readonly shape: ShapeName
      readonly shaped: ShapedEvent
    }
  | { readonly type: 'exported'; readonly path: string; readonly events: number }
  | { readonly type: 'export-failed'; readonly failure: Failure }
  | { readonly type: 'filter-applied'; readonly filter: EventFilter }
  | { readonly type: 'filter-refused'; readonly failure: Failure }
  | { readonly type: 'compare-progress'; readonly progress: Progress }
  | { readonly type: 'compared'; readonly coverage: Coverage }
  | { readonly type: 'compare-failed'; readonly failure: Failure }
  | { readonly type: 'backfill-progress'; readonly progress: Progress }
  | { readonly type: 'backfill-asks'; readonly question: BackfillQuestion }
  | { readonly type: 'backfill-done'; readonly outcome: BackfillOutcome }
  | { readonly type: 'backfill-failed'; readonly failure: Failure }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'resized'; readonly size: Size }

/** What a key means where it was pressed. */
export type KeyMessage =
  | { readonly type: 'move'; readonly by: number }
  | { readonly type: 'turn'; readonly pages: number }
  | { readonly type: 'newest' }
  | { readonly type: 'oldest' }
  | { readonly type: 'cell'; readonly by: -1 | 1 }
  | { readonly type: 'zoom'; readonly factor: number }
  | { readonly type: 'shift'; readonly by: -1 | 1 }
  | { readonly type: 'whole-window' }
  | { readonly type: 'reload' }
  | { readonly type: 'toggle-follow' }
  | { readonly type: 'toggle-mark' }
  | { readonly type: 'unmark' }
  | { readonly type: 'open-detail' }
  | { readonly type: 'next-shape' }
  | { readonly type: 'neighbour'; readonly by: -1 | 1 }
  | { readonly type: 'open-filter' }
  | { readonly type: 'clear-filter' }
  | { readonly type: 'open-export' }
  | { readonly type: 'open-help' }
  | { readonly type: 'open-coverage' }
  | { readonly type: 'drill' }
  | { readonly type: 'fill'; readonly which: 'all' | 'selected' }
  | { readonly type: 'answer'; readonly yes: boolean }
  | { readonly type: 'compare-again' }
  | { readonly type: 'back' }
  | { readonly type: 'quit'; readonly interrupted: boolean }
  | { readonly type: 'suspend' }

/** Editing a line of text. */
export type LineMessage =
  | { readonly type: 'typed'; readonly text: string }
  | { readonly type: 'erase'; readonly what: 'character' | 'word' | 'line' }
  | { readonly type: 'caret'; readonly to: 'left' | 'right' | 'start' | 'end' }
  | { readonly type: 'complete'; readonly by: -1 | 1 }
  | { readonly type: 'recall'; readonly by: -1 | 1 }
  | { readonly type: 'enter' }

export type Message = NewsMessage | KeyMessage | LineMessage
