import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SpanEvent } from '../../../src/core/event.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { sliceLines } from '../../../src/core/json-lines.ts'
import type { EventShape } from '../../../src/core/source.ts'
import { infrakitchenShape } from '../../../src/sources/infrakitchen/shape.ts'
import { Times } from '../../../src/sources/infrakitchen/times.ts'
import { scaivaultShape } from '../../../src/sources/scaivault/shape.ts'

const SHAPES: readonly (readonly [name: string, shape: EventShape])[] = [
  ['scaivault', scaivaultShape()],
  ['infrakitchen', infrakitchenShape(new Times('Europe/Berlin'))],
]

const TIMES = [
  '2026-10-01T00:00:00Z',
  '2026-10-01T00:00:00.123Z',
  '2026-10-01T00:00:00.123456Z',
  '2026-10-01T02:00:00.5+02:00',
  '2026-10-01T00:00:00.123456',
  '2026-10-01 00:00:00',
]

for (const [name, shape] of SHAPES) {
  describe(`events of ${name} that need not be parsed`, () => {
    for (const time of TIMES) {
      test(`are named as parsing would name them: ${time}`, () => {
        const record = { id: 'log_1', [shape.timeKey]: time, action: 'read' }
        const line = Buffer.from(JSON.stringify(record))
        const [event] = eventsOf(sliceLines(line, shape).spans, shape)
        const named = shape.name?.(record)
        assert.deepEqual(
          { id: event?.id, occurredAt: event?.occurredAt, occurredAtMs: event?.occurredAtMs },
          named,
        )
        assert.equal(event instanceof SpanEvent, time.endsWith('Z'))
      })
    }

    test('are parsed where the plain id is empty, or stands under another name', () => {
      const others = [{ id: '', log_id: 'log_2' }, { log_id: 'log_2' }, { id: 'a\\u0062' }]
      for (const other of others) {
        const record = { ...other, [shape.timeKey]: '2026-10-01T00:00:00Z' }
        const named = shape.name?.(record)
        if (named === undefined) continue
        const [event] = eventsOf(sliceLines(Buffer.from(JSON.stringify(record)), shape).spans, shape)
        assert.equal(event?.id, named.id)
      }
    })
  })
}
