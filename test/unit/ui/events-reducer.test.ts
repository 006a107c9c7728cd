import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PageRequest } from '../../../src/core/browser.ts'
import { pageOfHeld } from '../../../src/core/event-page.ts'
import type { Effect } from '../../../src/ui/effects.ts'
import { eventAt, indexBefore, loadedOf, mergeFresh } from '../../../src/ui/events/loaded.ts'
import { type EventsState, eventsState, jump, reduceEvents, restart } from '../../../src/ui/events/reducer.ts'
import type { Message } from '../../../src/ui/messages.ts'
import { answerOf, heldEvent, heldPage, queryOf, START_MS } from './fake-operations.ts'

const HEIGHT = 10

/** A list over a source of `count` events, whose pages are answered at once. */
function listOf(count: number, limits = { events: 100_000, bytes: 1e9 }) {
  let state: EventsState = eventsState(queryOf(count), HEIGHT, limits)
  const requests: PageRequest[] = []
  const answer = (effects: readonly Effect[]): void => {
    for (const effect of effects) {
      if (effect.type !== 'load') continue
      requests.push(effect.request)
      const { generation, request } = effect
      send({ type: 'loaded', generation, toward: request.toward, answer: answerOf(request, count) })
    }
  }
  const take = (next: { readonly state: EventsState; readonly effects: readonly Effect[] }): void => {
    state = next.state
    answer(next.effects)
  }
  const send = (message: Message): void => take(reduceEvents(state, message))
  take(restart(state, state.query))
  const selected = (): number => ((eventAt(state.loaded, state.selected)?.ms ?? Number.NaN) - START_MS) / 1000
  return { state: () => state, send, take, requests, selected }
}

test('the list begins with the newest event and reads the next page long before it is needed', () => {
  const list = listOf(5000)
  assert.equal(list.selected(), 4999)
  assert.equal(list.state().loaded.count, 1200)
  assert.deepEqual(
    list.requests.map(({ limit }) => limit),
    [200, 1000],
  )
})

test('a list walked to its end shows every event once, in order', () => {
  const list = listOf(3000)
  const seen: number[] = []
  for (let i = 0; i < 3000; i += 1) {
    seen.push(list.selected())
    list.send({ type: 'move', by: 1 })
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 3000 }, (_, i) => 2999 - i),
  )
  assert.equal(list.state().hasOlder, false)
})

test('a long list drops its far end, and reads it again on the way back', () => {
  const list = listOf(20_000, { events: 3000, bytes: 1e9 })
  for (let i = 0; i < 12_000; i += 1) {
    list.send({ type: 'move', by: 1 })
    assert.ok(list.state().loaded.count <= 3000)
    assert.equal(list.selected(), 19_999 - (i + 1))
  }
  assert.equal(list.state().hasNewer, true)
  for (let i = 0; i < 12_000; i += 1) list.send({ type: 'move', by: -1 })
  assert.equal(list.selected(), 19_999)
  assert.equal(list.state().hasNewer, false)
  assert.equal(list.state().hasOlder, true)
})

test('a list that holds too many bytes drops pages as one with too many events does', () => {
  const list = listOf(20_000, { events: 1e9, bytes: 300_000 })
  for (let i = 0; i < 9000; i += 1) list.send({ type: 'move', by: 1 })
  assert.ok(list.state().loaded.bytes <= 300_000 + 200_000)
  assert.equal(list.selected(), 19_999 - 9000)
})

test('the selected event is always on the screen', () => {
  const list = listOf(500)
  for (const message of [
    { type: 'turn', pages: 3 },
    { type: 'move', by: -40 },
    { type: 'oldest' },
    { type: 'turn', pages: -2 },
    { type: 'newest' },
    { type: 'move', by: 7 },
  ] as const) {
    list.send(message)
    const { selected, top } = list.state()
    assert.ok(selected >= top && selected < top + HEIGHT, `${message.type}: ${selected} in ${top}`)
  }
})

