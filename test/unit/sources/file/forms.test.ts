import assert from 'node:assert/strict'
import { chmod, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { IncompleteError, UserError } from '../../../../src/core/errors.ts'
import type { EventShape } from '../../../../src/core/source.ts'
import { file } from '../../../../src/sources/file/index.ts'
import { infisicalShape } from '../../../../src/sources/infisical/shape.ts'
import { memoryBucket } from '../../../support/memory-objects.ts'
import { inBlocks, put, tempFolder } from '../../../support/temp-files.ts'
import { eventText, readSource, textOfEvent, WINDOW } from './file-source-support.ts'

const EXTRA = ',"big":12345678901234567890,"spelled":1.0e2,"id2":"\\u00e9","id2":"twice"'
const EVENTS = Array.from({ length: 30 }, (_, n) => eventText(n, n * 60, n % 3 === 0 ? EXTRA : ''))
const JSONL = `${EVENTS.join('\n')}\n`
const BOM = '\ufeff'

const SAME_BYTES: Readonly<Record<string, string | Uint8Array>> = {
  'JSON lines': JSONL,
  'JSON lines without a last newline': JSONL.trimEnd(),
  'CRLF lines': JSONL.replaceAll('\n', '\r\n'),
  'lone carriage returns': JSONL.replaceAll('\n', '\r'),
  'a byte order mark': BOM + JSONL,
  'UTF-16': Buffer.from(BOM + JSONL, 'utf16le'),
  'gzip in two members': Buffer.concat([gzipSync(JSONL.slice(0, 2000)), gzipSync(JSONL.slice(2000))]),
  'zstd in two frames': Buffer.concat([
    zstdCompressSync(JSONL.slice(0, 2000)),
    zstdCompressSync(JSONL.slice(2000)),
  ]),
  'a compact array': `[${EVENTS.join(',')}]`,
  'the envelope of a query': `{"events":[${EVENTS.join(',')}],"nextCursor":null}`,
  'a saved reply of the API': `{"auditLogs":[${EVENTS.join(',')}]}`,
  'an array with an event a line': `[\n${EVENTS.join(',\n')}\n]\n`,
}

for (const [name, content] of Object.entries(SAME_BYTES)) {
  test(`the file source keeps every byte of events from ${name}`, async (t) => {
    const folder = tempFolder(t)
    await put(folder, { export: content })
    const read = await readSource(folder, 'export')
    assert.deepEqual(read.events.map(textOfEvent), EVENTS)
    assert.deepEqual([read.broken, read.warnings, read.logged], [0, [], []])
    assert.equal(read.events[3]?.id, '00000000-0000-4000-8000-000000000003')
    assert.equal(read.events[3]?.occurredAt, '2026-11-20T00:03:00.000Z')
    assert.equal(read.events[3]?.action, 'create-secret')
    assert.equal(read.events[3]?.source, 'infisical')
  })
}

test('the file source takes only blanks out of pretty-printed events, never a digit or a key', async (t) => {
  const folder = tempFolder(t)
  const pretty = EVENTS.map((event) =>
    event
      .replaceAll('{"', '{\n  "')
      .replaceAll(',"', ',\n\t"')
      .replaceAll('":', '" : ')
      .replaceAll('}', '\r\n}'),
  )
  await put(folder, { array: `[\n${pretty.join(',\n')}\n]`, stream: pretty.join('\n') })
  assert.deepEqual((await readSource(folder, 'array')).events.map(textOfEvent), EVENTS)
  assert.deepEqual((await readSource(folder, 'stream')).events.map(textOfEvent), EVENTS)
})

test('the file source reads stdin in any form', async (t) => {
  const folder = tempFolder(t)
  for (const content of [JSONL, gzipSync(JSONL), `[${EVENTS.join(',')}]`]) {
    const read = await readSource(folder, '-', { stdin: inBlocks(content, 1000) })
    assert.deepEqual(read.events.map(textOfEvent), EVENTS)
  }
  assert.deepEqual((await readSource(folder, '-', { stdin: inBlocks('', 10) })).events, [])
})

test('the file source rebuilds nested events from CSV, its guard and its JSON cells undone', async (t) => {
  const folder = tempFolder(t)
  const rows = [
    'id,createdAt,event.type,actor.type,actor.metadata,orgId,projectId,userAgent,event.metadata,updatedAt',
    'e-1,2026-11-20T01:00:00.000Z,create-secret,user,"{""email"":""a@b.c"",""n"":1.50}",o,,\'=cmd(),"{""k"":[1,{""x"":""a,b""}]}",',
    'e-2,2026-11-20T02:00:00.123456Z,login,identity,,o,p,"two\r\nlines ""quoted"" é",{broken,',
  ]
  const expected = [
    '{"id":"e-1","createdAt":"2026-11-20T01:00:00.000Z","event":{"type":"create-secret","metadata":{"k":[1,{"x":"a,b"}]}},"actor":{"type":"user","metadata":{"email":"a@b.c","n":1.50}},"orgId":"o","projectId":null,"userAgent":"=cmd()","updatedAt":null}',
    '{"id":"e-2","createdAt":"2026-11-20T02:00:00.123456Z","event":{"type":"login","metadata":"{broken"},"actor":{"type":"identity"},"orgId":"o","projectId":"p","userAgent":"two\\r\\nlines \\"quoted\\" é","updatedAt":null}',
  ]
  const csv = rows.join('\r\n')
  await put(folder, {
    'a.csv': csv,
    'b.csv': `${BOM}${csv}\r\n`,
    'c.csv.gz': gzipSync(csv),
    'd.csv': csv.replaceAll(/,(?=[^"]*(?:"[^"]*"[^"]*)*$)/g, ';'),
  })
  for (const name of ['a.csv', 'b.csv', 'c.csv.gz', 'd.csv']) {
    const read = await readSource(folder, name)
    assert.deepEqual(read.events.map(textOfEvent), expected, name)
    assert.equal(read.broken, 0)
  }
  const [, second] = (await readSource(folder, 'a.csv')).events
  assert.equal(second?.occurredAt, '2026-11-20T02:00:00.123456Z')
})

const BROKEN: Readonly<Record<string, string>> = {
  'a truncated line': EVENTS[1]?.slice(0, -20) ?? '',
  'a bad literal': eventText(99, 1, ',"x":tru'),
  'something behind its JSON': `${EVENTS[1]} {"id":"x"}`,
  'a NUL byte': eventText(99, 1, ',"x":"a\0b"'),
  'a list': '[1,2]',
  'a word': 'hello',
  'no id': '{"createdAt":"2026-11-20T01:00:00.000Z"}',
  'an empty id': '{"id":"","createdAt":"2026-11-20T01:00:00.000Z"}',
  'no time': '{"id":"x"}',
  'a time that is none': '{"id":"x","createdAt":"yesterday"}',
  'a day that does not exist': '{"id":"x","createdAt":"2026-13-41T01:00:00.000Z"}',
}

for (const [name, line] of Object.entries(BROKEN)) {
  test(`a line with ${name} is told with its file and number, counted, and costs no other`, async (t) => {
    const folder = tempFolder(t)
    const content = `${EVENTS[0]}\n\n${line}\n${EVENTS[2]}\n`
    await put(folder, { 'a.jsonl': content, 'a.jsonl.gz': gzipSync(content) })
    for (const file of ['a.jsonl', 'a.jsonl.gz']) {
      const read = await readSource(folder, file)
      assert.deepEqual(read.events.map(textOfEvent), [EVENTS[0], EVENTS[2]])
      assert.equal(read.broken, 1)
      assert.equal(read.logged.length, 1)
      assert.match(read.logged[0] ?? '', new RegExp(`${file}: line 3 is broken and was left out: .`))
      assert.deepEqual(read.warnings, ['1 broken input line was left out'])
      await assert.rejects(readSource(folder, file, { strict: true }), (error: unknown) => {
        assert.ok(error instanceof UserError)
        assert.equal(error.exitCode, 2)
        assert.match(error.message, /line 3 is broken/)
        return true
      })
    }
  })
}

test('a broken first line, a line in another encoding and a broken CSV row cost no other', async (t) => {
  const folder = tempFolder(t)
  const latin1 = Buffer.from(eventText(5, 5, ',"name":"caf\u00e9"'), 'latin1')
  await put(folder, {
    'first.jsonl': `garbage\n${JSONL}`,
    'mixed.jsonl': Buffer.concat([Buffer.from(`${EVENTS[0]}\n`), latin1, Buffer.from(`\n${EVENTS[1]}\n`)]),
    'rows.csv': 'id,createdAt\ne-1,2026-11-20T01:00:00.000Z\ne-2\n"e-3"x,2\ne-4,2026-11-20T02:00:00.000Z\n',
  })
  const first = await readSource(folder, 'first.jsonl')
  assert.deepEqual([first.events.length, first.broken], [30, 1])
  const mixed = await readSource(folder, 'mixed.jsonl')
  assert.deepEqual(mixed.events.map(textOfEvent), EVENTS.slice(0, 2))
  assert.match(mixed.logged[0] ?? '', /mixed\.jsonl: line 2 is broken and was left out: it is not UTF-8/)
  const rows = await readSource(folder, 'rows.csv', { of: 'x', shape: infisicalShape })
  assert.deepEqual(
    rows.events.map((event) => event.id),
    ['e-1', 'e-4'],
  )
  assert.match(
    rows.logged.join('\n'),
    /line 3 .*it has 1 cells, the header has 2[\s\S]*line 4 .*a quote in it is not closed/,
  )
})

test('many broken lines are all counted, but only the first are told one by one', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': `${'nonsense {\n'.repeat(500)}${JSONL}` })
  const read = await readSource(folder, 'a.jsonl')
  assert.deepEqual([read.events.length, read.broken], [30, 500])
  assert.equal(read.logged.length, 21)
})

test('a packed file that was cut off is an error, never a short list', async (t) => {
  const folder = tempFolder(t)
  for (const [name, whole] of [
    ['a.gz', gzipSync(JSONL)],
    ['a.zst', zstdCompressSync(JSONL)],
  ] as const) {
    await put(folder, { [name]: whole.subarray(0, whole.length - 4) })
    await assert.rejects(readSource(folder, name), (error: unknown) => {
      assert.ok(error instanceof IncompleteError)
      assert.equal(error.exitCode, 6)
      return true
    })
  }
})

test('an event of a megabyte and one larger than any chunk come through whole', async (t) => {
  const folder = tempFolder(t)
  const large = eventText(7, 100, `,"blob":"${'x'.repeat(1_000_000)}"`)
  const huge = eventText(8, 200, `,"blob":"${'y'.repeat(20_000_000)}"`)
  const content = [EVENTS[0], large, huge, EVENTS[5]].join('\n')
  await put(folder, { 'a.jsonl': content, 'a.json': `[${[EVENTS[0], large, huge, EVENTS[5]].join(',\n')}]` })
  for (const name of ['a.jsonl', 'a.json']) {
    const read = await readSource(folder, name)
    const lengths = read.events.map((event) => event.bytes.length).sort((a, b) => a - b)
    assert.deepEqual(
      lengths,
      [EVENTS[5]?.length, EVENTS[0]?.length, large.length, huge.length].sort((a, b) => Number(a) - Number(b)),
    )
  }
})

test('without "of" events of another product are refused in words that name the setting', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': '{"id":"1","createdAt":"2026-11-20T01:00:00Z","action":"login"}\n' })
  await assert.rejects(readSource(folder, 'a.jsonl'), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /a\.jsonl: its events are not in the shape of Infisical/)
    assert.match(error.hint ?? '', /"of" in sources\.old/)
    return true
  })
})

const OTHER: EventShape = {
  ...infisicalShape,
  type: 'other',
  reader: {
    type: 'other',
    actor: () => undefined,
    action: (record) => String(record['verb']),
    target: () => undefined,
  },
  idKey: 'n',
  timeKey: 'at',
}

test('"of" reads another product by its own keys, numbers as ids included', async (t) => {
  const folder = tempFolder(t)
  const lines = [
    '{"n":7,"at":"2026-11-20T01:00:00Z","verb":"a"}',
    '{"n":"\\u0078","at":"2026-11-20 02:00:00","verb":"b"}',
  ]
  await put(folder, { 'a.jsonl': lines.join('\n') })
  const read = await readSource(folder, 'a.jsonl', { of: 'other', shape: OTHER })
  assert.deepEqual(
    read.events.map((event) => [event.id, event.action, event.source]),
    [
      ['7', 'a', 'other'],
      ['x', 'b', 'other'],
    ],
  )
  assert.deepEqual(read.events.map(textOfEvent), lines)
})

test('"of" a product that names its events itself is asked for id and time', async (t) => {
  const folder = tempFolder(t)
  const shape: EventShape = {
    ...OTHER,
    name: (record) => ({
      id: `x-${record['key']}`,
      occurredAt: '2026-11-20T05:00:00Z',
      occurredAtMs: WINDOW.from + 5,
    }),
  }
  await put(folder, { 'a.jsonl': '{"key":1}\n{"key":2}\n' })
  const read = await readSource(folder, 'a.jsonl', { of: 'other', shape })
  assert.deepEqual(
    read.events.map((event) => event.id),
    ['x-1', 'x-2'],
  )
})

test('a wrong "of" is told when not one line fits', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.jsonl': JSONL })
  const read = await readSource(folder, 'a.jsonl', { of: 'other', shape: OTHER })
  assert.equal(read.broken, 30)
  assert.match(read.warnings.join(), /not one line is an event of other: does "of" name the right product/)
})

test('an input that cannot be read, or stands for nothing, is a UserError', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'secret.jsonl': JSONL })
  await chmod(`${folder}/secret.jsonl`, 0)
  const cases: [string, RegExp][] = [
    ['none.jsonl', /ENOENT/],
    ['none-*.jsonl', /matches no file/],
    ['ftp://host/file.jsonl', /no URL that a file source can open/],
  ]
  if (process.getuid?.() !== 0) cases.push(['secret.jsonl', /EACCES/])
  for (const [path, words] of cases) {
    await assert.rejects(readSource(folder, path), (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, words)
      return true
    })
  }
})

