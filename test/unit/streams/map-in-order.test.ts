import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mapInOrder } from '../../../src/streams/map-in-order.ts'
import { seededRandom } from '../../support/json-fuzz.ts'

/** Counts up, and remembers how far it was read and whether it was closed. */
function numbers(count: number) {
  const seen = { read: 0, closed: false }
  async function* items() {
    try {
      for (let n = 0; n < count; n += 1) {
        seen.read += 1
        yield n
      }
    } finally {
      seen.closed = true
    }
  }
  return { seen, items: items() }
}
const turns = async (count: number) => {
  for (let n = 0; n < count; n += 1) await Promise.resolve()
}

describe('mapInOrder()', () => {
  test('keeps the order and never has more than limit in flight, whatever takes how long', async () => {
    const random = seededRandom(1)
    let [running, most] = [0, 0]
    const answers: number[] = []
    const work = async (n: number) => {
      running += 1
      most = Math.max(most, running)
      await turns(Math.floor(random() * 20))
      running -= 1
      return n * 2
    }
    for await (const answer of mapInOrder(numbers(100).items, 4, work)) answers.push(answer)
    assert.deepEqual(
      answers,
      Array.from({ length: 100 }, (_, n) => n * 2),
    )
    assert.equal(most, 4)
  })

  test('starts no more work than limit ahead of a slow reader', async () => {
    const { items, seen } = numbers(1000)
    const answers = mapInOrder(items, 3, async (n) => n)
    for (let n = 0; n < 10; n += 1) {
      await answers.next()
      await turns(50)
    }
    assert.equal(seen.read, 12)
    await answers.return(undefined)
    assert.equal(seen.closed, true)
  })

  test('takes plain iterables and yields what is left when there are fewer items than limit', async () => {
    assert.deepEqual(await Array.fromAsync(mapInOrder([1, 2], 8, async (n) => n)), [1, 2])
    assert.deepEqual(await Array.fromAsync(mapInOrder([], 8, async (n) => n)), [])
  })

  test('fails at the failed item after the answers before it, waits for what is in flight, and closes the source', async () => {
    const { items, seen } = numbers(100)
    const finished: number[] = []
    const answers: number[] = []
    const work = async (n: number) => {
      await turns(n === 5 ? 1 : 30)
      finished.push(n)
      if (n === 5) throw new Error('five')
      return n
    }
    await assert.rejects(async () => {
      for await (const answer of mapInOrder(items, 4, work)) answers.push(answer)
    }, /five/)
    assert.deepEqual(answers, [0, 1, 2, 3, 4])
    assert.equal(seen.closed, true)
    assert.deepEqual(
      finished.toSorted((a, b) => a - b),
      Array.from({ length: seen.read }, (_, n) => n),
    )
  })

  test('passes a failure of the source on after waiting for what is in flight', async () => {
    let finished = 0
    async function* items() {
      yield 1
      yield 2
      throw new Error('source broke')
    }
    const work = async () => {
      await turns(20)
      finished += 1
    }
    await assert.rejects(Array.fromAsync(mapInOrder(items(), 4, work)), /source broke/)
    assert.equal(finished, 2)
  })

  test('waits for what is in flight when the reader leaves', async () => {
    let finished = 0
    const work = async () => {
      await turns(20)
      finished += 1
    }
    for await (const _ of mapInOrder(numbers(100).items, 4, work)) break
    assert.equal(finished, 4)
  })

  for (const after of [0, 3]) {
    test(`begins nothing more once the signal has fired after ${after} answers`, async () => {
      const controller = new AbortController()
      const { items, seen } = numbers(100)
      const reason = new Error('stop')
      if (after === 0) controller.abort(reason)
      let answers = 0
      await assert.rejects(async () => {
        for await (const _ of mapInOrder(items, 2, async (n) => n, controller.signal)) {
          answers += 1
          if (answers === after) controller.abort(reason)
        }
      }, reason)
      assert.equal(answers, after)
      assert.ok(seen.read <= after + 2)
    })
  }

  test('throws the reason when the signal fires among the last answers', async () => {
    const controller = new AbortController()
    const answers = mapInOrder([1, 2, 3], 8, async (n) => n, controller.signal)
    assert.equal((await answers.next()).value, 1)
    controller.abort(new Error('stop'))
    await assert.rejects(answers.next(), /stop/)
  })

  for (const limit of [0, -1, Number.NaN]) {
    test(`refuses a limit of ${limit}`, async () => {
      await assert.rejects(mapInOrder([1], limit, async (n) => n).next(), RangeError)
    })
  }
})
