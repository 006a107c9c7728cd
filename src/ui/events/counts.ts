import type { EventPage } from '../../core/event-page.ts'
import type { TimeRange } from '../../core/time-range.ts'
import { type Step, step, still } from '../effects.ts'
import type { Message } from '../messages.ts'
import type { AppState } from '../state.ts'
import { CELLS, type CountsState, columnOf } from './histogram.ts'

/** Counting begins once the first page stands on the screen, and again for another window or filter. */
export function reduceCounts(state: AppState, message: Message): Step<AppState> {
  const { events, counts, counted } = state
  switch (message.type) {
    case 'loaded': {
      if (message.generation !== events.generation || counted === events.query) return still(state)
      const { query } = events
      const fresh: CountsState = { window: query.window, step: undefined, isWhole: false }
      return step({ ...state, counts: fresh, counted: query }, { type: 'count', query })
    }
    case 'counted':
      if (counted === undefined || message.query !== counted) return still(state)
      return still({ ...state, counts: { ...counts, step: message.step, isWhole: message.isWhole } })
    case 'count-failed':
      return message.query === counted ? still({ ...state, failure: message.failure }) : still(state)
    case 'arrived': {
      if (message.generation !== events.generation || counted === undefined) return still(state)
      return still({
        ...state,
        counted: events.query,
        counts: withArrived(counts, events.query.window, message.page),
      })
    }
    default:
      return still(state)
  }
}

/** The counts of a window that has grown at its newer end, with what arrived. */
function withArrived(counts: CountsState, window: TimeRange, { atMs }: EventPage): CountsState {
  const { step: counted } = counts
  if (counted === undefined) return { ...counts, window }
  const cells = new Float64Array(CELLS)
  const width = (counts.window.to - counts.window.from) / CELLS
  const add = (ms: number, count: number): void => {
    const cell = columnOf(ms, window, CELLS)
    cells[cell] = (cells[cell] ?? 0) + count
  }
  for (const [i, count] of counted.cells.entries())
    if (count > 0) add(counts.window.from + (i + 0.5) * width, count)
  for (const ms of atMs) add(ms, 1)
  return { ...counts, window, step: { ...counted, cells, total: counted.total + atMs.length } }
}
