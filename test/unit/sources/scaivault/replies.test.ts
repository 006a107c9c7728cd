import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { eventsOf } from '../../../../src/core/events-of.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { sliceOrParse } from '../../../../src/core/json-slice.ts'
import { readSlices } from '../../../../src/operations/read-slices.ts'
import { Replies } from '../../../../src/sources/scaivault/replies.ts'
import { scaivaultShape } from '../../../../src/sources/scaivault/shape.ts'
import { windowOf, withScaivault } from './bench.ts'

const shape = scaivaultShape()
const NOTE = 'x'.repeat(100_000)

function reply(ids: readonly string[], spare?: Replies['spare']): readonly AuditEvent[] {
  const logs = ids.map((id) => ({ id, timestamp: '2026-11-20T12:45:41.528Z', note: NOTE }))
  const bytes = Buffer.from(JSON.stringify({ logs }))
  return eventsOf(
    sliceOrParse(bytes, { arrayKey: 'logs', idKey: 'id', timeKey: 'timestamp' }).spans,
    shape,
    spare,
  )
}

const memoryOf = (event: AuditEvent | undefined) => event?.buffer.byteLength ?? -1

describe('the memory of replies', () => {
  test('is given back with the last event of the reply, whatever slices its events lie in', () => {
    const replies = new Replies()
    const [one, two] = [reply(['a', 'b', 'c']), reply(['d', 'e'])]
    replies.note(one)
    replies.note(two)
    replies.giveBack(one.slice(0, 2))
    assert.ok(memoryOf(one[2]) > 0, 'the third is still to be looked at')
    replies.giveBack([...one.slice(2), ...two.slice(0, 1)])
    assert.equal(memoryOf(one[2]), 0)
    assert.equal(two[1]?.id, 'e')
    replies.giveBack(two.slice(1))
    assert.equal(memoryOf(two[1]), 0)
  })

  test('stays where nobody said how many of its events will be handed over', () => {
    const replies = new Replies()
    const events = reply(['a'])
    replies.giveBack(events)
    assert.equal(events[0]?.id, 'a')
  })

  test('comes with its events, which become those of later replies', () => {
    const replies = new Replies()
    const first = reply(['a', 'b'])
    assert.equal(first[0]?.record()['id'], 'a')
    replies.note(first)
    replies.giveBack(first)
    const later = reply(['c', 'd', 'e'], replies.spare)
    assert.deepEqual(
      later.map(({ id }) => id),
      ['c', 'd', 'e'],
    )
    assert.deepEqual(
      later.map((event) => event.record()['id']),
      ['c', 'd', 'e'],
    )
    assert.equal(new Set(later).size, 3)
    assert.equal(later.filter((event) => first.includes(event)).length, 2)
  })
})

for (const faults of [
  [],
  ['order=asc'],
  ['jitter', 'order=asc'],
  ['ties=4000', 'order=asc'],
  ['shape=items'],
]) {
  for (const order of ['asc', 'desc'] as const) {
    test(`slices that are given back one by one leave all others as they are (${[order, ...faults].join(', ')})`, async () => {
      await withScaivault({ events: 30_000, faults }, async ({ source }) => {
        const read = async (release: boolean) => {
          const lines: string[] = []
          let freed = 0
          const slices = readSlices(source, windowOf(30_000), NO_FILTER, {
            order,
            concurrency: 4,
            signal: new AbortController().signal,
          })
          for await (const slice of slices) {
            for (const event of slice.events)
              lines.push(`${event.occurredAtMs} ${event.id} ${Buffer.from(event.bytes)}`)
            if (!release) continue
            slice.release()
            // Once more does no harm.
            slice.release()
            if (memoryOf(slice.events[0]) === 0) freed += 1
          }
          assert.equal(freed > 0, release)
          return lines
        }
        const [kept, given] = [await read(false), await read(true)]
        assert.equal(kept.length, 30_000)
        assert.deepEqual(given, kept)
      })
    })
  }
}
