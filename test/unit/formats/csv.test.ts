import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ContractError } from '../../../src/core/errors.ts'
import type { AuditEvent } from '../../../src/core/event.ts'
import { valueAt } from '../../../src/core/filter.ts'
import { csvHeader, csvLine, csvRow, csvStream, csvText } from '../../../src/formats/csv.ts'
import { csvWriter } from '../../../src/formats/csv-bytes.ts'
import { jsonTextAt } from '../../../src/formats/json-text-at.ts'
import { pick, randomEvent, randomObject, seededRandom } from '../../support/json-fuzz.ts'
import { namedEvent, spanEvents } from '../../support/span-events.ts'

const COLUMNS = [
  'id',
  'createdAt',
  'event',
  'event.metadata',
  'event.id',
  'actor.a',
  'actor.metadata.b',
  'a',
  'a.b',
  'a.b.a',
  'b',
  'é',
  'x y',
  '',
  'event.0',
  'b.0.a',
  'a.length',
  'id',
  '0',
  '__proto__',
  'n.rawJSON',
]
const pathsOf = (columns: readonly string[]) => columns.map((column) => column.split('.'))
const fast = (events: readonly AuditEvent[], columns: readonly string[], guard = true) =>
  Buffer.from(csvWriter(columns, { guard }).encode(events)).toString()
const reference = (events: readonly AuditEvent[], columns: readonly string[], guard = true) =>
  events.map((event) => csvLine(event, pathsOf(columns), { guard })).join('')
const line = (text: string, columns: readonly string[], guard = true) => {
  const events = [namedEvent(Buffer.from(text), 'x')]
  assert.equal(fast(events, columns, guard), reference(events, columns, guard), text)
  return reference(events, columns, guard)
}

