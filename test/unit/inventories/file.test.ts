import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { UserError } from '../../../src/core/errors.ts'
import { IdSet } from '../../../src/core/id-set.ts'
import type { InventoryEnd } from '../../../src/core/inventory.ts'
import type { TimeRange } from '../../../src/core/time-range.ts'
import { type FileInventoryOptions, openFileInventory } from '../../../src/inventories/file.ts'
import { inBlocks, put, tempFolder } from '../../support/temp-files.ts'

const WINDOW: TimeRange = { from: Date.parse('2026-11-20T00:00:00Z'), to: Date.parse('2026-11-21T00:00:00Z') }
const signal = new AbortController().signal
const IDS = Array.from(
  { length: 50 },
  (_, n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`,
)

type Read = { readonly ids: string[]; readonly atMs: number[]; readonly end: InventoryEnd }

/** Reads all rows both ways, as strings and into a set, and proves that they tell the same. */
async function read(folder: string, path: string, more: Partial<FileInventoryOptions> = {}): Promise<Read> {
  const options = { path, baseDir: folder, signal, stdin: inBlocks('', 1), ...more }
  const inventory = await openFileInventory(options)
  const ids: string[] = []
  const atMs: number[] = []
  const rows = inventory.ids(WINDOW, { signal })
  let end: InventoryEnd
  for (;;) {
    const next = await rows.next()
    if (next.done === true) {
      end = next.value
      break
    }
    ids.push(...next.value.ids)
    atMs.push(...(next.value.atMs ?? next.value.ids.map(() => Number.NaN)))
  }
  if (path !== '-') {
    const again = await openFileInventory(options)
    const set = new IdSet({ numbers: true })
    const repeats: string[] = []
    const filled = await again.fill(WINDOW, set, { signal, onRepeat: (id) => repeats.push(id) })
    assert.deepEqual([filled.exhausted, filled.reason], [end.exhausted, end.reason])
    if (end.exhausted) {
      const inside = ids.filter((_, n) => !(Number(atMs[n]) < WINDOW.from || Number(atMs[n]) >= WINDOW.to))
      assert.equal(filled.rows, inside.length)
      for (const [n, id] of ids.entries()) {
        assert.ok(set.has(id))
        if (ids.indexOf(id) === n) assert.deepEqual(set.numberOf(id), atMs[n])
      }
      assert.equal(
        repeats.length,
        inside.length - new Set(inside.map((id) => id.toLowerCase().replace(/[{}]/g, ''))).size,
      )
    }
  }
  return { ids, atMs, end }
}

const time = (n: number) => new Date(WINDOW.from + n * 1000).toISOString()
const asRows = (row: (id: string, n: number) => unknown) =>
  `${IDS.map((id, n) => JSON.stringify(row(id, n))).join('\n')}\n`
const csv = (header: string, row: (id: string, n: number) => string) =>
  `${header}\r\n${IDS.map(row).join('\r\n')}\r\n`
const quoted = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`

const FORMS: Readonly<Record<string, string | Uint8Array>> = {
  'ids one a line': `${IDS.join('\n')}\n`,
  'ids without a last newline': IDS.join('\n'),
  'ids with comments, blank lines, CRLF and blanks': `# from the SIEM\r\n\r\n  ${IDS.join('  \r\n')}\r\n# end\r\n`,
  'ids with lone carriage returns': IDS.join('\r'),
  'ids after a byte order mark': `\ufeff${IDS.join('\n')}`,
  'ids in UTF-16': Buffer.from(`\ufeff${IDS.join('\r\n')}`, 'utf16le'),
  'quoted ids with commas': IDS.map((id) => `"${id}",`).join('\n'),
  'ids in gzip members': Buffer.concat(IDS.map((id) => gzipSync(`${id}\n`))),
  'ids in zstd frames': Buffer.concat(IDS.map((id) => zstdCompressSync(`${id}\n`))),
  'JSON lines with id': asRows((id) => ({ id, x: { id: 'other' } })),
  'JSON lines with id last': asRows((id, n) => ({ n, event: { id: 'other' }, id })),
  'JSON lines with event.id': asRows((id) => ({ event: { id } })),
  'JSON lines with a literal key event.id': asRows((id) => ({ 'event.id': id })),
  'JSON lines with audit.id': asRows((id) => ({ audit: { id } })),
  'JSON lines with an object in _raw': asRows((id) => ({ _raw: { id } })),
  'JSON lines with JSON text in _raw': asRows((id) => ({ _raw: JSON.stringify({ id, event: {} }) })),
  'JSON strings a line': asRows((id) => id),
  "Splunk's rows": asRows((id, offset) => ({ preview: false, offset, result: { id, _time: 'x' } })),
  "Splunk's rows with _raw": asRows((id) => ({ preview: false, result: { _raw: JSON.stringify({ id }) } })),
  "Splunk's rows with an id extracted twice": asRows((id) => ({ result: { id: [id, id] } })),
  "Splunk's rows and its last line": `${asRows((id) => ({ preview: false, result: { id } }))}{"preview":false,"lastrow":true}\n`,
  "Splunk's single document": JSON.stringify({
    preview: false,
    init_offset: 0,
    messages: [],
    fields: [{ name: 'id' }],
    results: IDS.map((id) => ({ id })),
  }),
  'an array of ids': JSON.stringify(IDS),
  'a pretty array of objects': JSON.stringify(
    IDS.map((id) => ({ id })),
    undefined,
    2,
  ),
  'CSV with id': csv('time,id,x', (id) => `,${id},"a,b"`),
  'CSV of one column': csv('id', (id) => id),
  'CSV with a quoted header': csv('"x","event.id"', (id) => `"1","${id}"`),
  "Splunk's CSV with _raw": csv('"_serial","_raw"', (id, n) => `${n},${quoted({ id, text: 'two\nlines' })}`),
  'CSV after a comment': `# by hand\n${csv('id;x', (id) => `${id};1`)}`,
}

for (const [name, content] of Object.entries(FORMS)) {
  test(`the file inventory reads ${name}`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { held: content })
    const found = await read(folder, 'held')
    assert.deepEqual(found, { ids: IDS, atMs: IDS.map(() => Number.NaN), end: { exhausted: true } })
    const stdin = inBlocks(content, 7)
    assert.deepEqual((await read(folder, '-', { stdin })).ids, IDS)
  })
}

