import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import { cellsOf, delimiterOf, unguarded } from '../../../src/storage/records/cells.ts'
import { openRecords, type Records } from '../../../src/storage/records/read-records.ts'
import { pick, randomValue, seededRandom } from '../../support/json-fuzz.ts'
import { inBlocks } from '../../support/temp-files.ts'

type Read = {
  readonly form: string | undefined
  readonly texts: string[]
  readonly lines: number[]
  readonly problem: string | undefined
}

/** All records of the text, also checked to lie where `offset` says. */
async function read(text: string, size: number, textForm: 'lines' | 'rows' = 'lines'): Promise<Read> {
  const bytes = Buffer.from(text)
  const opened = await openRecords(inBlocks(bytes, size), { name: 'input', textForm: () => textForm })
  if (opened === undefined) return { form: undefined, texts: [], lines: [], problem: undefined }
  const texts: string[] = []
  const lines: number[] = []
  for (;;) {
    const next: IteratorResult<Records, { problem: string | undefined }> = await opened.records.next()
    if (next.done === true) return { form: opened.form, texts, lines, problem: next.value.problem }
    const batch: Records = next.value
    for (let n = 0; n < batch.spans.count; n += 1) {
      const [start, end] = [batch.spans.starts[n] as number, batch.spans.ends[n] as number]
      const record = batch.bytes.toString('utf8', start, end)
      assert.equal(bytes.toString('utf8', batch.offset + start, batch.offset + end), record)
      texts.push(record)
      lines.push(batch.lineOf(n))
    }
  }
}

const OBJECT = '{"id":"a","x":{"y":[1,{"id":"b"}]}}'
const PRETTY = '{\n  "id": "a",\n  "x": [\n    1,\n    {\n      "z": "}{"\n    }\n  ]\n}'

const FORMS: readonly [name: string, text: string, form: string | undefined, texts: readonly string[]][] = [
  ['JSON lines', `${OBJECT}\n${OBJECT}\n`, 'json-lines', [OBJECT, OBJECT]],
  ['JSON lines without a last newline', `${OBJECT}\n${OBJECT}`, 'json-lines', [OBJECT, OBJECT]],
  [
    'CRLF, blanks and blank lines',
    `\r\n ${OBJECT} \r\n\t\r\n${OBJECT}\r\n`,
    'json-lines',
    ['', OBJECT, '', OBJECT],
  ],
  [
    'a first line that is cut off',
    `{"id":"a","b":"c\n${OBJECT}\n`,
    'json-lines',
    ['{"id":"a","b":"c', OBJECT],
  ],
  ['a first line without its end', `{"id":"a",\n${OBJECT}\n`, 'json-lines', ['{"id":"a",', OBJECT]],
  ['lone carriage returns', `${OBJECT}\r${OBJECT}\r`, 'json-lines', [OBJECT, OBJECT]],
  ['one object without a newline', OBJECT, 'json-lines', [OBJECT]],
  ['objects in one line', `${OBJECT}${OBJECT} ${OBJECT}`, 'json-values', [OBJECT, OBJECT, OBJECT]],
  ['objects over several lines', `${PRETTY}\n${PRETTY}\n`, 'json-values', [PRETTY, PRETTY]],
  ['an array', `[${OBJECT},${OBJECT}]`, 'json-values', [OBJECT, OBJECT]],
  ['an array of pretty objects', `[\n${PRETTY},\n${PRETTY}\n]\n`, 'json-values', [PRETTY, PRETTY]],
  ['an empty array', '[]', 'json-values', []],
  ['arrays in a row', `[${OBJECT}]\n[${OBJECT}]\n`, 'json-values', [OBJECT, OBJECT]],
  ['an array of ids', '["a", "b\\"c" ,12]', 'json-values', ['"a"', '"b\\"c"', '12']],
  ['an envelope', `{"events":[${OBJECT},${OBJECT}],"nextCursor":null}`, 'json-values', [OBJECT, OBJECT]],
  [
    'an envelope whose list comes last',
    `{"total": 2, "meta":{"a":[1]}, "auditLogs" : [ ${OBJECT} ] }`,
    'json-values',
    [OBJECT],
  ],
  ['an envelope without events', '{"events":[],"nextCursor":null}', 'json-values', []],
  [
    'envelopes in a row',
    `{"events":[${OBJECT}],"n":{"a":[]}}\n{"events":[${OBJECT}]}\n`,
    'json-values',
    [OBJECT, OBJECT],
  ],
  [
    'an object with an id and a list',
    '{"id":"a","events":[{"b":1}]}\n',
    'json-lines',
    ['{"id":"a","events":[{"b":1}]}'],
  ],
  ['plain lines', 'a\n\nb\n', 'lines', ['a', '', 'b']],
  ['plain lines after comments', '# x\n#y\na\n', 'lines', ['# x', '#y', 'a']],
  ['nothing', '', undefined, []],
  ['blanks', ' \n\r\n\t\n', undefined, []],
  ['comments only', '# nothing\n', undefined, []],
]

