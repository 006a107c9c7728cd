import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractError } from '../../../src/core/errors.ts'
import { compareEvents, NamedEvent, SpanEvent } from '../../../src/core/event.ts'
import { EventScanner } from '../../../src/core/event-scanner.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { sliceEvents } from '../../../src/core/json-slice.ts'
import type { EventShape } from '../../../src/core/source.ts'
import { PLAIN_SHAPE } from '../../support/scripted-source.ts'

function read(texts: readonly string[], shape: EventShape = PLAIN_SHAPE) {
  const bytes = Buffer.from(`{"auditLogs":[${texts.join(',')}]}`)
  const sliced = sliceEvents(bytes, { arrayKey: 'auditLogs', idKey: shape.idKey, timeKey: shape.timeKey })
  assert.ok(sliced !== undefined)
  return eventsOf(sliced.spans, shape)
}

test('eventsOf() gives spans of the reply where id and time are plain, each with its own bytes', () => {
  const texts = [
    '{"id":"b","createdAt":"2026-11-20T12:45:41.528Z","n":1.0}',
    '{"createdAt":"2026-11-20T12:45:41Z","id":"a"}',
  ]
  const events = read(texts)
  assert.ok(events.every((event) => event instanceof SpanEvent))
  assert.deepEqual(
    events.map(({ bytes }) => Buffer.from(bytes).toString()),
    texts,
  )
  assert.deepEqual(
    events.map(({ id }) => id),
    ['b', 'a'],
  )
  assert.equal(events[0]?.occurredAtMs, Date.parse('2026-11-20T12:45:41.528Z'))
})

test('a page tells where the values of its events are once they were missed in an earlier one', () => {
  const scanner = new EventScanner(PLAIN_SHAPE)
  const texts = Array.from(
    { length: 9 },
    (_, n) => `{"id":"a${n}","createdAt":"2026-11-20T12:45:41Z","n":${n}}`,
  )
  const bytes = Buffer.from(`{"auditLogs":[${texts.join(',')}],"totalCount":9}`)
  const page = () => {
    const sliced = sliceEvents(bytes, { ...PLAIN_SHAPE, arrayKey: 'auditLogs', scanner })
    assert.ok(sliced !== undefined)
    return eventsOf(sliced.spans, PLAIN_SHAPE)
  }
  const into = { outline: undefined, marks: new Int32Array(1024), hasEscapes: false }
  const told = () => page().filter((event) => event instanceof SpanEvent && event.readValues(into)).length
  assert.equal(told(), 0)
  assert.equal(told(), 9)
  assert.equal(Buffer.from(bytes.subarray(into.marks[4], into.marks[5])).toString(), '8')
})

test('eventsOf() parses an event whose id is escaped, and keeps its bytes', () => {
  const text = '{"id":"\\u0041b","createdAt":"2026-11-20T12:45:41Z"}'
  const [event] = read([text])
  assert.ok(event instanceof NamedEvent)
  assert.equal(event.id, 'Ab')
  assert.equal(Buffer.from(event.bytes).toString(), text)
})

test('eventsOf() lets the shape name an event that has neither', () => {
  const shape: EventShape = {
    ...PLAIN_SHAPE,
    name: (record) => ({ id: String(record['n']), occurredAt: '2026-01-01T00:00:00Z', occurredAtMs: 5 }),
  }
  assert.deepEqual(
    read(['{"n":7}'], shape).map(({ id, occurredAtMs }) => [id, occurredAtMs]),
    [['7', 5]],
  )
})

for (const [text, said] of [
  ['{"createdAt":"2026-11-20T12:45:41Z"}', /no id/],
  ['{"id":"","createdAt":"2026-11-20T12:45:41Z"}', /no id/],
  ['{"id":7,"createdAt":"2026-11-20T12:45:41Z"}', /no id/],
  ['{"id":"a"}', /the event a has no createdAt/],
  ['{"id":"a","createdAt":7}', /no createdAt/],
  ['{"id":"a","createdAt":"yesterday"}', /not a time/],
  ['{"id":"a","createdAt":"2026-02-31T00:00:00Z"}', /not a time/],
] as const) {
  test(`eventsOf() refuses ${text}`, () => {
    assert.throws(
      () => read([text]),
      (error) => error instanceof ContractError && said.test(error.message),
    )
  })
}

test('compareEvents() goes by time, then by digits below the millisecond, then by id', () => {
  const event = (id: string, time: string) => read([JSON.stringify({ id, createdAt: time })])[0] as SpanEvent
  const sorted = [
    event('z', '2026-11-20T12:00:00.001Z'),
    event('b', '2026-11-20T12:00:00.0015Z'),
    event('a', '2026-11-20T12:00:00.001501Z'),
    event('a', '2026-11-20T12:00:00.002Z'),
    event('b', '2026-11-20T12:00:00.002Z'),
  ]
  assert.deepEqual(sorted.toReversed().sort(compareEvents), sorted)
})
