import assert from 'node:assert/strict'
import { test } from 'node:test'
import { infrakitchenShape } from '../../../src/sources/infrakitchen/shape.ts'
import { scaivaultShape } from '../../../src/sources/scaivault/shape.ts'
import { namedEvent } from '../../support/span-events.ts'

for (const shape of [scaivaultShape(), infrakitchenShape()]) {
  test(`events of ${shape.type} are sent as they are, and one list says of all that nothing is lost`, () => {
    const settings = { store: 'postgres', retentionDays: undefined } as const
    const texts = ['{"id":"a"}', '{"id":"b"}']
    const streamed = texts.map((text) => shape.asStreamed(namedEvent(Buffer.from(text), 'x'), settings))
    assert.deepEqual(
      streamed.map(({ bytes }) => Buffer.from(bytes).toString()),
      texts,
    )
    assert.deepEqual(streamed[0]?.notRebuilt, [])
    assert.equal(streamed[0]?.notRebuilt, streamed[1]?.notRebuilt)
  })
}
