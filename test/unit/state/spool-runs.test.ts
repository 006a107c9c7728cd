import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { AuditEvent } from '../../../src/core/event.ts'
import { eventsOf } from '../../../src/core/events-of.ts'
import { found, scanEvent } from '../../../src/core/json-scan.ts'
import { sliceOrParse } from '../../../src/core/json-slice.ts'
import { SpanList } from '../../../src/core/span-list.ts'
import { spooledSpans } from '../../../src/operations/backfill/spooled-events.ts'
import { Spool } from '../../../src/state/spool.ts'
import { pick, seededRandom } from '../../support/json-fuzz.ts'
import { lineOf, PLAIN_SHAPE as shape } from '../../support/scripted-source.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auditctl-runs-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The events of one reply, with something other than a comma between some of them. */
function reply(texts: readonly string[], gap = ','): AuditEvent[] {
  const bytes = Buffer.from(`{"events":[${texts.join(gap)}]}`)
  const { spans } = sliceOrParse(bytes, { arrayKey: 'events', idKey: 'id', timeKey: 'createdAt' })
  return eventsOf(spans, shape)
}

/** What lies in the file afterwards, and what the index tells of it. */
function spooled(name: string, fill: (spool: Spool) => void) {
  const spool = Spool.open(folder, name, 0)
  fill(spool)
  spool.sync()
  const spans = Array.from(
    spooledSpans(spool, shape, { first: 0, spoolFrom: 0, spoolTo: spool.length }),
    ({ spans: { rows, times, count } }) => ({ rows: [...rows], times: [...(times ?? [])].slice(0, count) }),
  )
  const { length } = spool
  spool.close()
  const text = readFileSync(join(folder, name), 'utf8')
  assert.equal(Buffer.byteLength(text), length)
  return { text, spans }
}

function assertSame(events: readonly AuditEvent[]): string {
  const one = spooled('one', (spool) => {
    for (const event of events) spool.append(event)
  })
  const all = spooled('all', (spool) => spool.appendAll(events))
  assert.equal(all.text, one.text)
  assert.deepEqual(all.spans, one.spans)
  assert.ok(all.spans.every(({ times }) => times.length > 0))
  return all.text
}

describe('appendAll()', () => {
  test('writes what append writes for one event after the other, and the index knows the same of it', () => {
    const random = seededRandom(7)
    const sizes = [0, 5, 300, 2000, 70_000, 400_000]
    const events: AuditEvent[] = []
    for (let page = 0; page < 40; page += 1) {
      const count = 1 + Math.floor(random() * 30)
      const texts = Array.from({ length: count }, (_, n) => {
        const number = page * 100 + n
        return lineOf(number, 1_000_000 + number, { note: 'ü'.repeat(pick(random, sizes)) })
      })
      const some = reply(texts, pick(random, [',', ',', ', ']))
      // What is left out leaves a gap, and what was sorted lies the other way round.
      events.push(...some.filter(() => random() < 0.95))
      if (random() < 0.2) events.push(...some.toReversed())
    }
    const text = assertSame(events)
    assert.ok(text.length > 4_000_000, 'several buffers full')
    assert.equal(text.trimEnd().split('\n').length, events.length)
  })

  test('takes events longer than its buffer, among others', () => {
    const long = 'x'.repeat(1_200_000)
    const texts = Array.from({ length: 7 }, (_, n) =>
      lineOf(n, 1_000_000 + n, n === 2 || n === 6 ? { long } : {}),
    )
    assert.equal(assertSame(reply(texts)), `${texts.join('\n')}\n`)
  })

  for (const more of [-1, 0, 1]) {
    test(`takes events that fill its buffer to the byte, ${more} more`, () => {
      const room = (1 << 20) + more
      const empty = lineOf(0, 1_000_000, { note: '' }).length + 1
      const half = lineOf(0, 1_000_000, { note: 'x'.repeat(room / 2 - empty) })
      const rest = lineOf(1, 1_000_001, { note: 'x'.repeat(room - half.length - 1 - empty) })
      const texts = [half, rest, lineOf(2, 1_000_002)]
      assert.equal(assertSame(reply(texts)), `${texts.join('\n')}\n`)
    })
  }

  test('writes a pretty-printed event of a page as one line', () => {
    const lines = Array.from({ length: 4 }, (_, n) => lineOf(n, 1_000_000 + n))
    const texts = lines.map((line, n) => (n === 2 ? JSON.stringify(JSON.parse(line), undefined, 2) : line))
    // A page that no slicer would give: each event by itself is one, all the same.
    const bytes = Buffer.from(texts.join(','))
    const list = new SpanList(bytes)
    for (let start = 0; start < bytes.length; ) {
      const end = scanEvent(bytes, start, bytes.length, Buffer.from('id'), Buffer.from('createdAt'))
      list.add(start, end, found)
      start = end + 1
    }
    const spool = Spool.open(folder, 'pretty', 0)
    spool.appendAll(eventsOf(list.spans(), shape))
    spool.close()
    assert.equal(readFileSync(join(folder, 'pretty'), 'utf8'), `${lines.join('\n')}\n`)
  })
})
