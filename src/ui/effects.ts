import type { BackfillRequest, BrowserQuery, PageRequest, ShapeName } from '../core/browser.ts'
import type { HeldEvent } from '../core/event-page.ts'

/** What a reducer wants done: data, so that reducers stay pure. Each kind runs once at a time; a newer one of it ends the older. */
export type Effect =
  | { readonly type: 'load'; readonly generation: number; readonly request: PageRequest }
  | { readonly type: 'count'; readonly query: BrowserQuery }
  | { readonly type: 'follow'; readonly generation: number; readonly query: BrowserQuery }
  | { readonly type: 'unfollow' }
  | { readonly type: 'show'; readonly event: HeldEvent; readonly shape: ShapeName }
  | {
      readonly type: 'export'
      readonly events: readonly HeldEvent[]
      readonly path: string
      readonly shape: ShapeName
    }
  | { readonly type: 'compare'; readonly stream: string; readonly query: BrowserQuery }
  | { readonly type: 'stop-compare' }
  | { readonly type: 'backfill'; readonly request: BackfillRequest }
  | { readonly type: 'answer'; readonly yes: boolean }
  | { readonly type: 'stop-backfill' }
  | { readonly type: 'apply-filter'; readonly text: string }
  | { readonly type: 'quit'; readonly interrupted: boolean }
  | { readonly type: 'suspend' }

/** A reducer's answer. */
export type Step<State> = { readonly state: State; readonly effects: readonly Effect[] }

export function still<State>(state: State): Step<State> {
  return { state, effects: [] }
}

export function step<State>(state: State, ...effects: readonly Effect[]): Step<State> {
  return { state, effects }
}

/** One step after another, with the effects of both. */
export function chain<State>(first: Step<State>, then: (state: State) => Step<State>): Step<State> {
  const second = then(first.state)
  return { state: second.state, effects: [...first.effects, ...second.effects] }
}
