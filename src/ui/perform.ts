import type { BrowserOperations } from '../core/browser.ts'
import { AuditctlError, EXIT, InterruptedError } from '../core/errors.ts'
import type { Effect } from './effects.ts'
import { parseFilterText } from './filter-line/filter-text.ts'
import type { Failure } from './messages.ts'
import {
  backfillWork,
  compareWork,
  countWork,
  type Dispatch,
  exportWork,
  followWork,
  loadWork,
  type Pace,
  type Work,
} from './works.ts'

const TELL_EVERY_MS = 100

export type Performer = {
  perform(effect: Effect, dispatch: Dispatch): void
  /** Ends everything and waits for it: a backfill records where it stands. */
  stop(): Promise<void>
}

/** Carries effects out by the operations; what comes of them goes back as messages. */
export function createPerformer(parts: {
  readonly operations: () => BrowserOperations
  readonly monotonic: () => number
  readonly quit: (interrupted: boolean) => void
  readonly suspend: () => void
}): Performer {
  const running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>()
  let answer: ((yes: boolean) => void) | undefined

  const stopKind = (kind: Effect['type']): void => {
    running.get(kind)?.controller.abort(new InterruptedError('stopped', EXIT.sigint))
  }
  const start = (kind: Effect['type'], work: Work, onFailure: (failure: Failure) => void): void => {
    stopKind(kind)
    const controller = new AbortController()
    const done = work(controller.signal).catch((error: unknown) => {
      // A backfill that was stopped still says how it ended.
      if (!controller.signal.aborted || kind === 'backfill') onFailure(failureOf(error))
    })
    running.set(kind, { controller, done })
  }
  const pace = (): Pace => {
    let told = Number.NEGATIVE_INFINITY
    return () => {
      const now = parts.monotonic()
      if (now - told < TELL_EVERY_MS) return false
      told = now
      return true
    }
  }

  const perform = (effect: Effect, dispatch: Dispatch): void => {
    if (effect.type === 'quit') {
      parts.quit(effect.interrupted)
      return
    }
    if (effect.type === 'suspend') {
      parts.suspend()
      return
    }
    const operations = parts.operations()
    switch (effect.type) {
      case 'load': {
        const { generation } = effect
        const fail = (failure: Failure): void => dispatch({ type: 'load-failed', generation, failure })
        start('load', loadWork(operations, effect, dispatch), fail)
        break
      }
      case 'count': {
        const { query } = effect
        const fail = (failure: Failure): void => dispatch({ type: 'count-failed', query, failure })
        start('count', countWork(operations, effect, dispatch, pace()), fail)
        break
      }
      case 'follow': {
        const fail = (failure: Failure): void => dispatch({ type: 'follow-failed', failure })
        start('follow', followWork(operations, effect, dispatch), fail)
        break
      }
      case 'unfollow':
        stopKind('follow')
        break
      case 'show':
        show(operations, effect, dispatch)
        break
      case 'apply-filter':
        applyFilter(operations, effect.text, dispatch)
        break
      case 'export': {
        const fail = (failure: Failure): void => dispatch({ type: 'export-failed', failure })
        start('export', exportWork(operations, effect, dispatch), fail)
        break
      }
      case 'compare': {
        const fail = (failure: Failure): void => dispatch({ type: 'compare-failed', failure })
        start('compare', compareWork(operations, effect, dispatch, pace()), fail)
        break
      }
      case 'stop-compare':
        stopKind('compare')
        break
      case 'backfill': {
        const fail = (failure: Failure): void => dispatch({ type: 'backfill-failed', failure })
        const onQuestion = (resolve: (yes: boolean) => void): void => {
          answer = resolve
        }
        start('backfill', backfillWork(operations, effect, dispatch, pace(), onQuestion), fail)
        break
      }
      case 'answer':
        answer?.(effect.yes)
        answer = undefined
        break
      case 'stop-backfill':
        stopKind('backfill')
        break
    }
  }
  return {
    perform,
    async stop() {
      for (const { controller } of running.values())
        controller.abort(new InterruptedError('stopped', EXIT.sigint))
      await Promise.allSettled([...running.values()].map(({ done }) => done))
    },
  }
}

function show(
  operations: BrowserOperations,
  { event, shape }: Extract<Effect, { type: 'show' }>,
  dispatch: Dispatch,
): void {
  try {
    dispatch({ type: 'shown', event, shape, shaped: operations.shaped(event, shape) })
  } catch (error) {
    const { message } = failureOf(error)
    const text = `the ${shape} shape cannot be made: ${message}`
    dispatch({ type: 'notice', notice: { level: 'warning', text } })
  }
}

function applyFilter(operations: BrowserOperations, text: string, dispatch: Dispatch): void {
  try {
    dispatch({ type: 'filter-applied', filter: operations.resolveFilter(parseFilterText(text)) })
  } catch (error) {
    dispatch({ type: 'filter-refused', failure: failureOf(error) })
  }
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  return { message, hint: error instanceof AuditctlError ? error.hint : undefined }
}