test('the file inventory takes the id from the field that is asked for', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    'a.jsonl': asRows((id) => ({ id: 'siem-1', data: { 'audit/id': id } })),
    'b.jsonl': asRows((id) => ({ result: { trace: { event: id } } })),
    'c.csv': csv('id,trace.event', (id) => `siem-1,${id}`),
  })
  assert.deepEqual((await read(folder, 'a.jsonl', { field: '/data/audit~1id' })).ids, IDS)
  assert.deepEqual((await read(folder, 'a.jsonl', { field: 'data.audit/id' })).ids, IDS)
  assert.deepEqual((await read(folder, 'b.jsonl', { field: 'trace.event' })).ids, IDS)
  assert.deepEqual((await read(folder, 'c.csv', { field: 'trace.event' })).ids, IDS)
  await assert.rejects(read(folder, 'c.csv', { field: 'nowhere' }), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /no column for the id among id, trace\.event/)
    assert.match(error.hint ?? '', /--inventory-field/)
    return true
  })
})

test('rows that tell their time are told apart by it, also beyond the window', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    'a.jsonl': `${asRows((id, n) => ({ id, createdAt: time(n) }))}{"id":"old","createdAt":"2020-01-01T00:00:00Z"}\n`,
    'a.csv': `${csv('createdAt,id', (id, n) => `${time(n)},${id}`)}2020-01-01T00:00:00Z,old\r\n`,
    'plain.txt': IDS.join('\n'),
  })
  for (const name of ['a.jsonl', 'a.csv']) {
    const { ids, atMs, end } = await read(folder, name)
    assert.deepEqual(ids, [...IDS, 'old'])
    assert.deepEqual(atMs, [...IDS.map((_, n) => WINDOW.from + n * 1000), Date.parse('2020-01-01')])
    assert.ok(end.exhausted)
    const inventory = await openFileInventory({ path: name, baseDir: folder, signal, stdin: inBlocks('', 1) })
    assert.deepEqual(inventory.traits, { tellsDuplicates: true, tellsTime: true })
  }
  const plain = await openFileInventory({
    path: 'plain.txt',
    baseDir: folder,
    signal,
    stdin: inBlocks('', 1),
  })
  assert.equal(plain.traits.tellsTime, false)
})

test('an id held twice comes back twice', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { a: `${IDS[0]}\n${IDS[1]}\n${IDS[0]?.toUpperCase()}\n{${IDS[1]}}\n` })
  assert.deepEqual((await read(folder, 'a')).ids.length, 4)
})

test('an empty file is an empty inventory, but an empty one that claims to be packed is not whole', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    'a.txt': '',
    'b.json': '[]',
    'c.txt': '# none\n',
    'd.csv': 'id\r\n',
    'e.gz': '',
    'f.zst': '',
  })
  for (const name of ['a.txt', 'b.json', 'c.txt', 'd.csv']) {
    assert.deepEqual(await read(folder, name), { ids: [], atMs: [], end: { exhausted: true } }, name)
  }
  for (const name of ['e.gz', 'f.zst']) assert.equal((await read(folder, name)).end.exhausted, false, name)
})

