import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type AuditEvent, SpanEvent } from '../../../../src/core/event.ts'
import { csvLine } from '../../../../src/formats/csv.ts'
import { csvWriter } from '../../../../src/formats/csv-bytes.ts'
import type { Extent } from '../../../../src/sources/file/extents.ts'
import { cutWindow } from '../../../../src/sources/file/slices.ts'
import { pick, seededRandom } from '../../../support/json-fuzz.ts'
import { put, tempFolder } from '../../../support/temp-files.ts'
import { eventText, openSource, readSource, textOfEvent, WINDOW } from './file-source-support.ts'

const COLUMNS = ['id', 'createdAt', 'event.type', 'event.metadata', 'actor.metadata', 'note', 'size']
const PATHS = COLUMNS.map((column) => column.split('.'))
const COUNT = 9000

/** Events of a few outlines, with what the CSV writer must look out for; more than is held in memory. */
function hostileEvents(): string[] {
  const random = seededRandom(31)
  const notes = ['plain', 'a,b', 'say \\"hi\\"', '=1+1', '日本語', '', '\\u00e9', 'x'.repeat(300)]
  return Array.from({ length: COUNT }, (_, n) => {
    const note = pick(random, notes)
    const extra = pick(random, [
      `,"note":"${note}","size":${n}`,
      `,"note":"${note}","more":[{"note":"${note}"},${n},null]`,
      `,"size":-1.5e3,"note":null`,
      `,"pad":"${'p'.repeat(random() < 0.001 ? 70_000 : 10)}"`,
    ])
    return eventText(n, n * 5, `${extra},"tail":"${'t'.repeat(1800)}"`)
  })
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const random = seededRandom(32)
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

const TEXTS = hostileEvents()
const fewTexts = TEXTS.slice(0, 500)
for (const [name, texts, known] of [
  ['in order', TEXTS, 0.9],
  ['out of order', shuffled(TEXTS), 0.9],
  ['few', fewTexts, 0.9],
] as const) {
  test(`events of a file ${name === 'few' ? 'that is small' : name} know where their values are, and as CSV are those of the reference`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { 'a.jsonl': texts.join('\n') })
    const { opened } = await openSource(folder, 'a.jsonl')
    const signal = new AbortController().signal
    const writer = csvWriter(COLUMNS)
    const into = { outline: undefined, marks: new Int32Array(1024), hasEscapes: false }
    let [count, told] = [0, 0]
    const seen: string[] = []
    // Slices are given back as an export does it: the next ones are read into the same memory.
    for await (const slice of opened.slices()) {
      const events: AuditEvent[] = []
      for await (const page of opened.read(slice, signal)) events.push(...page)
      count += events.length
      told += events.filter((event) => event instanceof SpanEvent && event.readValues(into)).length
      seen.push(...events.map(textOfEvent))
      assert.equal(
        Buffer.from(writer.encode(events)).toString(),
        events.map((event) => csvLine(event, PATHS)).join(''),
      )
      opened.release?.(slice)
    }
    await opened.close()
    assert.deepEqual(seen.sort(), texts.toSorted())
    assert.ok(told > known * count, `${told} of ${count}`)
  })
}

test('a slice that was given back can be read again', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': TEXTS.join('\n') })
  const { opened } = await openSource(folder, 'a.jsonl')
  const signal = new AbortController().signal
  const slices = await Array.fromAsync(opened.slices())
  const texts: string[] = []
  for (const slice of [...slices, ...slices]) {
    texts.push(...(await Array.fromAsync(opened.read(slice, signal))).flat().map(textOfEvent))
    opened.release?.(slice)
  }
  await opened.close()
  assert.deepEqual(texts.sort(), [...TEXTS, ...TEXTS].sort())
})

test('more files than may be open at once are read again in place', async (t) => {
  const folder = tempFolder(t)
  const files = Array.from({ length: 60 }, (_, n): [string, string] => [
    `in/${n}.jsonl`,
    TEXTS.slice(n * 150, (n + 1) * 150).join('\n'),
  ])
  await put(folder, Object.fromEntries(files))
  const opened = async () => (await readdir('/proc/self/fd').catch(() => [])).length
  const before = await opened()
  const read = await readSource(folder, 'in')
  assert.deepEqual(read.events.map(textOfEvent).sort(), TEXTS.toSorted())
  assert.deepEqual(await readdir(join(folder, 'scratch')), [])
  assert.ok((await opened()) <= before, 'all were closed')
})

test('cutWindow() cuts small where no extent reaches over the cut, and large where each does', () => {
  const extent = (minMs: number, maxMs: number): Extent => ({
    store: { read: () => Promise.reject(new Error('not read')) },
    ...{ start: 0, bytes: 10, row: 0, rowLength: 0, count: 1, minMs, maxMs },
  })
  const window = { from: WINDOW.from, to: WINDOW.from + 1000 }
  const at = (ms: number) => window.from + ms
  const apart = Array.from({ length: 8 }, (_, n) => extent(at(n * 10), at(n * 10 + 9)))
  const over = Array.from({ length: 8 }, (_, n) => extent(at(n * 10), at(n * 10 + 10)))
  assert.deepEqual(
    cutWindow(window, apart, 40, 20).map(({ from }) => from - window.from),
    [0, 20, 40, 60],
  )
  assert.deepEqual(
    cutWindow(window, over, 40, 20).map(({ from }) => from - window.from),
    [0, 40],
  )
})
