import type { EpochMs } from '../core/time-range.ts'
import { isRunning, openBackfill, reduceBackfill } from './backfill/reducer.ts'
import { reduceCoverage, selectedHole } from './coverage/reducer.ts'
import { reduceDetailKeys } from './detail/keys-reducer.ts'
import { resizeDetail, showDetail } from './detail/reducer.ts'
import { chain, type Step, step, still } from './effects.ts'
import { reduceCounts } from './events/counts.ts'
import { reduceEventKeys, withEvents } from './events/keys-reducer.ts'
import { reduceEvents, resizeList, restart } from './events/reducer.ts'
import { reducePrompts } from './filter-line/prompts.ts'
import { layoutOf } from './layout.ts'
import type { Message } from './messages.ts'
import { type AppState, detailHeight } from './state.ts'

/** The next state, and what has to be done for it. Pure: the time comes along. */
export function reduce(state: AppState, message: Message, now: EpochMs): Step<AppState> {
  switch (message.type) {
    case 'opened': {
      const { operations, query } = message
      const opened = { ...state, operations, wholeWindow: query.window }
      return withEvents(opened, restart(state.events, query))
    }
    case 'resized':
      return resize(state, message.size)
    case 'notice':
      return still({ ...state, notice: message.notice })
    case 'suspend':
      return step(state, { type: 'suspend' })
    case 'quit':
      return quit(state, message.interrupted)
    case 'open-help':
      return still({ ...state, isHelpOpen: !state.isHelpOpen, helpScroll: 0 })
    case 'shown':
      return still({
        ...state,
        detail: showDetail(state.detail, message.event, message.shape, message.shaped),
      })
    case 'loaded':
    case 'load-failed':
    case 'arrived':
      return chain(withEvents(state, reduceEvents(state.events, message)), (next) =>
        reduceCounts(next, message),
      )
    case 'counted':
    case 'count-failed':
      return reduceCounts(state, message)
    case 'follow-failed':
      return still({ ...state, failure: message.failure, events: { ...state.events, isFollowing: false } })
    case 'compare-progress':
    case 'compared':
    case 'compare-failed':
      return withCoverage(state, message)
    case 'backfill-progress':
    case 'backfill-asks':
    case 'backfill-done':
    case 'backfill-failed':
      return withBackfill(state, message)
    default:
      return state.prompt === undefined && !isPromptMessage(message)
        ? reduceKeys(state, message, now)
        : reducePrompts(state, message, now)
  }
}

function isPromptMessage({ type }: Message): boolean {
  return [
    'open-filter',
    'open-export',
    'clear-filter',
    'exported',
    'export-failed',
    'filter-applied',
    'filter-refused',
  ].includes(type)
}

function reduceKeys(state: AppState, message: Message, now: EpochMs): Step<AppState> {
  if (state.isHelpOpen) {
    if (message.type === 'back') return still({ ...state, isHelpOpen: false })
    const by =
      message.type === 'move'
        ? message.by
        : message.type === 'turn'
          ? message.pages * (state.size.rows - 2)
          : 0
    return still({ ...state, helpScroll: Math.max(0, state.helpScroll + by) })
  }
  // What was said is taken away by the next key.
  const told = { ...state, notice: undefined, failure: undefined }
  switch (state.view) {
    case 'events':
      return reduceEventKeys(told, message, now)
    case 'detail':
      return reduceDetailKeys(told, message)
    case 'coverage':
      return reduceCoverageKeys(told, message)
    case 'backfill':
      return reduceBackfillKeys(told, message)
  }
}

function reduceCoverageKeys(state: AppState, message: Message): Step<AppState> {
  const { coverage } = state
  if (coverage === undefined) return still({ ...state, view: 'events' })
  if (message.type === 'back') {
    return step(
      { ...state, view: 'events', coverage: { ...coverage, isComparing: false } },
      { type: 'stop-compare' },
    )
  }
  const hole = selectedHole(coverage)
  if (message.type === 'drill' && hole !== undefined) {
    const query = { ...coverage.query, window: hole }
    return withEvents(
      { ...state, view: 'events', drilledFrom: state.events.query },
      restart(state.events, query),
    )
  }
  if (
    message.type === 'fill' &&
    coverage.stream !== undefined &&
    !coverage.isComparing &&
    (coverage.coverage?.report.missing ?? 0) > 0
  ) {
    const { report } = coverage.coverage ?? {}
    const isPart = message.which === 'selected' && hole !== undefined
    const window = isPart ? hole : coverage.query.window
    const isKnownHole = isPart && (report?.heldEvents ?? 0) > 0
    const started = openBackfill({
      stream: coverage.stream,
      query: { ...coverage.query, window },
      isKnownHole,
    })
    return step({ ...state, view: 'backfill', backfill: started.state }, ...started.effects)
  }
  return withCoverage(state, message)
}

function reduceBackfillKeys(state: AppState, message: Message): Step<AppState> {
  const { backfill } = state
  if (backfill === undefined) return still({ ...state, view: 'coverage' })
  if (backfill.phase === 'asking' && message.type === 'back')
    return withBackfill(state, { type: 'answer', yes: false })
  if (message.type === 'back' && !isRunning(backfill))
    return still({ ...state, view: 'coverage', backfill: undefined })
  return withBackfill(state, message)
}

function withCoverage(state: AppState, message: Message): Step<AppState> {
  if (state.coverage === undefined) return still(state)
  const next = reduceCoverage(state.coverage, message)
  return step({ ...state, coverage: next.state }, ...next.effects)
}

/** What was sent is looked for at once: the comparison made again is the proof. */
function withBackfill(state: AppState, message: Message): Step<AppState> {
  if (state.backfill === undefined) return still(state)
  const next = reduceBackfill(state.backfill, message)
  const told: Step<AppState> = { state: { ...state, backfill: next.state }, effects: next.effects }
  const hasEnded = message.type === 'backfill-done' || message.type === 'backfill-failed'
  return hasEnded ? chain(told, (after) => withCoverage(after, { type: 'compare-again' })) : told
}

/** A backfill under way is stopped first, in an orderly way; the screen stays until it has said how it ended. */
function quit(state: AppState, interrupted: boolean): Step<AppState> {
  const { backfill } = state
  if (interrupted || backfill === undefined || !isRunning(backfill) || backfill.phase === 'stopping') {
    return step(state, { type: 'quit', interrupted })
  }
  const notice = {
    level: 'warning',
    text: 'the backfill is stopped first; q again does not wait to see how it ended',
  } as const
  return withBackfill({ ...state, notice }, { type: 'back' })
}

function resize(state: AppState, size: AppState['size']): Step<AppState> {
  const layout = layoutOf(size)
  const detail = resizeDetail(state.detail, layout.detailColumns)
  const resized = {
    ...state,
    size,
    layout,
    detail: {
      ...detail,
      scroll: Math.min(detail.scroll, Math.max(0, detail.lines.length - detailHeight({ layout }))),
    },
  }
  return withEvents(resized, resizeList(state.events, layout.list))
}
