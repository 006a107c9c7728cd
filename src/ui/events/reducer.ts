import type { BrowserQuery } from '../../core/browser.ts'
import type { EventPlace, NO_EVENTS } from '../../core/event-page.ts'
import type { EpochMs, TimeRange } from '../../core/time-range.ts'
import { type Effect, type Step, step, still } from '../effects.ts'
import type { Failure, Message } from '../messages.ts'
import {
  appendOlder,
  eventAt,
  indexBefore,
  LIMITS,
  type Limits,
  type Loaded,
  loadedOf,
  mergeFresh,
  NOTHING,
  prependNewer,
  trimOlder,
} from './loaded.ts'

/** The first page comes quickly; the next ones are worth their request. */
const FIRST_PAGE = 200
const NEXT_PAGE = 1000
/** Rows from an end of what is loaded at which the next page is asked for. */
const AHEAD = 400

/** The list: a contiguous part of the window, a selected event, and what of it stands on the screen. */
export type EventsState = {
  readonly query: BrowserQuery
  readonly loaded: Loaded
  readonly hasNewer: boolean
  readonly hasOlder: boolean
  /** The page being read: which way, and what becomes of the list when it is here. */
  readonly loading: { readonly toward: 'older' | 'newer'; readonly fresh: boolean } | undefined
  readonly selected: number
  readonly top: number
  readonly height: number
  /** Answers to questions of an earlier list are dropped. */
  readonly generation: number
  readonly failure: Failure | undefined
  readonly isFollowing: boolean
  readonly limits: Limits
}

export function eventsState(query: BrowserQuery, height: number, limits: Limits = LIMITS): EventsState {
  return {
    query,
    loaded: NOTHING,
    hasNewer: false,
    hasOlder: true,
    loading: undefined,
    selected: 0,
    top: 0,
    height,
    generation: 0,
    failure: undefined,
    isFollowing: false,
    limits,
  }
}

/** The list of another window or filter, from its newest event on, or from the instant on where one is given. */
export function restart(
  state: EventsState,
  query: BrowserQuery,
  at: EpochMs | undefined = undefined,
): Step<EventsState> {
  const generation = state.generation + 1
  const isInside = at !== undefined && at < query.window.to && at > query.window.from
  const window = isInside ? { from: query.window.from, to: at } : query.window
  const request = { ...query, window, after: undefined, toward: 'older', limit: FIRST_PAGE } as const
  return step(
    {
      ...state,
      query,
      generation,
      loaded: NOTHING,
      hasNewer: isInside,
      hasOlder: true,
      selected: 0,
      top: 0,
      failure: undefined,
      loading: { toward: 'older', fresh: true },
    },
    { type: 'load', generation, request },
  )
}

export function reduceEvents(state: EventsState, message: Message): Step<EventsState> {
  switch (message.type) {
    case 'move':
      return select(state, state.selected + message.by)
    case 'turn':
      return turn(state, message.pages * Math.max(1, state.height - 1))
    case 'newest':
      return state.hasNewer ? restart(state, state.query) : select(state, 0)
    case 'oldest':
      return state.hasOlder ? fromOldest(state) : select(state, state.loaded.count - 1)
    case 'reload':
      return reload(state)
    case 'loaded':
      return message.generation === state.generation ? take(state, message) : still(state)
    case 'load-failed':
      if (message.generation !== state.generation) return still(state)
      return still({ ...state, loading: undefined, failure: message.failure })
    case 'arrived':
      return message.generation === state.generation ? arrive(state, message.page, message.now) : still(state)
    default:
      return still(state)
  }
}

/** The list at the newest event before the instant: inside what is loaded, or read from there on. */
export function jump(state: EventsState, ms: EpochMs): Step<EventsState> {
  const { loaded, hasNewer, hasOlder } = state
  const [newest, oldest] = [eventAt(loaded, 0), eventAt(loaded, loaded.count - 1)]
  const isAbove = newest === undefined || ms > newest.ms
  const isBelow = oldest === undefined || ms <= oldest.ms
  if ((isAbove && hasNewer) || (isBelow && hasOlder)) return restart(state, state.query, ms)
  return select(state, Math.min(indexBefore(loaded, ms), loaded.count - 1))
}

export function placeOf(state: EventsState): EventPlace | undefined {
  return eventAt(state.loaded, state.selected)
}

export function resizeList(state: EventsState, height: number): Step<EventsState> {
  return select({ ...state, height }, state.selected)
}

/** After a failure the page that failed, else all of it anew. */
function reload(state: EventsState): Step<EventsState> {
  if (state.failure !== undefined && state.loaded.count > 0)
    return readAhead({ ...state, failure: undefined })
  const place = placeOf(state)
  return restart(state, state.query, state.hasNewer && place !== undefined ? place.ms + 1 : undefined)
}