test('the oldest event is reached without reading what lies between', () => {
  const list = listOf(100_000)
  list.send({ type: 'oldest' })
  assert.equal(list.selected(), 0)
  assert.ok(list.state().loaded.count < 3000)
  list.send({ type: 'newest' })
  assert.equal(list.selected(), 99_999)
})

test('a jump in time lands on the newest event before the instant, with what is newer above it', () => {
  const list = listOf(50_000)
  list.take(jump(list.state(), START_MS + 20_000_500))
  assert.equal(list.selected(), 20_000)
  assert.ok(list.state().top < list.state().selected)
  list.send({ type: 'move', by: -1 })
  assert.equal(list.selected(), 20_001)
  const before = list.requests.length
  list.take(jump(list.state(), START_MS + 20_100_500))
  assert.equal(list.selected(), 20_100)
  assert.equal(list.requests.length, before, 'what is loaded is not read again')
})

test('answers to a question that was given up are dropped', () => {
  const first = restart(eventsState(queryOf(100), HEIGHT), queryOf(100))
  const second = restart(first.state, queryOf(50))
  const late = {
    type: 'loaded',
    generation: 1,
    toward: 'older',
    answer: { page: heldPage(0, 100), hasMore: false },
  } as const
  assert.equal(reduceEvents(second.state, late).state.loaded.count, 0)
})

test('a page that could not be read leaves the list, and r reads on where it stopped', () => {
  const opened = restart(eventsState(queryOf(5000), HEIGHT), queryOf(5000))
  const full = reduceEvents(opened.state, {
    type: 'loaded',
    generation: 1,
    toward: 'older',
    answer: answerOf({ ...queryOf(5000), after: undefined, toward: 'older', limit: 200 }, 5000),
  })
  const failure = { message: 'Infisical cannot be reached', hint: undefined }
  const failed = reduceEvents(full.state, { type: 'load-failed', generation: 1, failure })
  assert.equal(failed.state.loaded.count, 200)
  assert.equal(failed.state.failure, failure)
  assert.deepEqual(
    reduceEvents(failed.state, { type: 'move', by: 1 }).effects,
    [],
    'nothing is asked again by itself',
  )
  const again = reduceEvents(failed.state, { type: 'reload' })
  assert.equal(again.state.failure, undefined)
  assert.deepEqual(
    again.effects.map(({ type }) => type),
    ['load'],
  )
})

test('new events stand at the top; the selection stays on its event unless it was at the top', () => {
  const list = listOf(100)
  const arrived = (n: number) =>
    ({ type: 'arrived', generation: 1, page: heldPage(n, n + 1), now: START_MS + 1e6 }) as const
  list.send(arrived(100))
  assert.equal(list.selected(), 100)
  list.send({ type: 'move', by: 3 })
  list.send(arrived(101))
  assert.equal(list.selected(), 97)
  assert.equal(list.state().loaded.count, 102)
  list.send(arrived(101))
  assert.equal(list.state().loaded.count, 102, 'one that came twice is there once')
})

test('a late event takes its place in time', () => {
  const run = loadedOf([pageOfHeld([9, 8, 6, 5].map((n) => heldEvent(n)))])
  const late = mergeFresh(run, pageOfHeld([heldEvent(7)]), true)
  const order = Array.from({ length: 5 }, (_, i) => eventAt(late.loaded, i)?.id)
  assert.deepEqual(
    order,
    [9, 8, 7, 6, 5].map((n) => heldEvent(n).id),
  )
  assert.equal(
    mergeFresh(run, pageOfHeld([heldEvent(1)]), false).loaded.count,
    4,
    'one beyond the loaded end waits there',
  )
})

test('indexBefore finds the newest older event, over pages and at their ends', () => {
  const run = loadedOf([heldPage(60, 100), heldPage(20, 60), heldPage(0, 20)])
  for (let n = 0; n <= 100; n += 1) assert.equal(indexBefore(run, START_MS + n * 1000), 100 - n)
})