describe('CSV', () => {
  const cells: [name: string, value: string, cell: string][] = [
    ['a string as it reads', '"a b"', 'a b'],
    ['quotes around a comma', '"Mozilla (KHTML, like Gecko), x"', '"Mozilla (KHTML, like Gecko), x"'],
    ['doubled quotes', '"say \\"hi\\""', '"say ""hi"""'],
    ['quotes around line ends', '"a\\r\\nb"', '"a\r\nb"'],
    ['quotes around a lone line feed', '"a\\nb"', '"a\nb"'],
    ['quotes around a lone carriage return', '"a\\rb"', '"a\rb"'],
    ['decoded escapes', '"\\u00e9\\ud83d\\ude00\\/"', 'é😀/'],
    ['other letters', '"日本語😀"', '日本語😀'],
    ['nothing for an empty string', '""', ''],
    ['nothing for null', 'null', ''],
    ['true', 'true', 'true'],
    ['false', 'false', 'false'],
    ['a number', '17', '17'],
    ['a negative number, which is no formula', '-1.5', '-1.5'],
    ['a large integer to the last digit', '12345678901234567890', '12345678901234567890'],
    ['a large negative integer', '-12345678901234567890', '-12345678901234567890'],
    ['a number as it is spelled', '1.0', '1.0'],
    ['an exponent as it is spelled', '-1E+2', '-1E+2'],
    [
      'an object as JSON text',
      '{"a":1.0,"b":[2,3],"a":"\\u00e9\\""}',
      '"{""a"":1.0,""b"":[2,3],""a"":""\\u00e9\\""""}"',
    ],
    ['an object without the blanks between its tokens', '{ "a" : [ 1, " x " ] }', '"{""a"":[1,"" x ""]}"'],
    ['an empty object', '{}', '{}'],
    ['an empty array', '[]', '[]'],
    ['an array that needs no quotes', '[17]', '[17]'],
    ['an array that needs quotes', '[1,-2]', '"[1,-2]"'],
    ['an empty array with blanks', '[ ]', '[]'],
    ['an apostrophe before =', '"=1+1"', "'=1+1"],
    ['an apostrophe before +', '"+1"', "'+1"],
    ['an apostrophe before -', '"-1"', "'-1"],
    ['an apostrophe before @', '"@SUM(A1,B1)"', '"\'@SUM(A1,B1)"'],
    ['an apostrophe before a tab', '"\\t=1"', "'\t=1"],
    ['an apostrophe before a carriage return', '"\\r=1"', '"\'\r=1"'],
    ['an apostrophe before a quoted formula', '"=\\"a\\""', '"\'=""a"""'],
    ['an apostrophe before a full-width =', '"＝1"', "'＝1"],
    ['an apostrophe before a full-width +', '"＋1"', "'＋1"],
    ['an apostrophe before a full-width -', '"－1"', "'－1"],
    ['an apostrophe before a full-width @', '"＠1"', "'＠1"],
    ['no apostrophe before other full-width letters', '"Ａ1"', 'Ａ1'],
    ['no apostrophe inside', '"a=1"', 'a=1'],
    ['a long string with a comma near its end', `"${'x'.repeat(61)},y"`, `"${'x'.repeat(61)},y"`],
  ]
  for (const [name, value, cell] of cells) {
    test(`writes ${name}`, () => {
      assert.equal(line(`{"before":1,"v":${value},"after":[]}`, ['v', 'after']), `${cell},[]\r\n`)
    })
  }

  test('leaves formulas alone when the guard is off', () => {
    assert.equal(line('{"a":"=1","b":"＝1","c":"\\t"}', ['a', 'b', 'c'], false), '=1,＝1,\t\r\n')
  })

  const rows: [name: string, text: string, columns: string[], row: string][] = [
    ['nothing where a column is absent', '{"a":1}', ['b', 'a', 'c'], ',1,'],
    [
      'an object and its members side by side',
      '{"a":{"b":"x","c":2}}',
      ['a', 'a.b', 'a.c'],
      '"{""b"":""x"",""c"":2}",x,2',
    ],
    ['nothing inside what is no object', '{"a":"x","b":1,"c":null}', ['a.b', 'b.c', 'c.d'], ',,'],
    ['the literal key with a dot rather than the path', '{"a":{"b":1},"a.b":2}', ['a.b'], '2'],
    ['the last of a repeated key', '{"a":1,"a":2}', ['a'], '2'],
    ['the last of a repeated object', '{"a":{"b":1},"a":{"c":2}}', ['a.b', 'a.c'], ',2'],
    ['a key spelled with an escape', '{"\\u0061":1}', ['a'], '1'],
    [
      'an element of an array',
      '{"a":[{"b":1},{"b":12345678901234567890}]}',
      ['a.1.b', 'a.01', 'a.7'],
      '12345678901234567890,,',
    ],
    ['the member of each element', '{"a":[{"b":1.0},{},{"b":"x"}]}', ['a.b'], '"[1.0,null,""x""]"'],
    ['the length of an array', '{"a":[1,2,3]}', ['a.length'], '3'],
    ['blanks between tokens anywhere', '{ "a" : { "b" : "x" } , "c" : 1 }', ['a.b', 'c'], 'x,1'],
    ['an empty event', '{}', ['a', 'b'], ','],
  ]
  for (const [name, text, columns, row] of rows) {
    test(`gives ${name}`, () => {
      assert.equal(line(text, columns), `${row}\r\n`)
    })
  }

  test('of the byte path is that of csv-stringify for hostile events (fuzzed)', () => {
    const random = seededRandom(77)
    const events = spanEvents(Array.from({ length: 3000 }, () => randomEvent(random)))
    for (const guard of [true, false]) {
      const writer = csvWriter(COLUMNS, { guard })
      for (const event of events) {
        const expected = csvLine(event, pathsOf(COLUMNS), { guard })
        assert.equal(
          Buffer.from(writer.encode([event])).toString(),
          expected,
          Buffer.from(event.bytes).toString(),
        )
      }
    }
    assert.equal(fast(events, COLUMNS), reference(events, COLUMNS))
  })

  test('takes the byte path for usual events, whatever order their keys have (fuzzed)', () => {
    const random = seededRandom(78)
    for (let round = 0; round < 300; round += 1) {
      const members = Object.entries({
        id: '"b9665ae7-9ce8-4ee9-8ea8-353d13e773a9"',
        userAgent: pick(random, ['"a, b"', '"é"', '""', `"${'y'.repeat(90)}"`]),
        actor: `{"type":"user","metadata":${pick(random, ['{}', '{"a":[1,{"b":"c,d"}]}', 'null'])}}`,
        n: pick(random, ['1', '-5', '1.0']),
      })
      members.sort(() => random() - 0.5)
      const events = spanEvents([`{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`])
      // The reference parses; an event that cannot be parsed shows that it was not asked.
      for (const event of events) event.record = () => assert.fail('the reference was asked')
      const columns = ['n', 'actor.type', 'actor.metadata', 'userAgent', 'id']
      const text = fast(events, columns)
      const again = spanEvents(events.map((event) => Buffer.from(event.bytes).toString()))
      assert.equal(text, reference(again, columns))
    }
  })

  test('grows with its pages and reuses its memory', () => {
    const writer = csvWriter(['id', 'a'])
    const event = (size: number) => namedEvent(Buffer.from(`{"id":"x","a":["${'y'.repeat(size)}"]}`), 'x')
    for (const size of [3_000_000, 5]) {
      assert.equal(Buffer.from(writer.encode([event(size)])).toString(), `x,"[""${'y'.repeat(size)}""]"\r\n`)
    }
    assert.equal(writer.encode([]).length, 0)
  })

  test('begins with its columns, quoted and guarded as cells are', () => {
    const columns = ['id', 'a,b', 'event.type', '=x']
    assert.equal(csvHeader(columns), 'id,"a,b",event.type,\'=x\r\n')
    assert.equal(Buffer.from(csvWriter(columns).header).toString(), csvHeader(columns))
    assert.equal(
      Buffer.from(csvWriter(columns, { guard: false }).header).toString(),
      'id,"a,b",event.type,=x\r\n',
    )
  })

  for (const text of [
    '{"a":nonsense,"b":[}]}',
    '{"a":"\u0001"}',
    '{"a":1]',
    '{"a":{"b":1}',
    '{"a"}',
    '{"a":1 2}',
  ]) {
    test(`of ${JSON.stringify(text)} is a ContractError that names the event`, () => {
      const event = namedEvent(Buffer.from(text), 'the-id')
      assert.throws(
        () => csvRow(event, [['a']]),
        (error) => error instanceof ContractError && /the-id/.test(error.message),
      )
      // The byte path proves structure, not the inside of values: it may pass a word on, but neither break a row nor hang.
      try {
        assert.equal(fast([event], ['a']).split('\r\n').length, 2)
      } catch (error) {
        assert.ok(error instanceof ContractError)
      }
    })
  }
})

