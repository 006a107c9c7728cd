import assert from 'node:assert/strict'
import { appendFile, readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { IncompleteError } from '../../../../src/core/errors.ts'
import { seededRandom } from '../../../support/json-fuzz.ts'
import { inBlocks, put, tempFolder } from '../../../support/temp-files.ts'
import { eventText, openSource, readSource, textOfEvent, WINDOW } from './file-source-support.ts'

const COUNT = 12_000
// About 24 MB: more than is held in memory.
const EVENTS = Array.from({ length: COUNT }, (_, n) =>
  eventText(n, n * 5, `,"pad":"${'p'.repeat(1700 + (n % 100))}"`),
)
const random = seededRandom(21)
const SHUFFLED = EVENTS.map((text) => ({ text, key: random() }))
  .sort((a, b) => a.key - b.key)
  .map(({ text }) => text)

const LAYOUTS: Readonly<Record<string, { readonly content: string; readonly isSpooled: boolean }>> = {
  ascending: { content: EVENTS.join('\n'), isSpooled: false },
  descending: { content: EVENTS.toReversed().join('\n'), isSpooled: false },
  shuffled: { content: SHUFFLED.join('\n'), isSpooled: true },
}

for (const [name, { content, isSpooled }] of Object.entries(LAYOUTS)) {
  test(`slices of a large ${name} file cover the window in either order, each event in exactly one`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { 'a.jsonl': content })
    for (const order of ['asc', 'desc'] as const) {
      const { slices } = await readSource(folder, 'a.jsonl', { order })
      assert.ok(slices.length > 2, `${slices.length} slices`)
      const ranges = order === 'asc' ? slices : slices.toReversed()
      assert.equal(ranges[0]?.range.from, WINDOW.from)
      assert.equal(ranges.at(-1)?.range.to, WINDOW.to)
      ranges.forEach(({ range, events }, n) => {
        if (n > 0) assert.equal(range.from, ranges[n - 1]?.range.to)
        for (const event of events) {
          assert.ok(event.occurredAtMs >= range.from && event.occurredAtMs < range.to)
        }
        assert.ok(
          events.reduce((sum, event) => sum + event.bytes.length, 0) < 20_000_000,
          'a slice has a bound',
        )
      })
      const texts = ranges.flatMap(({ events }) => events.map(textOfEvent))
      assert.deepEqual(texts.sort(), EVENTS.toSorted())
    }
  })

  test(`a large ${name} file is ${isSpooled ? 'spooled' : 'read again in place'}, and leaves nothing behind`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { 'a.jsonl': content })
    const { opened } = await openSource(folder, 'a.jsonl')
    const spooled = await readdir(join(folder, 'scratch'))
    assert.deepEqual(spooled.sort(), isSpooled ? ['events', 'rows'] : ['rows'])
    await opened.close()
    assert.deepEqual(await readdir(join(folder, 'scratch')), [])
  })
}

test('a large packed input and a large stdin are passed over once and give the same events', async (t) => {
  const folder = tempFolder(t)
  const content = SHUFFLED.join('\r\n')
  await put(folder, { 'a.gz': gzipSync(content, { level: 1 }), 'b.json': `[${SHUFFLED.join(',')}]` })
  for (const [path, stdin] of [
    ['a.gz', ''],
    ['b.json', ''],
    ['-', content],
  ] as const) {
    const read = await readSource(folder, path, { stdin: inBlocks(stdin, 65_536) })
    assert.deepEqual(read.events.map(textOfEvent).sort(), EVENTS.toSorted())
  }
})

test('a window takes only its own events, the first instant in and the last out', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': EVENTS.join('\n') })
  const window = { from: WINDOW.from + 10 * 5000, to: WINDOW.from + 20 * 5000 }
  const read = await readSource(folder, 'a.jsonl', { window })
  assert.deepEqual(read.events.map(textOfEvent), EVENTS.slice(10, 20))
  assert.deepEqual(
    read.slices.map(({ range }) => range),
    [window],
  )
  const none = await readSource(folder, 'a.jsonl', { window: { from: 0, to: 1000 } })
  assert.deepEqual([none.events, none.slices.length], [[], 1])
})

test('events of one millisecond are never parted, however many', async (t) => {
  const folder = tempFolder(t)
  const same = Array.from({ length: COUNT }, (_, n) => eventText(n, 7, `,"pad":"${'p'.repeat(1700)}"`))
  await put(folder, { 'a.jsonl': same.join('\n') })
  const read = await readSource(folder, 'a.jsonl')
  assert.deepEqual(
    read.slices.filter(({ events }) => events.length > 0).map(({ events }) => events.length),
    [COUNT],
  )
})