for (const [name, text, form, texts] of FORMS) {
  test(`openRecords() tells the form of ${name} and cuts it, in blocks of any size`, async () => {
    for (const size of [1, 3, 64, 1 << 20]) {
      const found = await read(text, size)
      assert.deepEqual(
        [found.form, found.texts, found.problem],
        [form, [...texts], undefined],
        `blocks of ${size}`,
      )
    }
  })
}

test('a broken value in an array costs no other, and is told with its line', async () => {
  const broken = [
    '{"id":"b" "x":1}',
    '{"id":"b","x":tru}',
    '{"id":"b","x":"not closed}',
    '{"id":"b","x":{"y":1}',
    '{"id":"\0"}',
  ]
  for (const value of broken) {
    const found = await read(`[\n${OBJECT},\n${value},\n${OBJECT}\n]\n`, 7)
    assert.deepEqual([found.texts.at(0), found.texts.at(-1)], [OBJECT, OBJECT], value)
    assert.equal(found.texts.length, 3, value)
    assert.equal(found.lines[1], 3, value)
  }
})

test('the inside of a broken object over several lines is not taken for records', async () => {
  const broken = PRETTY.replace('"a",', '"a"')
  const found = await read(`[\n${broken},\n${PRETTY}\n]\n`, 16)
  assert.deepEqual([found.texts.length, found.texts[1]], [2, PRETTY])
  assert.deepEqual(found.lines, [2, 11])
})

test('JSON that ends before its array does is a problem of the file', async () => {
  for (const text of [`[${OBJECT},`, `[${OBJECT}`, `{"events":[${OBJECT}]`, `{"events":[${OBJECT},`, '[']) {
    const found = await read(text, 5)
    assert.equal(found.problem, 'the file ends before its JSON does', text)
  }
  assert.equal(
    (await read(`[${OBJECT},{"id":`, 5)).texts.at(-1),
    '{"id":',
    'the rest of a cut value is a record that is broken',
  )
})

test('values are cut where JSON.parse would end them, whatever they hold', async () => {
  const random = seededRandom(9)
  for (let n = 0; n < 300; n += 1) {
    const values = Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
      return randomValue(random, 3, pick(random, ['', ' ', '\n']))
    })
    const found = await read(
      `[${values.join(pick(random, [',', ' , ', ',\n']))}]`,
      1 + Math.floor(random() * 40),
    )
    assert.deepEqual(found.texts, values)
  }
})

test('a line longer than any block is read whole', async () => {
  const long = `{"id":"a","x":"${'y'.repeat(5_000_000)}"}`
  const found = await read(`${OBJECT}\n${long}\n${OBJECT}\n`, 1 << 20)
  assert.deepEqual(
    found.texts.map((text) => text.length),
    [OBJECT.length, long.length, OBJECT.length],
  )
})

test('a record without an end is refused rather than held in memory', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    const block = Buffer.alloc(8 << 20, 0x20)
    yield Buffer.from('{"id":"')
    for (;;) yield block
  }
  const opened = await openRecords(endless(), { name: 'big.bin', textForm: () => 'lines' })
  await assert.rejects(
    async () => await opened?.records.next(),
    (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, /big\.bin: the record at line 1 is longer than 64 MB/)
      return true
    },
  )
})

test('rows keep line breaks inside quotes, and a stray quote costs only its own row', async () => {
  const text = 'id,b\r\na,"1\r\n2 ""x"""\r\n\r\nc,5" disk\r\n"d"",2\r\ne,3'
  for (const size of [1, 4, 1 << 20]) {
    const found = await read(text, size, 'rows')
    assert.deepEqual(found.texts, ['id,b', 'a,"1\r\n2 ""x"""', 'c,5" disk', '"d"",2', 'e,3'])
    assert.deepEqual(found.lines, [1, 2, 5, 6, 7])
  }
})

test('cellsOf() reads what RFC 4180 writes and refuses quotes that do not fit', () => {
  assert.deepEqual(cellsOf('a,"b,""c""",,"d\ne"', ','), ['a', 'b,"c"', '', 'd\ne'])
  assert.deepEqual(cellsOf('a;b', ';'), ['a', 'b'])
  assert.deepEqual(cellsOf('', ','), [''])
  assert.deepEqual(cellsOf('a,', ','), ['a', ''])
  assert.equal(cellsOf('"a', ','), undefined)
  assert.equal(cellsOf('"a"b,c', ','), undefined)
  assert.deepEqual(
    [delimiterOf('a,b;c'), delimiterOf('a;b'), delimiterOf('a\tb'), delimiterOf('a')],
    [',', ';', '\t', ','],
  )
})

test('unguarded() takes back the apostrophe of the formula guard and no other', () => {
  assert.deepEqual(["'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'x", "'", '=1'].map(unguarded), [
    '=1',
    '+1',
    '-1',
    '@x',
    '\tx',
    '\rx',
    "'x",
    "'",
    '=1',
  ])
})
