import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BatchLimits, Frame } from '../../../src/core/destination.ts'
import {
  type Batch,
  Batcher,
  type BatchRules,
  batch,
  batchPages,
  type Encoded,
  type Refused,
} from '../../../src/streams/batch.ts'
import { frameBody } from '../../../src/streams/frame-body.ts'
import { pick, seededRandom } from '../../support/json-fuzz.ts'

const ARRAY: Frame = { open: '[', separator: ',', close: ']' }
const LINES: Frame = { open: '', separator: '\n', close: '' }
const WIDE: Frame = { open: '{"events":[', separator: ' ,\n', close: ']}' }
const LIMITS: BatchLimits = { maxEvents: null, maxBytes: 1e6, maxEventBytes: 1e6 }

type Item = Encoded & { readonly text: string }
const item = (text: string, atMs = 0): Item => ({ encoded: Buffer.from(text), atMs, text })
async function* from<T>(items: Iterable<T>) {
  yield* items
}
async function run(texts: readonly Item[], rules: Partial<BatchRules> & { limits?: BatchLimits }) {
  const steps = await Array.fromAsync(batch(from(texts), { limits: LIMITS, frame: ARRAY, ...rules }))
  return {
    steps,
    batches: steps.filter((step): step is Batch<Item> => step.kind === 'batch'),
    refused: steps.filter((step): step is Refused<Item> => step.kind === 'refused'),
  }
}
const texts = (batches: readonly Batch<Item>[]) => batches.map(({ items }) => items.map(({ text }) => text))
const bodyOf = (frame: Frame, { items }: Batch<Item>) =>
  frameBody(
    frame,
    items.map(({ encoded }) => encoded),
  )

