import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IdDigest } from '../../../src/core/id-digest.ts'
import { IdSet } from '../../../src/core/id-set.ts'
import { addEventId, dedupe, digestEventId } from '../../../src/streams/dedupe.ts'
import { flatten } from '../../../src/streams/flatten.ts'
import { keep } from '../../../src/streams/keep.ts'
import { take } from '../../../src/streams/take.ts'
import { namedEvent, spanEvents } from '../../support/span-events.ts'

const TIME = '2026-11-20T12:45:41.528Z'
const inBytes = (...ids: string[]) => spanEvents(ids.map((id) => JSON.stringify({ id, createdAt: TIME })))
const byName = (id: string) => namedEvent(Buffer.from('{}'), id, TIME)
async function* from<T>(...items: T[]) {
  yield* items
}

describe('take()', () => {
  test('never asks its source for more than the count, and closes it', async () => {
    let [asked, closed] = [0, false]
    async function* source() {
      try {
        for (;;) {
          asked += 1
          yield asked
        }
      } finally {
        closed = true
      }
    }
    assert.deepEqual(await Array.fromAsync(take(source(), 3)), [1, 2, 3])
    assert.deepEqual([asked, closed], [3, true])
  })

  test('gives all where there are fewer, and none for a count of 0', async () => {
    assert.deepEqual(await Array.fromAsync(take(from(1, 2), 5)), [1, 2])
    assert.deepEqual(await Array.fromAsync(take(from(1, 2), 0)), [])
  })
})

test('keep() filters within pages and passes empty ones on', async () => {
  const pages = keep(from([1, 2, 3], [], [5, 7], [4]), (n) => n % 2 === 0)
  assert.deepEqual(await Array.fromAsync(pages), [[2], [], [], [4]])
})

test('flatten() gives the items of all pages in order', async () => {
  assert.deepEqual(await Array.fromAsync(flatten(from([1, 2], [], [3]))), [1, 2, 3])
})

describe('dedupe()', () => {
  test('gives each id once over all pages, in whatever form its event and its UUID come', async () => {
    const uuid = 'b9665ae7-9ce8-4ee9-8ea8-353d13e773a9'
    const seen = new IdSet({ numbers: true })
    seen.add('before')
    const pages = from(
      inBytes('a', 'b', 'a', uuid),
      [byName('b'), byName('c'), byName(uuid.toUpperCase())],
      inBytes('before', 'c', 'd'),
    )
    const kept = await Array.fromAsync(dedupe(pages, seen))
    assert.deepEqual(
      kept.map((page) => page.map((event) => event.id)),
      [['a', 'b', uuid], ['c'], ['d']],
    )
    assert.equal(seen.size, 6)
    assert.deepEqual(
      ['a', 'c'].map((id) => seen.numberOf(id)),
      [Date.parse(TIME), Date.parse(TIME)],
    )
  })

  test('addEventId() and digestEventId() tell the same of an event in bytes and of one by name', () => {
    const events = [...inBytes('x'), byName('x')]
    const seen = new IdSet()
    assert.deepEqual(
      events.map((event) => addEventId(seen, event)),
      [true, false],
    )
    const digests = events.map((event) => {
      const digest = new IdDigest()
      digestEventId(digest, event)
      return digest.hex()
    })
    assert.equal(digests[0], digests[1])
    assert.notEqual(digests[0], new IdDigest().hex())
  })
})