test('slices can be read several at once and again', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': SHUFFLED.join('\n') })
  const { opened } = await openSource(folder, 'a.jsonl')
  const signal = new AbortController().signal
  const slices = await Array.fromAsync(opened.slices())
  const readAll = () =>
    Promise.all(
      slices.map(async (slice) => (await Array.fromAsync(opened.read(slice, signal))).flat().length),
    )
  const counts = await readAll()
  assert.deepEqual(await readAll(), counts)
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    COUNT,
  )
  await opened.close()
})

test('a file that shrinks or changes between the survey and the reading is an error; one that grows is not', async (t) => {
  const folder = tempFolder(t)
  const path = join(folder, 'a.jsonl')
  const content = EVENTS.join('\n')
  const signal = new AbortController().signal
  const readAfter = async (change: () => Promise<void>): Promise<number> => {
    await put(folder, { 'a.jsonl': content })
    const { opened } = await openSource(folder, 'a.jsonl')
    try {
      await change()
      let count = 0
      for await (const slice of opened.slices())
        for await (const page of opened.read(slice, signal)) count += page.length
      return count
    } finally {
      await opened.close()
    }
  }
  assert.equal(await readAfter(() => appendFile(path, `\n${eventText(99_999, 1)}`)), COUNT)
  await assert.rejects(
    readAfter(() => truncate(path, 1_000_000)),
    IncompleteError,
  )
  await assert.rejects(
    readAfter(() => put(folder, { 'a.jsonl': ` ${content}` })),
    IncompleteError,
  )
})

test('a glob and a folder are read whole, without manifests and files of other kinds', async (t) => {
  const folder = tempFolder(t)
  const hour = (n: number) => EVENTS.slice(n * 100, n * 100 + 100).join('\n')
  await put(folder, {
    'out/dt=2026-11-20/hour=00/a.jsonl': hour(0),
    'out/dt=2026-11-20/hour=01/a.jsonl.gz': gzipSync(hour(1)),
    'out/dt=2026-11-20/hour=02/a.jsonl': hour(2),
    'out/manifest.json': '{"files":[]}',
    'out/notes.txt': 'nothing to see\n',
    'out/empty.jsonl': '',
  })
  for (const path of ['out', 'out/**/*.jsonl*']) {
    const read = await readSource(folder, path)
    assert.deepEqual(read.events.map(textOfEvent).sort(), EVENTS.slice(0, 300).sort(), path)
    assert.equal(read.broken, 0)
    assert.deepEqual(
      read.warnings,
      path === 'out' ? [`${join(folder, 'out/notes.txt')} was left out: it holds no events`] : [],
    )
  }
})

test('a manifest spares the files that lie outside the window, but only while they are as it says', async (t) => {
  const folder = tempFolder(t)
  const bad = 'not read at all'
  const entry = (path: string, bytes: number, from: number, to: number) => ({
    path,
    bytes,
    firstTime: new Date(WINDOW.from + from * 1000).toISOString(),
    lastTime: new Date(WINDOW.from + to * 1000).toISOString(),
  })
  await put(folder, {
    'out/before.jsonl': bad,
    'out/inside.jsonl': EVENTS.slice(0, 10).join('\n'),
    'out/grown.jsonl': EVENTS.slice(10, 12).join('\n'),
    'out/manifest.json': JSON.stringify({
      complete: false,
      files: [
        entry('before.jsonl', bad.length, -100, -50),
        entry('inside.jsonl', 1, 0, 45),
        entry('grown.jsonl', 7, -100, -50),
      ],
    }),
  })
  const read = await readSource(folder, 'out')
  assert.deepEqual(read.events.map(textOfEvent).sort(), EVENTS.slice(0, 12).sort())
  assert.deepEqual(
    [read.broken, read.warnings],
    [0, ['out: its manifest says that the export is not complete']],
  )
})

test('a folder that holds only a manifest is an empty export, not an error', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'out/manifest.json': '{"files":[]}' })
  assert.deepEqual((await readSource(folder, 'out')).events, [])
})

test('opening ends with the reason of its signal', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': EVENTS.slice(0, 5).join('\n') })
  const reason = new Error('enough')
  await assert.rejects(readSource(folder, 'a.jsonl', { signal: AbortSignal.abort(reason) }), reason)
})
