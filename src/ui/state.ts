import type { BrowserOperations, BrowserQuery, Notice } from '../core/browser.ts'
import type { HeldEvent } from '../core/event-page.ts'
import { NO_FILTER } from '../core/filter.ts'
import type { BackfillState } from './backfill/reducer.ts'
import type { CoverageState } from './coverage/reducer.ts'
import { type DetailState, detailState } from './detail/reducer.ts'
import type { CountsState } from './events/histogram.ts'
import { type EventsState, eventsState } from './events/reducer.ts'
import type { PromptState } from './filter-line/reducer.ts'
import { type Layout, layoutOf, type Size } from './layout.ts'
import type { Failure } from './messages.ts'

export type ViewName = 'events' | 'detail' | 'coverage' | 'backfill'

/** Everything on the screen. Reducers make a new one from it and a message; nothing else changes it. */
export type AppState = {
  readonly size: Size
  readonly layout: Layout
  /** Undefined until the source is open. */
  readonly operations: BrowserOperations | undefined
  readonly view: ViewName
  readonly isHelpOpen: boolean
  readonly helpScroll: number
  readonly prompt: PromptState | undefined
  readonly events: EventsState
  readonly counts: CountsState
  /** The query that `counts` answers. */
  readonly counted: BrowserQuery | undefined
  /** The window as the command was given it, for the way back from every zoom. */
  readonly wholeWindow: BrowserQuery['window']
  readonly marks: ReadonlyMap<string, HeldEvent>
  readonly filters: readonly string[]
  readonly detail: DetailState
  readonly coverage: CoverageState | undefined
  readonly backfill: BackfillState | undefined
  /** The list shows a hole of the coverage view; what it showed before. */
  readonly drilledFrom: BrowserQuery | undefined
  readonly notice: Notice | undefined
  readonly failure: Failure | undefined
}

export function initialState(size: Size): AppState {
  const layout = layoutOf(size)
  const query = { window: { from: 0, to: 0 }, filter: NO_FILTER }
  return {
    size,
    layout,
    operations: undefined,
    view: 'events',
    isHelpOpen: false,
    helpScroll: 0,
    prompt: undefined,
    events: eventsState(query, layout.list),
    counts: { window: query.window, step: undefined, isWhole: false },
    counted: undefined,
    wholeWindow: query.window,
    marks: new Map(),
    filters: [],
    detail: detailState(layout.detailColumns),
    coverage: undefined,
    backfill: undefined,
    drilledFrom: undefined,
    notice: undefined,
    failure: undefined,
  }
}

/** Rows that the pane of an event has for its text. */
export function detailHeight({ layout }: Pick<AppState, 'layout'>): number {
  return layout.list + layout.header
}
