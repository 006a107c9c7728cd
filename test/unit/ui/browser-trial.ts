import type { BrowserOperations } from '../../../src/core/browser.ts'
import { LIMITS, type Limits } from '../../../src/ui/events/loaded.ts'
import type { Message } from '../../../src/ui/messages.ts'
import { createPerformer } from '../../../src/ui/perform.ts'
import { initialState } from '../../../src/ui/state.ts'
import { createStore, type Store } from '../../../src/ui/store.ts'
import { queryOf } from './fake-operations.ts'

export type Trial = {
  readonly store: Store
  readonly quits: boolean[]
  readonly suspended: () => number
  send(...messages: readonly Message[]): Promise<void>
  stop(): Promise<void>
}

/** The browser without a screen: store, reducers and performer as they are, over operations that are made up. */
export async function browserOver(
  operations: BrowserOperations,
  seconds: number,
  size = { columns: 80, rows: 24 },
  limits: Limits = LIMITS,
): Promise<Trial> {
  const quits: boolean[] = []
  let suspended = 0
  const performer = createPerformer({
    operations: () => operations,
    monotonic: () => performance.now(),
    quit: (interrupted) => quits.push(interrupted),
    suspend: () => {
      suspended += 1
    },
  })
  const state = initialState(size)
  const store = createStore(
    { ...state, events: { ...state.events, limits } },
    { now: operations.now, perform: performer.perform },
  )
  const send = async (...messages: readonly Message[]): Promise<void> => {
    for (const message of messages) {
      store.dispatch(message)
      await settled()
    }
  }
  await send({ type: 'opened', operations, query: queryOf(seconds) })
  return { store, quits, suspended: () => suspended, send, stop: () => performer.stop() }
}

/** What is under way has come to rest. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