test('an object URL is read as the files below it, through the bucket', async (t) => {
  const bucket = memoryBucket()
  bucket.objects.set('audit/dt=2026-11-20/a.jsonl', Buffer.from(`${eventText(1, 10)}\n`))
  bucket.objects.set('audit/dt=2026-11-20/b.jsonl.gz', gzipSync(`${eventText(2, 20)}\n${eventText(3, 5)}\n`))
  bucket.objects.set('audit/manifest.json', Buffer.from('{}'))
  const read = await readSource(tempFolder(t), 's3://memory/audit/', { openStore: bucket.open })
  const ids = read.events.map((event) => event.id.slice(-1))
  assert.deepEqual(ids.sort(), ['1', '2', '3'])
  assert.equal(read.broken, 0)
})

test('a real export of Infisical reads event for event, newest first as it lies there', async (t) => {
  const folder = tempFolder(t)
  const page = JSON.parse(
    await readFile(
      new URL('../../../fixtures/infisical/recorded/query-page-1.json', import.meta.url),
      'utf8',
    ),
  ) as { body: { auditLogs: { id: string }[] } }
  await put(folder, { 'reply.json': JSON.stringify(page.body, undefined, 2) })
  const read = await readSource(folder, 'reply.json', { window: { from: 0, to: Date.parse('2030-01-01') } })
  assert.deepEqual(
    read.events.map((event) => event.record()),
    page.body.auditLogs,
  )
})

test('the settings of a file source refuse what they do not know', () => {
  assert.ok(file.options.safeParse({ type: 'file', path: 'a', of: 'infisical' }).success)
  assert.ok(!file.options.safeParse({ type: 'file' }).success)
  assert.ok(!file.options.safeParse({ type: 'file', path: 'a', format: 'csv' }).success)
})
