import type { EpochMs } from '../core/time-range.ts'
import type { Effect } from './effects.ts'
import type { Message } from './messages.ts'
import { reduce } from './reducer.ts'
import type { AppState } from './state.ts'

/** Holds the state, hands messages to the reducer and effects to whoever carries them out. */
export type Store = {
  readonly state: () => AppState
  readonly dispatch: (message: Message) => void
  readonly subscribe: (listener: () => void) => () => void
}

export function createStore(
  initial: AppState,
  parts: {
    readonly now: () => EpochMs
    readonly perform: (effect: Effect, dispatch: (message: Message) => void) => void
  },
): Store {
  let state = initial
  const listeners = new Set<() => void>()
  const dispatch = (message: Message): void => {
    const next = reduce(state, message, parts.now())
    state = next.state
    for (const effect of next.effects) parts.perform(effect, dispatch)
    for (const listener of listeners) listener()
  }
  return {
    state: () => state,
    dispatch,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
