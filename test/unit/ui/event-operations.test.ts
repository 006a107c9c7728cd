import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { eventOperations } from '../../../src/cli/browse/events.ts'
import { holdStderr } from '../../../src/cli/browse/hold-stderr.ts'
import type { CountStep } from '../../../src/core/browser.ts'
import { type EventPage, type EventPlace, heldAt } from '../../../src/core/event-page.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { type Bench, generatedWindow, startBench } from '../../support/infisical-source.ts'
import { tempFolder } from '../../support/temp-files.ts'

const EVENTS = 2500
const query = { window: generatedWindow(EVENTS), filter: NO_FILTER }
const { signal } = new AbortController()

let bench: Bench
let operations: ReturnType<typeof eventOperations>

before(async () => {
  bench = await startBench({ events: EVENTS })
  operations = eventOperations({
    source: bench.source,
    clock: bench.clock,
    log: SILENT,
    concurrency: 2,
    warn: () => {},
  })
})
after(() => bench.close())

async function walk(toward: 'older' | 'newer'): Promise<readonly string[]> {
  const pages: EventPage[] = []
  let place: EventPlace | undefined
  for (;;) {
    const { page, hasMore } = await operations.page({ ...query, after: place, toward, limit: 400 }, signal)
    assert.deepEqual(
      [...page.atMs],
      [...page.atMs].sort((a, b) => b - a),
      'newest first either way',
    )
    if (toward === 'older') pages.push(page)
    else pages.unshift(page)
    if (!hasMore) return pages.flatMap(({ ids }) => ids)
    place = heldAt(page, toward === 'older' ? page.ids.length - 1 : 0)
  }
}

test('a window walked from either end is the same list, every event once', async () => {
  const [older, newer] = [await walk('older'), await walk('newer')]
  assert.equal(older.length, EVENTS)
  assert.equal(new Set(older).size, EVENTS)
  assert.deepEqual(older, newer)
})

test('counting sees every event once, and names what completion offers', async () => {
  let last: CountStep | undefined
  for await (const step of operations.count(query, 100, signal)) last = step
  assert.equal(last?.total, EVENTS)
  assert.equal(last?.countedFrom, query.window.from)
  assert.equal(
    last?.cells.reduce((sum, count) => sum + count, 0),
    EVENTS,
  )
  assert.ok((last?.types.length ?? 0) > 3 && (last?.actors.length ?? 0) > 0)
})

test('an event keeps its bytes: as it came, as it would have been streamed, and written to a file', async (t) => {
  const { page } = await operations.page({ ...query, after: undefined, toward: 'older', limit: 3 }, signal)
  const events = [0, 1, 2].map((i) => heldAt(page, i))
  const [first] = events
  assert.ok(first !== undefined)
  const native = operations.shaped(first, 'native').text
  assert.equal(native, Buffer.from(first.bytes).toString('utf8'))
  assert.equal(
    (JSON.parse(operations.shaped(first, 'stream').text) as { eventType?: string }).eventType,
    operations.row(first).action,
  )
  const folder = tempFolder(t)
  const path = await operations.exportEvents(events, join(folder, 'x.jsonl'), 'native')
  assert.equal(
    readFileSync(path, 'utf8'),
    events.map(({ bytes }) => `${Buffer.from(bytes).toString('utf8')}\n`).join(''),
  )
  await assert.rejects(operations.exportEvents(events, path, 'native'), /is there already/)
  const csv = readFileSync(await operations.exportEvents(events, join(folder, 'x.csv'), 'native'), 'utf8')
  assert.equal(csv.split('\r\n').length, 5, 'a header, three rows, and the end of the last')
})

test('a filter is widened by the other names of its types; one that means nothing is refused', () => {
  const filter = { ...NO_FILTER, events: ['get-secret'] }
  assert.ok(operations.resolveFilter(filter).events.includes('get-secret'))
  assert.throws(
    () => operations.resolveFilter({ ...NO_FILTER, fields: { model: 'x' } }),
    /--model means nothing/,
  )
})

test('while the screen stands, what is written to stderr is handed over, and afterwards it is written again', () => {
  const written: unknown[] = []
  const stderr = { write: (chunk: unknown) => written.push(chunk) > 0 } as unknown as NodeJS.WritableStream
  const told: string[] = []
  const release = holdStderr({ stderr, stderrIsTerminal: true }, (text) => told.push(text))
  stderr.write('warning: slow')
  stderr.write(Buffer.from('bytes'))
  release()
  stderr.write('after')
  assert.deepEqual(told, ['warning: slow', 'bytes'])
  assert.deepEqual(written, ['after'])
  holdStderr({ stderr, stderrIsTerminal: false }, (text) => told.push(text))
  stderr.write('to a file')
  assert.deepEqual(written, ['after', 'to a file'])
})
