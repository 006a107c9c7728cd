import type { BrowserQuery } from '../../core/browser.ts'
import { isFiltered, NO_FILTER } from '../../core/filter.ts'
import type { EpochMs, TimeRange } from '../../core/time-range.ts'
import { openCoverage } from '../coverage/reducer.ts'
import { detailState } from '../detail/reducer.ts'
import { chain, type Effect, type Step, step, still } from '../effects.ts'
import type { Message } from '../messages.ts'
import type { AppState } from '../state.ts'
import { columnOf, endOfColumn, nextColumn, shifted, zoomed } from './histogram.ts'
import { eventAt } from './loaded.ts'
import { type EventsState, jump, placeOf, reduceEvents, restart } from './reducer.ts'

/** Selected events stay in memory until they are written. */
const MOST_MARKS = 20_000

/** The screen with another list: a list that was begun anew is followed anew. */
export function withEvents(state: AppState, { state: events, effects }: Step<EventsState>): Step<AppState> {
  const isNew = events.generation !== state.events.generation
  const follow: readonly Effect[] =
    events.isFollowing && isNew
      ? [{ type: 'follow', generation: events.generation, query: events.query }]
      : []
  return step({ ...state, events }, ...effects, ...follow)
}

export function reduceEventKeys(state: AppState, message: Message, now: EpochMs): Step<AppState> {
  const { events, layout, counts } = state
  switch (message.type) {
    case 'cell': {
      const place = placeOf(events)
      const at =
        place === undefined ? layout.columns : columnOf(place.ms, events.query.window, layout.columns)
      const column = nextColumn(counts, layout.columns, at, message.by)
      return column === undefined
        ? still(state)
        : withEvents(state, jump(events, endOfColumn(column, events.query.window, layout.columns)))
    }
    case 'zoom': {
      const around = placeOf(events)?.ms ?? (events.query.window.from + events.query.window.to) / 2
      return toWindow(state, zoomed(events.query.window, around, message.factor, now), around + 1)
    }
    case 'shift':
      return toWindow(state, shifted(events.query.window, message.by, now), undefined)
    case 'whole-window':
      return toWindow(state, state.wholeWindow, instantAfter(events))
    case 'toggle-follow':
      return toggleFollow(state, now)
    case 'toggle-mark':
      return chain(still(toggleMark(state)), (next) =>
        withEvents(next, reduceEvents(next.events, { type: 'move', by: 1 })),
      )
    case 'unmark':
      return still({ ...state, marks: new Map() })
    case 'open-detail': {
      const event = eventAt(events.loaded, events.selected)
      if (event === undefined) return still(state)
      const { shape } = state.detail
      return step(
        { ...state, view: 'detail', detail: detailState(layout.detailColumns, shape) },
        { type: 'show', event, shape },
      )
    }
    case 'open-coverage':
      return toCoverage(state)
    case 'back':
      return back(state)
    default:
      return withEvents(state, reduceEvents(events, message))
  }
}

/** Where a list has to begin to begin with the selected event; undefined at the newest one, which needs no beginning. */
export function instantAfter(events: EventsState): EpochMs | undefined {
  const place = placeOf(events)
  return place === undefined || (events.selected === 0 && !events.hasNewer) ? undefined : place.ms + 1
}

function toWindow(state: AppState, window: TimeRange, at: EpochMs | undefined): Step<AppState> {
  const query: BrowserQuery = { ...state.events.query, window }
  return withEvents(state, restart(state.events, query, at))
}

function toggleFollow(state: AppState, now: EpochMs): Step<AppState> {
  const { events } = state
  if (events.isFollowing)
    return step({ ...state, events: { ...events, isFollowing: false } }, { type: 'unfollow' })
  const query = {
    ...events.query,
    window: { ...events.query.window, to: Math.max(now, events.query.window.to) },
  }
  return withEvents(state, restart({ ...events, isFollowing: true }, query))
}

function toggleMark(state: AppState): AppState {
  const event = eventAt(state.events.loaded, state.events.selected)
  if (event === undefined) return state
  const marks = new Map(state.marks)
  if (!marks.delete(event.id)) {
    if (marks.size >= MOST_MARKS) {
      return {
        ...state,
        notice: {
          level: 'warning',
          text: `${MOST_MARKS} events are marked, and more do not fit: export them first`,
        },
      }
    }
    // A copy: the page that the event lies in may go.
    marks.set(event.id, { ...event, bytes: event.bytes.slice() })
  }
  return { ...state, marks }
}

function toCoverage(state: AppState): Step<AppState> {
  const streams = state.operations?.streams ?? []
  if (streams.length === 0) {
    return still({
      ...state,
      notice: { level: 'warning', text: 'no stream is configured: auditctl stream add configures one' },
    })
  }
  const { query } = state.events
  // What was compared already is shown again; `r` compares anew.
  if (state.coverage?.coverage?.query === query) return still({ ...state, view: 'coverage' })
  const opened = openCoverage(streams, query)
  return step({ ...state, view: 'coverage', coverage: opened.state }, ...opened.effects)
}

/** Out of a hole to the coverage view; else the filter is taken away. */
function back(state: AppState): Step<AppState> {
  const { drilledFrom, events } = state
  if (drilledFrom !== undefined) {
    return withEvents({ ...state, view: 'coverage', drilledFrom: undefined }, restart(events, drilledFrom))
  }
  if (!isFiltered(events.query.filter)) return still(state)
  return withEvents(state, restart(events, { ...events.query, filter: NO_FILTER }, instantAfter(events)))
}
