import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  closingQuote,
  compactJson,
  findMember,
  memberSpans,
  skipValue,
} from '../../../src/core/json-members.ts'
import { pick, randomObject, randomValue, seededRandom } from '../../support/json-fuzz.ts'

const bytesOf = (text: string) => Buffer.from(text, 'utf8')
function membersOf(text: string, start = 0, end = bytesOf(text).length) {
  const bytes = bytesOf(text)
  const members: [key: string, value: string][] = []
  const after = memberSpans(bytes, start, end, (keyStart, keyEnd, valueStart, valueEnd) => {
    members.push([
      bytes.subarray(keyStart, keyEnd).toString(),
      bytes.subarray(valueStart, valueEnd).toString(),
    ])
  })
  return { after, members }
}

describe('memberSpans()', () => {
  test('visits each top-level member with the text of its value, repeats included', () => {
    const text = '{"a":1,"b":{"a":[2,"}"]},"a":"x\\"","é":null}'
    assert.deepEqual(membersOf(text), {
      after: bytesOf(text).length,
      members: [
        ['a', '1'],
        ['b', '{"a":[2,"}"]}'],
        ['a', '"x\\""'],
        ['é', 'null'],
      ],
    })
  })

  test('walks one object of a larger text and says where it ends', () => {
    const text = '[{"a":1} , {"b":2}]'
    assert.deepEqual(membersOf(text, 1, text.length).after, 8)
    assert.deepEqual(membersOf(text, 10, text.length).members, [['b', '2']])
  })

  for (const broken of [
    '',
    '[]',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{a:1}',
    '{"a" 1}',
    '{"a":}',
    '{"a":[1}',
    '{"a":"x}',
  ]) {
    test(`answers -1 for ${JSON.stringify(broken)}`, () => {
      assert.equal(membersOf(broken).after, -1)
    })
  }

  test('visits what JSON.parse finds, in objects of every kind and with blanks (fuzzed)', () => {
    const random = seededRandom(3)
    for (let round = 0; round < 500; round += 1) {
      const text = randomObject(random, 3, pick(random, ['', '', ' ', '\n\t']))
      const { after, members } = membersOf(text)
      assert.equal(after, bytesOf(text).length, text)
      // As JSON.parse would build it: the last of a repeated key wins.
      const built = JSON.parse(`{${members.map(([key, value]) => `"${key}":${value}`).join(',')}}`)
      assert.deepEqual(built, JSON.parse(text))
      for (const [, value] of members) assert.equal(value, value.trim())
    }
  })

  test('answers -1 for an object that was cut off at any byte', () => {
    const text = bytesOf(randomObject(seededRandom(12), 4))
    for (let end = 0; end < text.length; end += 1)
      assert.equal(
        memberSpans(text, 0, end, () => {}),
        -1,
      )
  })
})

test('findMember() finds the first value under a key without looking at what follows', () => {
  const find = (text: string, key: string) => findMember(bytesOf(text), 0, bytesOf(text).length, bytesOf(key))
  assert.equal(find('{"x":{"a":1}, "a" : [cut', 'a'), 20)
  for (const text of [
    '',
    '{}',
    '[]',
    '{"b":1}',
    '{"b":1 "a":2}',
    '{"b":',
    '{"b',
    '{"a"',
    '{"a":',
    '{"a" 1}',
    '{"b":[1',
  ]) {
    assert.equal(find(text, 'a'), -1, text)
  }
})

test('skipValue() ends where the value ends', () => {
  const random = seededRandom(4)
  for (let round = 0; round < 300; round += 1) {
    const text = randomValue(random)
    for (const tail of [',', '}', ']', ' ']) {
      const bytes = bytesOf(text + tail)
      assert.equal(skipValue(bytes, 0, bytes.length), bytes.length - 1, text)
    }
  }
  for (const text of ['', ',', '"open', '[', '{"a":"', '[}']) {
    assert.equal(skipValue(bytesOf(text), 0, bytesOf(text).length), -1, text)
  }
})

test('closingQuote() does not run past the end after a backslash', () => {
  const bytes = bytesOf('abc\\""')
  assert.equal(closingQuote(bytes, 0, 6), 5)
  assert.equal(closingQuote(bytes, 0, 5), -1)
  assert.equal(closingQuote(bytes, 0, 4), -1)
})

test('compactJson() drops blanks between tokens and nothing else', () => {
  const random = seededRandom(5)
  for (let round = 0; round < 200; round += 1) {
    const text = randomObject(random, 3, pick(random, [' ', '\r\n', '\t ']))
    const compact = Buffer.from(compactJson(bytesOf(`\ufeff ${text} `))).toString()
    assert.deepEqual(JSON.parse(compact), JSON.parse(text))
    const tokens = (json: string) => json.match(/"(?:[^"\\]|\\.)*"|[^\s"]/g)?.join('')
    assert.equal(compact, tokens(text))
  }
  assert.equal(Buffer.from(compactJson(bytesOf('{"a": "cut off'))).toString(), '{"a":"cut off')
})
