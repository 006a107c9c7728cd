import type { Failure, LineMessage } from '../messages.ts'
import { completionsOf, type Vocabulary } from './filter-text.ts'
import { editLine, type Line, lineOf } from './line-editor.ts'

/** The line in which a filter, a time or a file name is typed. */
export type PromptState = {
  readonly kind: 'filter' | 'export'
  readonly line: Line
  readonly failure: Failure | undefined
  /** While Tab goes through what the word may become: the line as it was typed, and which one stands there. */
  readonly cycle: { readonly typed: Line; readonly index: number } | undefined
  readonly earlier: readonly string[]
  /** Which of `earlier` stands in the line, counted from the last; -1: none. */
  readonly recalled: number
}

export function promptState(
  kind: PromptState['kind'],
  text: string,
  earlier: readonly string[] = [],
): PromptState {
  return { kind, line: lineOf(text), failure: undefined, cycle: undefined, earlier, recalled: -1 }
}

export function reducePrompt(state: PromptState, message: LineMessage, vocabulary: Vocabulary): PromptState {
  if (message.type === 'enter') return state
  if (message.type === 'recall') return recall(state, message.by)
  if (message.type !== 'complete') {
    return { ...state, line: editLine(state.line, message), failure: undefined, cycle: undefined }
  }
  if (state.kind !== 'filter') return state
  const typed = state.cycle?.typed ?? state.line
  const { from, words } = completionsOf(typed.text, typed.caret, vocabulary)
  if (words.length === 0) return state
  const last = words.length - 1
  const index =
    state.cycle === undefined
      ? message.by > 0
        ? 0
        : last
      : (state.cycle.index + message.by + words.length) % words.length
  const word = words[index] ?? ''
  // A whole value is followed by the next one; a name or the first of a list is not done yet.
  const ending = word.endsWith(':') || words.length > 1 ? '' : ' '
  const line = {
    text: typed.text.slice(0, from) + word + ending + typed.text.slice(typed.caret),
    caret: from + word.length + ending.length,
  }
  const isDone = words.length === 1
  return { ...state, line, failure: undefined, cycle: isDone ? undefined : { typed, index } }
}

function recall(state: PromptState, by: -1 | 1): PromptState {
  const recalled = Math.max(-1, Math.min(state.recalled - by, state.earlier.length - 1))
  const text = recalled < 0 ? '' : (state.earlier.at(-1 - recalled) ?? '')
  return { ...state, recalled, line: lineOf(text), failure: undefined, cycle: undefined }
}