describe('csvStream()', () => {
  const write = async (columns: string[], rows: unknown[][]) => {
    const stream = csvStream(columns)
    for (const row of rows) stream.write(row)
    stream.end()
    return (await stream.toArray()).join('')
  }

  test('writes the header also for no rows', async () => {
    assert.equal(await write(['a', 'b'], []), 'a,b\r\n')
  })

  test('writes the rows that csvRow() makes as the byte path does', async () => {
    const random = seededRandom(5)
    const events = spanEvents(Array.from({ length: 100 }, () => randomEvent(random)))
    const rows = events.map((event) => csvRow(event, pathsOf(COLUMNS)))
    assert.equal(await write(COLUMNS, rows), csvHeader(COLUMNS) + fast(events, COLUMNS))
  })
})

test('csvText() writes values of every kind', () => {
  const when = new Date('2026-11-20T12:45:41.528Z')
  const rows = [
    [true, null, { a: 1 }, when],
    [undefined, '-', 12n, -1],
  ]
  assert.equal(
    csvText(['a', 'b', 'c', 'd'], rows),
    `a,b,c,d\r\ntrue,,"{""a"":1}",${when.toISOString()}\r\n,'-,12,-1\r\n`,
  )
  assert.equal(csvText(['a'], []), 'a\r\n')
})

test('jsonTextAt() finds what valueAt() finds in the parsed record (fuzzed)', () => {
  const random = seededRandom(31)
  const paths = [
    'a',
    'a.b',
    'a.a',
    'b.0',
    'b.a',
    'event.metadata',
    'id.length',
    'metadata.a.b',
    'é',
    '',
    'a.0.b',
    '__proto__.a',
    'a.b.length',
  ]
  for (let round = 0; round < 3000; round += 1) {
    // JSON.stringify, which has neither -0 nor infinity, speaks for valueAt() below.
    const text = randomObject(random, 4, pick(random, ['', ' '])).replaceAll(/-0|1e400/g, '7')
    const record = JSON.parse(text)
    for (const path of pathsOf(paths)) {
      const found = jsonTextAt(Buffer.from(text), path)
      const expected = valueAt(record, path)
      assert.deepEqual(
        found === undefined ? undefined : JSON.parse(found),
        expected === undefined ? undefined : JSON.parse(JSON.stringify(expected)),
        `${path.join('.')} in ${text}`,
      )
    }
  }
})
