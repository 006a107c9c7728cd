import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Destination } from '../../../src/core/destination.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { sliceEvents } from '../../../src/core/json-slice.ts'
import { plainEncoder } from '../../../src/destinations/member-encoder.ts'
import { batchesOf } from '../../../src/operations/backfill/batches.ts'
import { prepare } from '../../../src/operations/backfill/encode.ts'
import { LargeEvents } from '../../../src/operations/backfill/large-events.ts'
import { packSpool } from '../../../src/operations/backfill/pack-spool.ts'
import { SPOOL_FILE, spooledBlocks } from '../../../src/operations/backfill/spooled-events.ts'
import type { Work } from '../../../src/operations/backfill/types.ts'
import { Spool } from '../../../src/state/spool.ts'
import type { BatchRules } from '../../../src/streams/batch.ts'
import { frameBody } from '../../../src/streams/frame-body.ts'
import { pick, seededRandom } from '../../support/json-fuzz.ts'
import { PLAIN_SHAPE } from '../../support/scripted-source.ts'

const FRAMES = [
  { open: '[', separator: ',', close: ']' },
  { open: '', separator: '\n', close: '\n' },
  { open: '', separator: '', close: '' },
]
const SHAPE = { ...PLAIN_SHAPE, isStreamedAsIs: true }
const OPTIONS = { late: 'skip', mark: undefined } as const

type Told = { readonly fate: string; readonly first: number; readonly count: number }

/** Events one behind the other in replies, now and then one that only a parser can name. */
function replies(random: () => number, count: number) {
  const pages = []
  let n = 0
  while (n < count) {
    const texts: string[] = []
    for (const end = Math.min(count, n + 1 + Math.floor(random() * 60)); n < end; n += 1) {
      const at = new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 100)).toISOString()
      const id = random() < 0.05 ? `\\u0061${n}` : `a${n}`
      texts.push(`{"id":"${id}","createdAt":"${at}","v":"${'x'.repeat(random() * 90)}"}`)
    }
    const bytes = Buffer.from(`{"auditLogs":[${texts.join(',')}]}`)
    const sliced = sliceEvents(bytes, { ...SHAPE, arrayKey: 'auditLogs' })
    assert.ok(sliced !== undefined)
    pages.push(eventsOf(sliced.spans, SHAPE))
  }
  return pages
}

test('packSpool() makes the batches of batchesOf() where events are copied at once, to the byte (fuzzed)', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const random = seededRandom(5)
  const upTo = (most: number): number => Math.floor(random() * most)
  for (let round = 0; round < 120; round += 1) {
    const count = 1 + upTo(400)
    const spool = Spool.open(join(folder, `${round}`), SPOOL_FILE, 0)
    for (const page of replies(random, count)) spool.appendAll(page)
    spool.sync()
    const rules: BatchRules = {
      frame: pick(random, FRAMES),
      limits: {
        maxEvents: random() < 0.5 ? null : 1 + upTo(40),
        maxBytes: 100 + upTo(3000),
        maxEventBytes: random() < 0.3 ? 60 + upTo(60) : 500,
        ...(random() < 0.2 ? { maxAloneBytes: 400 } : {}),
      },
      ...(random() < 0.3 ? { maxSpanMs: upTo(200) } : {}),
    }
    const destination = {
      name: 'soc',
      ...plainEncoder,
      traits: { ...rules, accepts: {}, lateDefault: 'skip', graceMs: 0, concurrency: 1 },
    } as unknown as Destination
    const parts = { source: { shape: SHAPE }, destination } as unknown as Work['parts']
    const first = upTo(1000)
    const stretch = { first, count, spoolFrom: 0, spoolTo: spool.length }
    const before = random() < 0.7 ? first + count : first + upTo(count)
    const tell = (
      batch: Told & { readonly spoolFrom: number; readonly spoolTo: number },
      body: Uint8Array,
    ) => {
      const { fate, first, count, spoolFrom, spoolTo } = batch
      return { fate, first, count, spoolFrom, spoolTo, body: Buffer.from(body).toString() }
    }
    const pages = Array.from(spooledBlocks(spool, SHAPE, stretch), (events) =>
      events.filter(({ position }) => position < before).map((event) => prepare(parts, event, OPTIONS)),
    )
    const expected = Array.from(batchesOf(pages, rules), (batch) =>
      tell(
        batch,
        batch.fate === 'send'
          ? frameBody(
              rules.frame,
              batch.items.map(({ encoded }) => encoded),
            )
          : Buffer.alloc(0),
      ),
    )
    const spy = { ...destination, writes: 0 } as unknown as Destination & { writes: number }
    const encodeInto: Destination['encodeInto'] = (...asked) => {
      spy.writes += 1
      return plainEncoder.encodeInto(...asked)
    }
    const work = { parts: { ...parts, destination: { ...spy, encodeInto } }, spool } as unknown as Work
    const packed = []
    for (const batch of packSpool(work, [stretch], before, OPTIONS, rules, new LargeEvents(destination))) {
      packed.push(tell(batch, batch.body ?? Buffer.alloc(0)))
      if (random() < 0.3 && batch.fate === 'send') {
        const items = batch.items.map(({ encoded }) => Buffer.from(encoded))
        assert.equal(Buffer.from(frameBody(rules.frame, items)).toString(), packed.at(-1)?.body)
      }
    }
    assert.deepEqual(packed, expected)
    const isShort = rules.frame.separator.length === 1
    // One at a time goes what begins a request or what none can take, and everything where nothing stands between two events.
    const single = packed.reduce((sum, { fate, count }) => sum + (fate === 'send' ? 1 : count), 0)
    // The very first finds no memory yet.
    if (isShort) assert.ok(spy.writes <= single + 1, `${spy.writes} of ${single}`)
    else assert.ok(spy.writes >= before - first)
    spool.close()
  }
})
