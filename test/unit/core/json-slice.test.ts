import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ContractError } from '../../../src/core/errors.ts'
import { EventScanner } from '../../../src/core/event-scanner.ts'
import { type EventSpans, sliceEvents, sliceOrParse, spansOf } from '../../../src/core/json-slice.ts'
import { randomEvent, seededRandom } from '../../support/json-fuzz.ts'

const KEYS = { arrayKey: 'auditLogs', idKey: 'id', timeKey: 'createdAt' }
const bytesOf = (text: string) => Buffer.from(text, 'utf8')
const texts = (spans: EventSpans) =>
  Array.from({ length: spans.count }, (_, n) =>
    Buffer.from(spans.bytes).subarray(spans.starts[n], spans.ends[n]).toString(),
  )
const idOf = (spans: EventSpans, n: number) => member(spans, spans.idStarts[n], spans.idEnds[n])
const timeOf = (spans: EventSpans, n: number) => member(spans, spans.timeStarts[n], spans.timeEnds[n])
function member(spans: EventSpans, start = -1, end = -1): string | undefined {
  return start < 0 ? undefined : Buffer.from(spans.bytes).subarray(start, end).toString('latin1')
}
/** What a span may tell about a member: its text when it is a plain string, else nothing. */
function plain(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x20-\x7e\x7f]+$/.test(value) && !/["\\]/.test(value)
    ? value
    : undefined
}

