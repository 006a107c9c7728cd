import { type Step, step, still } from '../effects.ts'
import { withEvents } from '../events/keys-reducer.ts'
import { eventAt } from '../events/loaded.ts'
import { reduceEvents } from '../events/reducer.ts'
import type { Message } from '../messages.ts'
import { type AppState, detailHeight } from '../state.ts'
import { SHAPES, scrollDetail } from './reducer.ts'

export function reduceDetailKeys(state: AppState, message: Message): Step<AppState> {
  const { detail, events } = state
  const height = detailHeight(state)
  const scroll = (by: number): Step<AppState> => still({ ...state, detail: scrollDetail(detail, by, height) })
  switch (message.type) {
    case 'back':
    case 'open-detail':
      return still({ ...state, view: 'events' })
    case 'move':
      return scroll(message.by)
    case 'turn':
      return scroll(message.pages * Math.max(1, height - 1))
    case 'newest':
      return scroll(Number.NEGATIVE_INFINITY)
    case 'oldest':
      return scroll(Number.POSITIVE_INFINITY)
    case 'next-shape': {
      const shape = SHAPES[(SHAPES.indexOf(detail.shape) + 1) % SHAPES.length] ?? 'native'
      return detail.event === undefined
        ? still(state)
        : step(state, { type: 'show', event: detail.event, shape })
    }
    case 'neighbour': {
      const moved = withEvents(state, reduceEvents(events, { type: 'move', by: message.by }))
      const event = eventAt(moved.state.events.loaded, moved.state.events.selected)
      return event === undefined
        ? moved
        : { ...moved, effects: [...moved.effects, { type: 'show', event, shape: detail.shape }] }
    }
    case 'toggle-mark': {
      const marks = new Map(state.marks)
      const { event } = detail
      if (event !== undefined && !marks.delete(event.id))
        marks.set(event.id, { ...event, bytes: event.bytes.slice() })
      return still({ ...state, marks })
    }
    default:
      return still(state)
  }
}