function fromOldest(state: EventsState): Step<EventsState> {
  const generation = state.generation + 1
  return step(
    {
      ...state,
      generation,
      loaded: NOTHING,
      hasOlder: false,
      hasNewer: true,
      failure: undefined,
      loading: { toward: 'newer', fresh: true },
    },
    {
      type: 'load',
      generation,
      request: { ...state.query, after: undefined, toward: 'newer', limit: FIRST_PAGE },
    },
  )
}

/** Moves the screen with the selection: what a page key does. */
function turn(state: EventsState, by: number): Step<EventsState> {
  const top = Math.max(0, Math.min(state.top + by, state.loaded.count - state.height))
  return select({ ...state, top }, state.selected + by)
}

/** Keeps the selection on the screen and reads ahead of it. */
function select(state: EventsState, index: number): Step<EventsState> {
  const { loaded, height } = state
  const selected = Math.max(0, Math.min(index, loaded.count - 1))
  const lowest = Math.max(0, selected - height + 1)
  const top = Math.max(
    0,
    Math.min(Math.max(lowest, Math.min(state.top, selected)), Math.max(0, loaded.count - height)),
  )
  return readAhead({ ...state, selected, top })
}

function readAhead(state: EventsState): Step<EventsState> {
  const { loaded, hasOlder, hasNewer, loading, selected, generation, query, failure } = state
  if (loading !== undefined || loaded.count === 0 || failure !== undefined) return still(state)
  const nearOlder = hasOlder && selected > loaded.count - AHEAD
  const nearNewer = hasNewer && selected < AHEAD
  if (!nearOlder && !nearNewer) return still(state)
  const toward = nearOlder && (!nearNewer || selected >= loaded.count / 2) ? 'older' : 'newer'
  const after = toward === 'older' ? eventAt(loaded, loaded.count - 1) : eventAt(loaded, 0)
  const effect: Effect = {
    type: 'load',
    generation,
    request: { ...query, after: placeWithoutBytes(after), toward, limit: NEXT_PAGE },
  }
  return step({ ...state, loading: { toward, fresh: false } }, effect)
}

function placeWithoutBytes(place: EventPlace | undefined): EventPlace | undefined {
  return place === undefined ? undefined : { ms: place.ms, time: place.time, id: place.id }
}

function take(
  state: EventsState,
  { toward, answer }: Extract<Message, { type: 'loaded' }>,
): Step<EventsState> {
  const { page, hasMore } = answer
  const isFresh = state.loading?.fresh === true
  const idle = { ...state, loading: undefined, failure: undefined }
  if (isFresh) {
    const loaded = loadedOf([page])
    const next =
      toward === 'older' ? { ...idle, loaded, hasOlder: hasMore } : { ...idle, loaded, hasNewer: hasMore }
    return select(next, toward === 'older' ? 0 : loaded.count - 1)
  }
  if (toward === 'older') {
    const { loaded, dropped } = appendOlder(state.loaded, page, state.limits)
    const moved = {
      ...idle,
      loaded,
      hasOlder: hasMore,
      hasNewer: state.hasNewer || dropped > 0,
      top: state.top - dropped,
    }
    return select(moved, state.selected - dropped)
  }
  const { loaded, added, lostOlder } = prependNewer(state.loaded, page, state.limits)
  const moved = {
    ...idle,
    loaded,
    hasNewer: hasMore,
    hasOlder: state.hasOlder || lostOlder,
    // After a jump the selected event stands at the top with nothing above it: what is above is shown too.
    top: state.selected === 0 ? added - Math.floor(state.height / 3) : state.top + added,
  }
  return select(moved, state.selected + added)
}

/** New events while following: the selection stays on its event, or at the top where it was there. */
function arrive(state: EventsState, page: typeof NO_EVENTS, now: EpochMs): Step<EventsState> {
  const window: TimeRange = { from: state.query.window.from, to: Math.max(state.query.window.to, now) }
  const query = { ...state.query, window }
  if (state.hasNewer) return still({ ...state, query })
  const { loaded: merged, places } = mergeFresh(state.loaded, page, !state.hasOlder)
  const { loaded, lostOlder } = trimOlder(merged, state.limits)
  const isAtTop = state.selected === 0
  const above = places.filter((place) => place <= state.selected).length
  const moved = isAtTop ? 0 : above
  return select(
    { ...state, query, loaded, hasOlder: state.hasOlder || lostOlder, top: isAtTop ? 0 : state.top + moved },
    state.selected + moved,
  )
}