describe('sliceEvents()', () => {
  test('gives the bytes of each event as they came: big integers, number spelling, key order and repeated keys', () => {
    const events = [
      '{"id":"a","n":12345678901234567890,"createdAt":"2026-11-20T12:45:41.528Z"}',
      '{"createdAt":"t","x":[1.0,-0,1e3,{"id":"inner"}],"id":"b","x":2}',
      '{}',
    ]
    const sliced = sliceEvents(bytesOf(`{"auditLogs":[${events.join(',')}],"totalCount":3}`), KEYS)
    assert.ok(sliced)
    assert.deepEqual(texts(sliced.spans), events)
    assert.deepEqual(
      [0, 1, 2].map((n) => idOf(sliced.spans, n)),
      ['a', 'b', undefined],
    )
    assert.deepEqual(
      [0, 1, 2].map((n) => timeOf(sliced.spans, n)),
      ['2026-11-20T12:45:41.528Z', 't', undefined],
    )
    assert.deepEqual(sliced.envelope(), { totalCount: 3 })
  })

  const ids: [name: string, event: string, id: string | undefined][] = [
    ['is a number', '{"id":7}', undefined],
    ['is null', '{"id":null}', undefined],
    ['is empty', '{"id":""}', undefined],
    ['is an object', '{"id":{"id":"x"}}', undefined],
    ['holds an escape', '{"id":"a\\u0062"}', undefined],
    ['holds an escaped quote', '{"id":"a\\"b"}', undefined],
    ['is not ASCII', '{"id":"é"}', undefined],
    ['stands deeper only', '{"a":{"id":"x"},"b":[{"id":"y"}]}', undefined],
    ['is a value and not a key', '{"a":"id","b":"createdAt"}', undefined],
    ['is there twice: the last counts', '{"id":"x","id":"y"}', 'y'],
    ['is there twice, last as a number', '{"id":"x","id":1}', undefined],
    ['may be there again under an escaped key', '{"id":"x","\\u0069d":"y"}', undefined],
    ['has blanks around its colon', '{"id" : "x"}', 'x'],
    ['follows a key that begins alike', '{"idx":"n","i":"m","id":"x"}', 'x'],
    ['follows a backslash in a value', '{"p":"C:\\\\","q":"\\"id\\":\\"no\\"","id":"x"}', 'x'],
  ]
  for (const [name, event, id] of ids) {
    test(`tells an id, or that it is absent, where it ${name}`, () => {
      const sliced = sliceEvents(bytesOf(`{"auditLogs":[${event}]}`), KEYS)
      assert.equal(sliced && idOf(sliced.spans, 0), id)
      assert.deepEqual(sliced && texts(sliced.spans), [event])
    })
  }

  const envelopes: [body: string, arrayKey: string | readonly string[] | undefined, envelope: object][] = [
    ['[{"id":"a"}]', undefined, {}],
    [' [ ] ', undefined, {}],
    ['{"next":"c","auditLogs":[],"n":{"auditLogs":[1]}}', 'auditLogs', { next: 'c', n: { auditLogs: [1] } }],
    [
      '{"n":{"auditLogs":[1]},"s":"\\"auditLogs\\":[","auditLogs":[{}]}\n',
      'auditLogs',
      { n: { auditLogs: [1] }, s: '"auditLogs":[' },
    ],
    ['{"data":{"total":1,"logs":[{}]},"errors":[]}', ['data', 'logs'], { data: { total: 1 }, errors: [] }],
  ]
  for (const [body, arrayKey, envelope] of envelopes) {
    test(`parses the reply around the array of ${JSON.stringify(body)}`, () => {
      const sliced = sliceEvents(bytesOf(body), { ...KEYS, arrayKey })
      assert.deepEqual(sliced?.envelope(), envelope)
    })
  }

  const refused: [name: string, body: string | Uint8Array][] = [
    ['an empty body', ''],
    ['no array under the key', '{"message":"no"}'],
    ['an array only deeper', '{"data":{"auditLogs":[]}}'],
    ['an object under the key', '{"auditLogs":{}}'],
    ['the key twice', '{"auditLogs":[{"id":"a"}],"auditLogs":[]}'],
    ['the key once more with an escape', '{"auditLogs":[{"id":"a"}],"audit\\u004cogs":[]}'],
    ['a number as element', '{"auditLogs":[1]}'],
    ['an array as element', '{"auditLogs":[[{}]]}'],
    ['a string as element', '{"auditLogs":["{}"]}'],
    ['two commas', '{"auditLogs":[{},,{}]}'],
    ['a comma at the end', '{"auditLogs":[{},]}'],
    ['no comma', '{"auditLogs":[{}{}]}'],
    ['a bracket that closes a brace', '{"auditLogs":[{"a":1]]}'],
    ['a brace that closes the array', '{"auditLogs":[{}}'],
    ['something after the end', '{"auditLogs":[{}]}{}'],
    ['pretty-printed events', '{"auditLogs":[{\n"id":"a"\n}]}'],
    ['a newline between events', '{"auditLogs":[{},\n{}]}'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([bytesOf('{"auditLogs":[{"a":"'), Buffer.from([0xc3, 0x28]), bytesOf('"}]}')]),
    ],
  ]
  for (const [name, body] of refused) {
    test(`proves nothing about ${name}`, () => {
      assert.equal(sliceEvents(typeof body === 'string' ? bytesOf(body) : body, KEYS), undefined)
    })
  }

  test('proves nothing about events that span lines, however many of them it has seen', () => {
    const scanner = new EventScanner(KEYS)
    const event = (n: number, space: string) => `{"id":"${n}",${space}"createdAt":"t","n":[1,${space}2]}`
    for (const space of ['', '\n', '', '\n', '\n']) {
      const body = `{"auditLogs":[${[1, 2, 3].map((n) => event(n, space)).join(',')}],"total":3}`
      assert.equal(sliceEvents(bytesOf(body), { ...KEYS, scanner }) !== undefined, space === '', space)
    }
  })

  test('finds what JSON.parse finds in replies of every kind (fuzzed)', () => {
    const random = seededRandom(20261120)
    for (let round = 0; round < 400; round += 1) {
      const events = Array.from({ length: Math.floor(random() * 4) }, () => randomEvent(random))
      const body = `{"a":[{"id":"no"}],"auditLogs":[${events.join(random() < 0.2 ? ' , ' : ',')}],"t":"]}"}`
      const sliced = sliceEvents(bytesOf(body), KEYS)
      assert.ok(sliced, body)
      assert.deepEqual(texts(sliced.spans), events)
      const parsed = JSON.parse(body).auditLogs as Record<string, unknown>[]
      for (const [n, event] of parsed.entries()) {
        const id = idOf(sliced.spans, n)
        const time = timeOf(sliced.spans, n)
        if (id !== undefined) assert.equal(id, event['id'], body)
        if (time !== undefined) assert.equal(time, event['createdAt'], body)
        if (!/\\/.test(events[n] ?? '')) assert.equal(id, plain(event['id']), body)
      }
      assert.deepEqual(sliced.envelope(), { a: [{ id: 'no' }], t: ']}' })
    }
  })

  test('never takes a reply that was cut off, at any byte, for a whole one', () => {
    const random = seededRandom(7)
    const events = Array.from({ length: 4 }, () => randomEvent(random))
    const body = bytesOf(`{"auditLogs":[${events.join(',')}],"total":4}`)
    assert.ok(sliceEvents(body, KEYS))
    for (let length = 0; length < body.length; length += 1) {
      // The bytes behind the cut are still in memory; they must not be read.
      assert.equal(sliceEvents(body.subarray(0, length), KEYS), undefined, `cut at ${length}`)
    }
  })

  test('keeps positions inside a view of a larger buffer', () => {
    const text = '{"auditLogs":[{"id":"é","x":"é"},{"id":"b"}]}'
    const whole = bytesOf(`xx"${text}"yy`)
    const sliced = sliceEvents(whole.subarray(3, whole.length - 3), KEYS)
    assert.deepEqual(sliced && texts(sliced.spans), ['{"id":"é","x":"é"}', '{"id":"b"}'])
  })
})

