import type { BackfillOutcome, BackfillQuestion, BackfillRequest } from '../../core/browser.ts'
import type { Progress } from '../../core/runtime.ts'
import { type Step, step, still } from '../effects.ts'
import type { Failure, Message } from '../messages.ts'

/** A backfill from its plan to its proof. */
export type BackfillState = {
  readonly request: BackfillRequest
  readonly phase: 'planning' | 'asking' | 'sending' | 'stopping' | 'done' | 'failed'
  readonly progress: Progress | undefined
  readonly question: BackfillQuestion | undefined
  readonly outcome: BackfillOutcome | undefined
  readonly failure: Failure | undefined
}

export function openBackfill(request: BackfillRequest): Step<BackfillState> {
  return step(
    {
      request,
      phase: 'planning',
      progress: undefined,
      question: undefined,
      outcome: undefined,
      failure: undefined,
    },
    { type: 'backfill', request },
  )
}

/** Whether leaving now would stop it. */
export function isRunning({ phase }: BackfillState): boolean {
  return phase === 'planning' || phase === 'sending' || phase === 'stopping'
}

export function reduceBackfill(state: BackfillState, message: Message): Step<BackfillState> {
  switch (message.type) {
    case 'backfill-progress':
      return still({ ...state, progress: message.progress })
    case 'backfill-asks':
      return still({ ...state, phase: 'asking', question: message.question })
    case 'answer':
      if (state.phase !== 'asking') return still(state)
      return step(
        { ...state, phase: message.yes ? 'sending' : 'stopping', progress: undefined },
        { type: 'answer', yes: message.yes },
      )
    case 'backfill-done':
      return still({ ...state, phase: 'done', outcome: message.outcome })
    case 'backfill-failed':
      return still({ ...state, phase: 'failed', failure: message.failure })
    case 'back':
      return isRunning(state) && state.phase !== 'stopping'
        ? step({ ...state, phase: 'stopping' }, { type: 'stop-backfill' })
        : still(state)
    default:
      return still(state)
  }
}