describe('batch()', () => {
  const four = ['aaaa', 'bbbb', 'cccc', 'dddd'].map((text) => item(text))
  const cases: [name: string, limits: Partial<BatchLimits>, frame: Frame, expected: string[][]][] = [
    [
      'fills a batch to the last byte',
      { maxBytes: 11 },
      ARRAY,
      [
        ['aaaa', 'bbbb'],
        ['cccc', 'dddd'],
      ],
    ],
    ['begins a new one for one byte more', { maxBytes: 10 }, ARRAY, [['aaaa'], ['bbbb'], ['cccc'], ['dddd']]],
    [
      'counts separators',
      { maxBytes: 15 },
      ARRAY,
      [
        ['aaaa', 'bbbb'],
        ['cccc', 'dddd'],
      ],
    ],
    ['needs no frame', { maxBytes: 14 }, LINES, [['aaaa', 'bbbb', 'cccc'], ['dddd']]],
    [
      'counts long frames',
      { maxBytes: 24 },
      WIDE,
      [
        ['aaaa', 'bbbb'],
        ['cccc', 'dddd'],
      ],
    ],
    ['holds maxEvents', { maxEvents: 3 }, ARRAY, [['aaaa', 'bbbb', 'cccc'], ['dddd']]],
    ['holds one event', { maxEvents: 1 }, ARRAY, [['aaaa'], ['bbbb'], ['cccc'], ['dddd']]],
    ['holds all where nothing limits it', {}, ARRAY, [['aaaa', 'bbbb', 'cccc', 'dddd']]],
  ]
  for (const [name, limits, frame, expected] of cases) {
    test(name, async () => {
      const { batches } = await run(four, { limits: { ...LIMITS, ...limits }, frame })
      assert.deepEqual(texts(batches), expected)
      for (const one of batches) assert.equal(bodyOf(frame, one).length, one.bytes)
    })
  }

  test('counts the bytes of characters, not the characters', async () => {
    const { batches } = await run([item('"é"'), item('"😀"')], { limits: { ...LIMITS, maxBytes: 12 } })
    assert.deepEqual(texts(batches), [['"é"'], ['"😀"']])
    const together = await run([item('"é"'), item('"😀"')], { limits: { ...LIMITS, maxBytes: 13 } })
    assert.equal(together.batches.length, 1)
  })

  test('yields an event over the limit of one as refused, whole, and its neighbours as if it were not there', async () => {
    const items = [item('aaaa'), item('x'.repeat(6)), item('bbbb')]
    const { batches, refused } = await run(items, { limits: { ...LIMITS, maxEventBytes: 5 } })
    assert.deepEqual(texts(batches), [['aaaa', 'bbbb']])
    assert.deepEqual(refused, [
      { kind: 'refused', item: items[1], bytes: 6, maxBytes: 5, limit: 'maxEventBytes' },
    ])
    const exact = await run(items, { limits: { ...LIMITS, maxEventBytes: 6 } })
    assert.equal(exact.refused.length, 0)
  })

  test('refuses an event that fills a body only without its frame', async () => {
    const { batches, refused } = await run([item('x'.repeat(9)), item('y'.repeat(8))], {
      limits: { ...LIMITS, maxBytes: 10 },
    })
    assert.deepEqual(texts(batches), [['y'.repeat(8)]])
    assert.deepEqual(
      refused.map(({ bytes, maxBytes, limit }) => [bytes, maxBytes, limit]),
      [[11, 10, 'maxBytes']],
    )
  })

  test('keeps times of one batch within maxSpanMs, in either direction', async () => {
    const times = [0, 10, 11, 21, 5, 100].map((atMs) => item(`${atMs}`, atMs))
    const { batches } = await run(times, { maxSpanMs: 10 })
    assert.deepEqual(texts(batches), [['0', '10'], ['11', '21'], ['5'], ['100']])
  })

  test('yields nothing for nothing', async () => {
    assert.deepEqual((await run([], {})).steps, [])
    assert.equal(
      (await run([item('toolong')], { limits: { ...LIMITS, maxEventBytes: 1 } })).batches.length,
      0,
    )
  })

  for (const [limits, maxSpanMs] of [
    [{ maxEvents: 0 }, 1],
    [{ maxBytes: 2 }, 1],
    [{ maxBytes: Number.NaN }, 1],
    [{ maxEventBytes: 0 }, 1],
    [{}, -1],
  ] as const) {
    test(`refuses limits that leave room for nothing: ${JSON.stringify({ ...limits, maxSpanMs })}`, async () => {
      await assert.rejects(run(four, { limits: { ...LIMITS, ...limits }, maxSpanMs }), RangeError)
    })
  }

  test('loses nothing, keeps the order, breaks no limit and is greedy (fuzzed)', async () => {
    const random = seededRandom(42)
    for (let round = 0; round < 200; round += 1) {
      const frame = pick(random, [ARRAY, LINES, WIDE])
      const limits = {
        maxEvents: pick(random, [null, 1, 3, 10]),
        maxBytes: 15 + Math.floor(random() * 200),
        maxEventBytes: 1 + Math.floor(random() * 60),
      }
      const maxSpanMs = pick(random, [undefined, 0, 50])
      const items = Array.from({ length: 60 }, (_, n) =>
        item(pick(random, ['é', 'x', '😀']).repeat(1 + random() * 30), n * 10),
      )
      const { steps, batches, refused } = await run(items, { limits, frame, maxSpanMs })
      const paged = batchPages(from([items.slice(0, 20), [], items.slice(20)]), { limits, frame, maxSpanMs })
      assert.deepEqual(await Array.fromAsync(paged), steps)
      const kept = new Set(refused.map((step) => step.item))
      assert.deepEqual(
        batches.flatMap((one) => one.items),
        items.filter((one) => !kept.has(one)),
      )
      for (const { item: one } of refused) {
        const alone = frame.open.length + frame.close.length + one.encoded.length
        assert.ok(one.encoded.length > limits.maxEventBytes || alone > limits.maxBytes)
      }
      for (const [n, one] of batches.entries()) {
        const span = (with_: readonly Item[]) => (with_.at(-1)?.atMs ?? 0) - (with_[0]?.atMs ?? 0)
        const body = bodyOf(frame, one)
        assert.equal(body.length, one.bytes)
        assert.ok(
          body.length <= limits.maxBytes &&
            one.items.length <= (limits.maxEvents ?? Number.POSITIVE_INFINITY),
        )
        assert.ok(span(one.items) <= (maxSpanMs ?? Number.POSITIVE_INFINITY))
        const next = batches[n + 1]?.items[0]
        if (next === undefined) continue
        // The next event must not have fitted.
        const fits =
          body.length + frame.separator.length + next.encoded.length <= limits.maxBytes &&
          one.items.length < (limits.maxEvents ?? Number.POSITIVE_INFINITY) &&
          span([...one.items, next]) <= (maxSpanMs ?? Number.POSITIVE_INFINITY)
        assert.equal(fits, false)
      }
    }
  })
})

test('Batcher can go on after finish()', () => {
  const batcher = new Batcher<Item>({ limits: LIMITS, frame: ARRAY })
  batcher.add(item('a'))
  assert.equal(batcher.finish()?.bytes, 3)
  assert.equal(batcher.finish(), undefined)
  batcher.add(item('bb'))
  assert.equal(batcher.finish()?.bytes, 4)
})

test('frameBody() puts the frame around and between the events', () => {
  const events = ['{"é":1}', '{}', '{"b":2}'].map((text) => Buffer.from(text))
  assert.equal(Buffer.from(frameBody(WIDE, events)).toString(), '{"events":[{"é":1} ,\n{} ,\n{"b":2}]}')
  assert.equal(Buffer.from(frameBody(ARRAY, events.slice(0, 1))).toString(), '[{"é":1}]')
  assert.equal(Buffer.from(frameBody(LINES, [])).toString(), '')
})