describe('sliceOrParse()', () => {
  test('compacts pretty-printed JSON and keeps the spelling of every token', () => {
    const body = bytesOf(
      '\ufeff{\r\n "auditLogs": [ { "id" : "a\\u0062 c",\n "n": 12345678901234567890.10 } ],\n "next": "x y"\n}\n',
    )
    const { spans, envelope } = sliceOrParse(body, KEYS)
    assert.deepEqual(texts(spans), ['{"id":"a\\u0062 c","n":12345678901234567890.10}'])
    assert.deepEqual(envelope(), { next: 'x y' })
  })

  test('takes the last array where the key is there twice, as JSON.parse does', () => {
    const { spans, envelope } = sliceOrParse(
      bytesOf('{"auditLogs":[{"id":"a"}],"auditLogs":[{"id":"b"}],"n":1}'),
      KEYS,
    )
    assert.deepEqual(texts(spans), ['{"id":"b"}'])
    assert.equal(idOf(spans, 0), 'b')
    assert.deepEqual(envelope(), { n: 1 })
  })

  const failures: [name: string, body: string | Uint8Array, message: RegExp][] = [
    ['HTML', '<html><body>Sign in</body></html>', /not JSON; it begins with "<html>/],
    ['a cut reply', '{"auditLogs":[{"id":"a', /22 bytes\) is not JSON/],
    ['an empty reply', '', /\(0 bytes\) is not JSON/],
    ['no array', '{"message":"x"}', /no array under auditLogs/],
    ['a number', '7', /no array under auditLogs/],
    [
      'an element that is null',
      '{"auditLogs":[{},null]}',
      /Element 1 of auditLogs is not an object but null/,
    ],
    ['an element that is an array', '{"auditLogs":[[]]}', /Element 0 of auditLogs is not an object but \[\]/],
    ['other bytes than UTF-8', Buffer.from([0x5b, 0xff, 0x5d]), /not UTF-8/],
  ]
  for (const [name, body, message] of failures) {
    test(`throws a ContractError for ${name}`, () => {
      const bytes = typeof body === 'string' ? bytesOf(body) : body
      assert.throws(
        () => sliceOrParse(bytes, KEYS),
        (error) => error instanceof ContractError && message.test(error.message),
      )
    })
  }

  test('names the reply itself where it should be the array', () => {
    const options = { ...KEYS, arrayKey: undefined }
    assert.throws(() => sliceOrParse(bytesOf('{}'), options), /The reply holds no array$/)
    assert.throws(
      () => sliceOrParse(bytesOf('[1]'), options),
      /Element 0 of the reply is not an object but 1/,
    )
    assert.deepEqual(texts(sliceOrParse(bytesOf('[\n{"id":"a"}]'), options).spans), ['{"id":"a"}'])
  })

  test('says that a proxy may have answered where the reply is HTML', () => {
    assert.throws(
      () => sliceOrParse(bytesOf('<!doctype html>'), KEYS),
      (error) => error instanceof ContractError && /proxy/.test(error.hint ?? ''),
    )
  })
})

test('spansOf() writes values into a buffer of their own', () => {
  const spans = spansOf([{ id: 'a', createdAt: 't' }, { id: 2 }], KEYS)
  assert.deepEqual(texts(spans), ['{"id":"a","createdAt":"t"}', '{"id":2}'])
  assert.deepEqual([idOf(spans, 0), timeOf(spans, 0), idOf(spans, 1)], ['a', 't', undefined])
  assert.equal(spansOf([], KEYS).count, 0)
})
