import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sliceLines } from '../../../src/core/json-lines.ts'
import { randomEvent, seededRandom } from '../../support/json-fuzz.ts'

const KEYS = { idKey: 'id', timeKey: 'createdAt' }
function slice(block: string | Uint8Array) {
  const bytes = Buffer.from(block)
  const { spans, lines, lineCount } = sliceLines(bytes, KEYS)
  const rows = Array.from({ length: spans.count }, (_, n) => ({
    text: bytes.subarray(spans.starts[n], spans.ends[n]).toString(),
    id:
      (spans.idStarts[n] ?? -1) < 0
        ? undefined
        : bytes.subarray(spans.idStarts[n], spans.idEnds[n]).toString(),
    line: lines[n],
  }))
  return { rows, lineCount }
}

test('sliceLines() gives each line that is not blank, with its number', () => {
  const { rows, lineCount } = slice('{"id":"a"}\r\n\n  \t\n {"id":"b"} \n{"id":"c"}')
  assert.deepEqual(rows, [
    { text: '{"id":"a"}', id: 'a', line: 0 },
    { text: '{"id":"b"}', id: 'b', line: 3 },
    { text: '{"id":"c"}', id: 'c', line: 4 },
  ])
  assert.equal(lineCount, 5)
  assert.deepEqual(slice(''), { rows: [], lineCount: 0 })
})

const broken = [
  '{"id":"a"',
  '{"id":"a"}}',
  '{"id":"a"}{"id":"b"}',
  '{"id":"a"]',
  '["id","a"]',
  'id',
  '{"id":"a","x":"cut',
  '{"id":7}',
  '"id"',
]
for (const line of broken) {
  test(`sliceLines() gives ${line} without an id, and its neighbours with theirs`, () => {
    const { rows } = slice(`{"id":"x"}\n${line}\n{"id":"y"}\n`)
    assert.deepEqual(
      rows.map((row) => row.id),
      ['x', undefined, 'y'],
    )
    assert.equal(rows[1]?.text, line)
  })
}

test('sliceLines() gives a line that is not UTF-8 without an id, and its neighbours with theirs', () => {
  const block = Buffer.concat([
    Buffer.from('{"id":"é"}\n{"id":"x","a":"é"}\n{"id":"a","b":"'),
    Buffer.from([0xff]),
    Buffer.from('"}\n{"id":"y"}'),
  ])
  assert.deepEqual(
    slice(block).rows.map((row) => row.id),
    [undefined, 'x', undefined, 'y'],
  )
})

test('sliceLines() finds the lines of hostile events (fuzzed)', () => {
  const random = seededRandom(6)
  const events = Array.from({ length: 300 }, () => randomEvent(random))
  assert.deepEqual(
    slice(events.join('\n')).rows.map((row) => row.text),
    events,
  )
})
