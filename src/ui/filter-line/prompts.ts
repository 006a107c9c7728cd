import { type EpochMs, isoTime } from '../../core/time-range.ts'
import { type Step, step, still } from '../effects.ts'
import { instantAfter, withEvents } from '../events/keys-reducer.ts'
import { eventAt } from '../events/loaded.ts'
import { restart } from '../events/reducer.ts'
import type { LineMessage, Message } from '../messages.ts'
import type { AppState } from '../state.ts'
import { filterTextOf, type Vocabulary } from './filter-text.ts'
import { promptState, reducePrompt } from './reducer.ts'

const MOST_FILTERS = 50

/** The lines in which something is typed: the filter, and the file of an export. */
export function reducePrompts(state: AppState, message: Message, now: EpochMs): Step<AppState> {
  const { prompt } = state
  switch (message.type) {
    case 'open-filter': {
      const text = filterTextOf(state.events.query.filter)
      return still({ ...state, prompt: promptState('filter', text === '' ? '' : `${text} `, state.filters) })
    }
    case 'open-export': {
      const stamp = isoTime(now).slice(0, 19).replaceAll(/[-:]/g, '')
      return still({ ...state, prompt: promptState('export', `events-${stamp}.jsonl`) })
    }
    case 'exported': {
      const text = `${message.events.toLocaleString('en-US')} ${message.events === 1 ? 'event' : 'events'} written to ${message.path}`
      return still({ ...state, prompt: undefined, notice: { level: 'info', text } })
    }
    case 'filter-applied': {
      const { events } = state
      const query = { ...events.query, filter: message.filter }
      const text = filterTextOf(message.filter)
      const filters =
        text === ''
          ? state.filters
          : [...state.filters.filter((earlier) => earlier !== text), text].slice(-MOST_FILTERS)
      return withEvents(
        { ...state, prompt: undefined, filters },
        restart(events, query, instantAfter(events)),
      )
    }
    case 'export-failed':
    case 'filter-refused':
      return still(
        prompt === undefined
          ? { ...state, failure: message.failure }
          : { ...state, prompt: { ...prompt, failure: message.failure } },
      )
    case 'back':
      return still({ ...state, prompt: undefined })
    case 'enter':
      return prompt === undefined ? still(state) : submit(state)
    default:
      if (prompt === undefined || !isLineMessage(message)) return still(state)
      return still({ ...state, prompt: reducePrompt(prompt, message, vocabularyOf(state)) })
  }
}

export function vocabularyOf({ operations, counts }: AppState): Vocabulary {
  const seen = counts.step?.types ?? []
  const known = (operations?.knownEventTypes ?? []).filter((type) => !seen.includes(type))
  return {
    filterNames: operations?.filterNames ?? [],
    types: [...seen, ...known],
    actors: counts.step?.actors ?? [],
  }
}

function submit(state: AppState): Step<AppState> {
  const { prompt, marks, events, detail } = state
  const text = prompt?.line.text.trim() ?? ''
  if (prompt?.kind === 'filter') return step(state, { type: 'apply-filter', text })
  if (text === '') return still({ ...state, prompt: undefined })
  const selected = eventAt(events.loaded, events.selected)
  const chosen =
    marks.size > 0
      ? [...marks.values()].sort((a, b) => a.ms - b.ms || (a.id < b.id ? -1 : 1))
      : selected === undefined
        ? []
        : [selected]
  return step(state, { type: 'export', events: chosen, path: text, shape: detail.shape })
}

function isLineMessage(message: Message): message is LineMessage {
  return ['typed', 'erase', 'caret', 'complete', 'recall', 'enter'].includes(message.type)
}