const good = asRows((id) => ({ id }))
const PARTIAL: Readonly<Record<string, readonly [content: string | Uint8Array, reason: RegExp]>> = {
  'a gzip file that was cut off': [gzipSync(good).subarray(0, 60), /gzip data is cut off/],
  'a gzip file without its trailer': [gzipSync(good).subarray(0, -3), /gzip data is cut off/],
  'a zstd file that was cut off': [zstdCompressSync(good).subarray(0, -2), /zstd data is cut off/],
  'a last line that was cut off': [good.slice(0, -10), /line 50 is not JSON, or is cut off/],
  'a line that was torn and merged with the next': [
    `${good}{"id":"a","x":"to{"id":"b"}\n`,
    /line 51 is not JSON/,
  ],
  'a broken literal in a line without a plain id': [`${good}{"id":tru}\n`, /line 51 is not JSON/],
  'a NUL byte in an id': [`${good}{"id":"a\0b"}\n`, /line 51 is not JSON/],
  'a line without an id': [`${good}{"x":1}\n`, /line 51 has no id: tried id$/],
  'rows that hold their id elsewhere': [`${good}{"event":{"id":"a"}}\n`, /line 51 has no id: tried id$/],
  'no id in the first row': [
    '{"x":1}\n',
    /line 1 has no id: tried id, event\.id, _raw\.id, audit\.id, result\.id/,
  ],
  'an id that is null': [`${good}{"id":null}\n`, /line 51 has no id/],
  'several different ids in one row': ['{"result":{"id":["a","b"]}}\n', /line 1 has no id/],
  'an array that was cut off': [
    `[${IDS.map((id) => `"${id}"`).join(',')}`,
    /the file ends before its JSON does/,
  ],
  'a line of text among ids': [
    `${IDS.join('\n')}\n<html><body>502 Bad Gateway\n`,
    /line 51 is not an id: "<html><body>502/,
  ],
  'a NUL byte among ids': [`${IDS.join('\n')}\nab\0c\n`, /line 51 is not an id/],
  'ids that are not UTF-8': [
    Buffer.concat([Buffer.from(`${IDS[0]}\n`), Buffer.from([0x61, 0xff, 0x0a])]),
    /line 2 is not an id/,
  ],
  'a CSV row with a cell too few': ['id,x\na,1\nb\n', /line 3 has 1 cells, the header has 2/],
  'a CSV row with an open quote': ['id,x\na,1\nb,"2\n', /line 3 has a quote that is not closed/],
  'a CSV row without its id': ['id,x\na,1\n,2\n', /line 3 has no id/],
  'preview rows of Splunk': ['{"preview":true,"result":{"id":"a"}}\n', /line 1 is a preview row/],
  'a search of Splunk that failed': [
    `${asRows((id) => ({ preview: false, result: { id } }))}{"messages":[{"type":"FATAL","text":"died"}]}\n`,
    /line 51 reports an error of the search: .*died/,
  ],
}

for (const [name, [content, reason]] of Object.entries(PARTIAL)) {
  test(`${name} is never read as a short list`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { held: content })
    const { end } = await read(folder, 'held')
    assert.equal(end.exhausted, false)
    assert.match(end.reason ?? '', reason)
    assert.match(end.reason ?? '', /held/)
  })
}

test('a file that was found not to be whole says so again without being read again', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { held: 'a\nb c\n' })
  const inventory = await openFileInventory({ path: 'held', baseDir: folder, signal, stdin: inBlocks('', 1) })
  const first = await inventory.fill(WINDOW, new IdSet(), { signal })
  const second = await inventory.fill(WINDOW, new IdSet(), { signal })
  assert.deepEqual([first.exhausted, second.exhausted, second.reason], [false, false, first.reason])
  assert.equal(inventory.queries(), 1)
})

const BODY = `${IDS.join('\n')}\n`
const SHA = createHash('sha256').update(BODY).digest('hex')
const header = (text: string) => `# auditctl-inventory v1 ${text}\n${BODY}`
const COVERS = 'from=2026-11-19T00:00:00Z to=2026-11-22T00:00:00Z'

test('the header declares window, count and digest, packed and on stdin too', async (t) => {
  const folder = tempFolder(t)
  const content = header(`${COVERS} count=50 sha256=${SHA}`)
  await put(folder, { a: content, 'a.gz': gzipSync(content), crlf: content.replace('\n', '\r\n') })
  for (const path of ['a', 'a.gz', 'crlf', '-']) {
    const options = { path, baseDir: folder, signal, stdin: inBlocks(content, 100) }
    const inventory = await openFileInventory(options)
    assert.deepEqual(inventory.covers, { from: Date.parse('2026-11-19'), to: Date.parse('2026-11-22') }, path)
    const set = new IdSet()
    assert.deepEqual(await inventory.fill(WINDOW, set, { signal }), { exhausted: true, rows: 50 }, path)
    assert.equal(set.size, 50)
  }
})

