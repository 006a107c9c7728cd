import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditEvent } from '../../../src/core/event.ts'
import type { PackedBatch } from '../../../src/operations/backfill/packed-batch.ts'
import { Packer } from '../../../src/operations/backfill/packer.ts'
import { Batcher, type BatchRules, refusalOf } from '../../../src/streams/batch.ts'
import { frameBody } from '../../../src/streams/frame-body.ts'
import { pick, seededRandom } from '../../support/json-fuzz.ts'

type Item = { readonly encoded: Buffer; readonly atMs: number; readonly isRestamped: boolean }

const PLAIN = { open: '', separator: '', close: '' }
const FRAMES = [PLAIN, { open: '', separator: '\n', close: '\n' }, { open: '[', separator: ',', close: ']' }]
const LOST = ['expiresAt']
const encode = (streamed: Uint8Array): Uint8Array => streamed
const encodeInto = (out: Buffer, at: number, streamed: Uint8Array): number => {
  if (at + streamed.length > out.length) return -1
  out.set(streamed, at)
  return at + streamed.length
}

function put(
  packer: Packer,
  { encoded, atMs, isRestamped }: Item,
  position: number,
): PackedBatch | undefined {
  const event = { occurredAtMs: atMs } as AuditEvent
  assert.equal(packer.write(encoded, event, { restamp: isRestamped }), encoded.length)
  const place = { position, spoolFrom: position * 10, spoolTo: position * 10 + 10 }
  // A shape may name what is lost by one list for all events, or by another for each.
  const notRebuilt = position % 2 === 0 ? LOST : [...LOST]
  return packer.keep({ ...place, atMs, isRestamped, notRebuilt })
}

/** What can be told of a batch, its body copied before it is given back. */
function told(batch: PackedBatch, isLookedInto: boolean) {
  const lost = new Map<string, number>()
  batch.addLossesTo(lost)
  const { first, count, spoolFrom, spoolTo, bytes, restamped, oldest, newest } = batch
  const body = Buffer.from(batch.body)
  if (isLookedInto) {
    const joined = frameBody(
      PLAIN,
      batch.items.map(({ encoded }) => encoded),
    )
    const places = batch.items.map((item) => item.position)
    assert.deepEqual(
      places,
      Array.from({ length: count }, (_, i) => first + i),
    )
    assert.deepEqual([batch.items[0]?.spoolFrom, batch.items.at(-1)?.spoolTo], [spoolFrom, spoolTo])
    assert.ok(body.includes(Buffer.from(joined.subarray(0, batch.items[0]?.encoded.length))))
  }
  batch.release()
  return {
    first,
    count,
    spoolFrom,
    spoolTo,
    bytes,
    restamped,
    oldest,
    newest,
    body,
    lost: lost.get('expiresAt'),
  }
}

describe('Packer', () => {
  for (const [title, destination] of [
    ['encode alone', { encode }],
    ['encodeInto', { encode, encodeInto }],
  ] as const) {
    test(`makes the batches of Batcher, to the byte, with ${title} (fuzzed)`, () => {
      const random = seededRandom(11)
      const upTo = (most: number): number => Math.floor(random() * most)
      for (let round = 0; round < 200; round += 1) {
        const maxBytes = 40 + upTo(400)
        const rules: BatchRules = {
          frame: pick(random, FRAMES),
          limits: {
            maxEvents: random() < 0.5 ? null : 1 + upTo(8),
            maxBytes,
            maxEventBytes: 30 + upTo(500),
            ...(random() < 0.3 ? { maxAloneBytes: 2 * maxBytes } : {}),
          },
          ...(random() < 0.3 ? { maxSpanMs: upTo(50) } : {}),
        }
        const batcher = new Batcher<Item>(rules)
        const packer = new Packer(destination, rules)
        const expected: unknown[] = []
        const packed: unknown[] = []
        let first = 0
        const expectBatch = (items: readonly Item[]): void => {
          const body = Buffer.from(
            frameBody(
              rules.frame,
              items.map(({ encoded }) => encoded),
            ),
          )
          const [count, times] = [items.length, items.map(({ atMs }) => atMs)]
          const restamped = items.filter(({ isRestamped }) => isRestamped).length
          const place = { first, count, spoolFrom: first * 10, spoolTo: (first + count) * 10 }
          const ends = { oldest: Math.min(...times), newest: Math.max(...times) }
          expected.push({ ...place, bytes: body.length, restamped, ...ends, body, lost: count })
          first += count
        }
        let position = 0
        for (let n = upTo(80); n >= 0; n -= 1) {
          const encoded = Buffer.alloc(1 + upTo(120), 33 + upTo(90))
          const item = { encoded, atMs: upTo(100), isRestamped: random() < 0.2 }
          const done = batcher.add(item)
          if (done?.kind === 'batch') expectBatch(done.items)
          if (refusalOf(encoded.length, rules) !== undefined) {
            assert.equal(done?.kind, 'refused')
            packer.write(encoded, {} as AuditEvent, { restamp: false })
            continue
          }
          const full = put(packer, item, position)
          position += 1
          if (full !== undefined) packed.push(told(full, random() < 0.3))
        }
        const [rest, left] = [batcher.finish(), packer.finish()]
        if (rest !== undefined) expectBatch(rest.items)
        if (left !== undefined) packed.push(told(left, false))
        assert.deepEqual(packed, expected)
      }
    })
  }

  test('grows for an event longer than any body before', () => {
    const limits = { maxEvents: null, maxBytes: 5_000_000, maxEventBytes: 4_000_000 }
    const packer = new Packer(
      { encode, encodeInto },
      { frame: { open: '[', separator: ',', close: ']' }, limits },
    )
    for (const [n, length] of [10, 3_000_000, 20].entries())
      put(packer, { encoded: Buffer.alloc(length, 65 + n), atMs: 0, isRestamped: false }, n)
    const body = packer.finish()?.body ?? Buffer.alloc(0)
    assert.equal(body.length, 3_000_034)
    assert.equal(body.subarray(0, 13).toString(), '[AAAAAAAAAA,B')
    assert.equal(body.subarray(-23).toString(), `B,${'C'.repeat(20)}]`)
  })

  test('overwrites no body of which single events were handed out', () => {
    const packer = new Packer(
      { encode },
      { frame: PLAIN, limits: { maxEvents: 1, maxBytes: 9, maxEventBytes: 9 } },
    )
    const batches = ['one', 'two', 'six', 'ten'].map((text, n) => {
      const full = put(packer, { encoded: Buffer.from(text), atMs: 0, isRestamped: false }, n)
      const [item] = full?.items ?? []
      full?.release()
      return item
    })
    const texts = batches.map((item) => (item === undefined ? '' : Buffer.from(item.encoded).toString()))
    assert.deepEqual(texts, ['', 'one', 'two', 'six'])
  })

  test('refuses limits that leave room for nothing', () => {
    const limits = { maxEvents: 0, maxBytes: 10, maxEventBytes: 10 }
    assert.throws(() => new Packer({ encode }, { frame: PLAIN, limits }), RangeError)
  })
})
