import type { BrowserOperations } from '../core/browser.ts'
import type { Effect } from './effects.ts'
import { CELLS } from './events/histogram.ts'
import type { Message } from './messages.ts'

export type Dispatch = (message: Message) => void
export type Work = (signal: AbortSignal) => Promise<void>
/** Says whether it is time to tell again: what changes more often is not seen by anyone. */
export type Pace = () => boolean

type Of<Type extends Effect['type']> = Extract<Effect, { type: Type }>

export function loadWork(
  operations: BrowserOperations,
  { generation, request }: Of<'load'>,
  dispatch: Dispatch,
): Work {
  return async (signal) => {
    const answer = await operations.page(request, signal)
    if (!signal.aborted) dispatch({ type: 'loaded', generation, toward: request.toward, answer })
  }
}

export function countWork(
  operations: BrowserOperations,
  { query }: Of<'count'>,
  dispatch: Dispatch,
  isTime: Pace,
): Work {
  return async (signal) => {
    let last: Extract<Message, { type: 'counted' }> | undefined
    for await (const step of operations.count(query, CELLS, signal)) {
      if (signal.aborted) return
      last = { type: 'counted', query, step, isWhole: false }
      if (isTime()) dispatch(last)
    }
    if (last !== undefined && !signal.aborted) dispatch({ ...last, isWhole: true })
  }
}

export function followWork(
  operations: BrowserOperations,
  { generation, query }: Of<'follow'>,
  dispatch: Dispatch,
): Work {
  return async (signal) => {
    for await (const page of operations.follow(query, signal)) {
      if (!signal.aborted) dispatch({ type: 'arrived', generation, page, now: operations.now() })
    }
  }
}

export function exportWork(
  operations: BrowserOperations,
  { events, path, shape }: Of<'export'>,
  dispatch: Dispatch,
): Work {
  return async () => {
    const written = await operations.exportEvents(events, path, shape)
    dispatch({ type: 'exported', path: written, events: events.length })
  }
}

export function compareWork(
  operations: BrowserOperations,
  { stream, query }: Of<'compare'>,
  dispatch: Dispatch,
  isTime: Pace,
): Work {
  return async (signal) => {
    const coverage = await operations.compare(stream, query, {
      cells: CELLS,
      signal,
      observe: (progress) => {
        if (!signal.aborted && isTime()) dispatch({ type: 'compare-progress', progress })
      },
    })
    if (!signal.aborted) dispatch({ type: 'compared', coverage })
  }
}

/** `onQuestion` is handed what answers it. */
export function backfillWork(
  operations: BrowserOperations,
  { request }: Of<'backfill'>,
  dispatch: Dispatch,
  isTime: Pace,
  onQuestion: (answer: (yes: boolean) => void) => void,
): Work {
  return async (signal) => {
    const outcome = await operations.backfill(request, {
      signal,
      observe: (progress) => {
        if (isTime()) dispatch({ type: 'backfill-progress', progress })
      },
      confirm: (question) =>
        new Promise((resolve, reject) => {
          onQuestion(resolve)
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
          dispatch({ type: 'backfill-asks', question })
        }),
    })
    dispatch({ type: 'backfill-done', outcome })
  }
}