test('a count or a digest that does not match makes the file incomplete', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    count: header('count=51'),
    digest: header(`sha256=${SHA.replace(/./, (c) => (c === '0' ? '1' : '0'))}`),
    broken: `# auditctl-inventory v1 count=2\na\nb c\n`,
  })
  assert.match((await read(folder, 'count')).end.reason ?? '', /holds 50 ids, but its header declares 51/)
  assert.match((await read(folder, 'digest')).end.reason ?? '', /does not have the SHA-256/)
  assert.match(
    (await read(folder, 'broken')).end.reason ?? '',
    /line 2 is not an id.*lines count from the one after the header/,
  )
})

test('a header that cannot be understood is refused', async (t) => {
  const folder = tempFolder(t)
  for (const [text, words] of [
    ['# auditctl-inventory v2 count=1', /version v2/],
    ['# auditctl-inventory v1 from=2026-11-20T00:00:00Z', /only one end/],
    ['# auditctl-inventory v1 from=a to=b', /are not times/],
    ['# auditctl-inventory v1 from=2026-11-21T00:00:00Z to=2026-11-20T00:00:00Z', /not before/],
    ['# auditctl-inventory v1 count=many', /not a number/],
    ['# auditctl-inventory v1 sha256=abc', /64 hexadecimal/],
  ] as const) {
    await put(folder, { a: `${text}\na\n` })
    await assert.rejects(read(folder, 'a'), (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, words)
      return true
    })
  }
})

test('a window that is larger than what the file covers is refused; the flag wins over the header', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { a: header('from=2026-11-20T06:00:00Z to=2026-11-21T00:00:00Z'), plain: BODY })
  const open = (path: string, window?: TimeRange) =>
    openFileInventory({ path, baseDir: folder, signal, stdin: inBlocks('', 1), window })
  await assert.rejects((await open('a')).plan(WINDOW, { signal }), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(
      error.message,
      /a covers 2026-11-20T06:00:00\.000Z to .* less than the 2026-11-20T00:00:00\.000Z/,
    )
    return true
  })
  assert.deepEqual(await (await open('a', WINDOW)).plan(WINDOW, { signal }), [WINDOW])
  assert.deepEqual(await (await open('plain')).plan(WINDOW, { signal }), [WINDOW])
  assert.equal((await open('plain')).covers, undefined)
})

test('several files are one inventory, and cover what their windows cover together without a hole', async (t) => {
  const folder = tempFolder(t)
  const part = (from: string, to: string, ids: string) =>
    `# auditctl-inventory v1 from=2026-11-${from}T00:00:00Z to=2026-11-${to}T00:00:00Z\n${ids}\n`
  await put(folder, {
    'x-2.txt': part('21', '22', 'b'),
    'x-1.txt': part('20', '21', 'a'),
    'y-1.txt': part('25', '26', 'c'),
  })
  const open = (path: string) => openFileInventory({ path, baseDir: folder, signal, stdin: inBlocks('', 1) })
  assert.deepEqual((await open('x-*.txt')).covers, {
    from: Date.parse('2026-11-20'),
    to: Date.parse('2026-11-22'),
  })
  assert.equal((await open('?-*.txt')).covers, undefined)
  assert.deepEqual((await read(folder, '?-*.txt')).ids, ['a', 'b', 'c'])
})

test('damage that shows in the first bytes of stdin is not forgotten', async (t) => {
  const folder = tempFolder(t)
  for (const damaged of [gzipSync(good).subarray(0, 60), zstdCompressSync(good).subarray(0, 40)]) {
    const { ids, end } = await read(folder, '-', { stdin: inBlocks(damaged, 16) })
    assert.equal(end.exhausted, false)
    assert.ok(ids.length < IDS.length)
  }
})

test('stdin can be read once only', async (t) => {
  const folder = tempFolder(t)
  const inventory = await openFileInventory({ path: '-', baseDir: folder, signal, stdin: inBlocks(BODY, 64) })
  await inventory.fill(WINDOW, new IdSet(), { signal })
  await assert.rejects(inventory.fill(WINDOW, new IdSet(), { signal }), /only once/)
})

test('a file that is not there is a UserError', async (t) => {
  const folder = tempFolder(t)
  await assert.rejects(read(folder, 'none.txt'), UserError)
  await assert.rejects(read(folder, 'none-*.txt'), UserError)
})

test('the test of a file inventory shows an id, or what is wrong', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { a: BODY, b: 'x y\n' })
  const check = async (name: string) => {
    const inventory = await openFileInventory({ path: name, baseDir: folder, signal, stdin: inBlocks('', 1) })
    return (await inventory.test(signal))[0]
  }
  assert.match((await check('a'))?.message ?? '', new RegExp(`${join('', 'a')} holds ids such as ${IDS[0]}`))
  assert.equal((await check('b'))?.state, 'failure')
})
