import type { BrowserQuery, BrowserStream, Coverage } from '../../core/browser.ts'
import type { Progress } from '../../core/runtime.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { type Step, step, still } from '../effects.ts'
import type { Failure, Message } from '../messages.ts'

/** Source against SIEM for one stream. */
export type CoverageState = {
  readonly streams: readonly BrowserStream[]
  /** Undefined while one is being chosen. */
  readonly stream: string | undefined
  readonly query: BrowserQuery
  readonly progress: Progress | undefined
  readonly coverage: Coverage | undefined
  readonly failure: Failure | undefined
  readonly isComparing: boolean
  /** A gap, or a stream while one is being chosen. */
  readonly selected: number
}

export function openCoverage(streams: readonly BrowserStream[], query: BrowserQuery): Step<CoverageState> {
  const state: CoverageState = {
    streams,
    stream: undefined,
    query,
    progress: undefined,
    coverage: undefined,
    failure: undefined,
    isComparing: false,
    selected: 0,
  }
  const [only] = streams
  return streams.length === 1 && only !== undefined ? compare(state, only.name) : still(state)
}

export function compare(state: CoverageState, stream: string): Step<CoverageState> {
  const started = {
    ...state,
    stream,
    progress: undefined,
    failure: undefined,
    isComparing: true,
    selected: state.stream === stream ? state.selected : 0,
  }
  return step(started, { type: 'compare', stream, query: state.query })
}

export function reduceCoverage(state: CoverageState, message: Message): Step<CoverageState> {
  switch (message.type) {
    case 'move':
      return still(select(state, state.selected + message.by))
    case 'turn':
      return still(select(state, state.selected + 10 * message.pages))
    case 'newest':
      return still(select(state, 0))
    case 'oldest':
      return still(select(state, Number.MAX_SAFE_INTEGER))
    case 'drill': {
      const chosen = state.streams[state.selected]
      return state.stream === undefined && chosen !== undefined ? compare(state, chosen.name) : still(state)
    }
    case 'compare-again':
      return state.stream === undefined || state.isComparing ? still(state) : compare(state, state.stream)
    case 'compare-progress':
      return still(state.isComparing ? { ...state, progress: message.progress } : state)
    case 'compared':
      return still(
        select(
          { ...state, coverage: message.coverage, isComparing: false, failure: undefined },
          state.selected,
        ),
      )
    case 'compare-failed':
      return still({ ...state, isComparing: false, failure: message.failure })
    default:
      return still(state)
  }
}

/** The selected gap's window. */
export function selectedHole(state: CoverageState): TimeRange | undefined {
  const gap = state.coverage?.report.gaps[state.selected]
  return gap === undefined ? undefined : { from: Date.parse(gap.from), to: Date.parse(gap.to) }
}

function select(state: CoverageState, index: number): CoverageState {
  const count = state.stream === undefined ? state.streams.length : (state.coverage?.report.gaps.length ?? 0)
  return { ...state, selected: Math.max(0, Math.min(index, count - 1)) }
}
