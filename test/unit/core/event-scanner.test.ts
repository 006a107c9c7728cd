import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventScanner } from '../../../src/core/event-scanner.ts'
import { checked, checkJson } from '../../../src/core/json-check.ts'
import { found, scanEvent } from '../../../src/core/json-scan.ts'
import { sliceEvents } from '../../../src/core/json-slice.ts'
import { type EventValues, readValues } from '../../../src/core/page-values.ts'
import { eventsOfLog, pick, seededRandom } from '../../support/json-fuzz.ts'

const KEYS = { idKey: 'id', timeKey: 'createdAt' }
const ID = Buffer.from('id')
const TIME = Buffer.from('createdAt')
const NONE = { idStart: -1, idEnd: -1, timeStart: -1, timeEnd: -1 }

test('an EventScanner scans as scanEvent() does, and comes to know most events of a log (fuzzed)', () => {
  const random = seededRandom(11)
  let known = 0
  for (let log = 0; log < 60; log += 1) {
    const scanner = new EventScanner(KEYS)
    for (const text of eventsOfLog(random, 80)) {
      const bytes = Buffer.from(`  ${text},{"id":"next"}]`)
      Object.assign(found, NONE)
      const end = scanEvent(bytes, 2, bytes.length, ID, TIME)
      const expected = { ...found }
      Object.assign(found, NONE)
      assert.equal(scanner.scan(bytes, 2), end, text)
      assert.deepEqual({ ...found }, expected, text)
      if (scanner.isKnown) known += 1
    }
  }
  assert.ok(known > 1500, `${known} of 4800`)
})

test('an EventScanner checks as checkJson() does, also where bytes were changed, removed or added (fuzzed)', () => {
  const random = seededRandom(12)
  const damage = '"\\{}[],:0123456789.eE+-tfnu \n\0\u0001xé'
  let [known, broken] = [0, 0]
  for (let log = 0; log < 60; log += 1) {
    const scanner = new EventScanner(KEYS)
    for (const whole of eventsOfLog(random, 120)) {
      const at = Math.floor(random() * whole.length)
      const isDamaged = random() < 0.5
      const text = isDamaged
        ? `${whole.slice(0, at)}${pick(random, ['', ...damage])}${whole.slice(at + (random() < 0.7 ? 1 : 0))}`
        : whole
      const bytes = Buffer.from(`${text}\n${whole}`)
      const end = Buffer.byteLength(text)
      Object.assign(checked, NONE)
      const answer = checkJson(bytes, 0, end, ID, TIME)
      const expected = { ...checked }
      Object.assign(checked, NONE)
      assert.equal(scanner.check(bytes, 0, end), answer, text)
      if (answer === end) assert.deepEqual({ ...checked }, expected, text)
      else broken += 1
      if (scanner.isKnown) known += 1
    }
  }
  assert.ok(known > 1500 && broken > 1200, `${known} known, ${broken} broken`)
})

test('an EventScanner does not run past bytes that were cut off, wherever', () => {
  const random = seededRandom(13)
  const scanner = new EventScanner(KEYS)
  const texts = eventsOfLog(random, 200)
  for (const text of texts) scanner.scan(Buffer.from(`${text}        `), 0)
  for (const text of texts) {
    const bytes = Buffer.from(text)
    for (let length = bytes.length - 1; length > 0; length -= 1 + Math.floor(random() * 7))
      assert.equal(scanner.scan(bytes.subarray(0, length), 0), -1, text.slice(0, length))
  }
})

test('an EventScanner learns no more when events never look alike, and still knows those that do', () => {
  const scanner = new EventScanner(KEYS)
  const text = (key: string) => `{"id":"a","createdAt":"t","${key}":1}        `
  for (let n = 0; n < 5000; n += 1) assert.ok(scanner.scan(Buffer.from(text(`key${n}`)), 0) > 0)
  const learned = scanner.outlines.all.length
  assert.ok(learned > 0 && learned <= 64, `${learned} outlines`)
  scanner.scan(Buffer.from(text('key3')), 0)
  assert.equal(scanner.isKnown, true)
})

test('an EventScanner knows at once what was met last, among many outlines that part at one place', () => {
  const scanner = new EventScanner(KEYS)
  const text = (key: string, value: string) => `{"id":"a","createdAt":"t","${key}":"${value}"}        `
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`)
  for (const key of keys) scanner.scan(Buffer.from(text(key, 'x')), 0)
  for (const key of [...keys, ...keys.toReversed()]) {
    scanner.scan(Buffer.from(text(key, 'other')), 0)
    assert.equal(scanner.isKnown, true, key)
  }
})

test('an EventScanner takes no text for another that differs in the sign of a zero alone', () => {
  const scanner = new EventScanner(KEYS)
  const event = (key: Buffer) =>
    Buffer.concat([Buffer.from('{"id":"a","createdAt":"t","'), key, Buffer.from('":1}        ')])
  const zeros = Buffer.alloc(24)
  scanner.scan(event(zeros), 0)
  for (let at = 0; at < zeros.length; at += 1) {
    const other = Buffer.from(zeros)
    other[at] = 0x80
    scanner.scan(event(other), 0)
    assert.equal(scanner.isKnown, false, `byte ${at}`)
  }
})

test('a page tells the values of its events, escapes included, but not those too long to be told', () => {
  const scanner = new EventScanner(KEYS)
  scanner.wantsValues = true
  const values = ['plain', '', 'x'.repeat(65_535), 'say \\"hi\\"', 'x'.repeat(65_536), 'é']
  const texts = ['first', ...values].map((v) => `{"id":"a","n":17,"v":"${v}","createdAt":"t"}`)
  const bytes = Buffer.from(`{"e":[${texts.join(',')}],"n":7}`)
  const spans = sliceEvents(bytes, { ...KEYS, arrayKey: 'e', scanner })?.spans
  assert.ok(spans?.values)
  const into: EventValues = { outline: undefined, marks: new Int32Array(64), hasEscapes: false }
  const told = texts.map((_, n) => {
    if (!spans.values || !readValues(spans.values, n, bytes, spans.starts[n] ?? 0, into)) return undefined
    const value = (k: number) => bytes.subarray(into.marks[2 * k], into.marks[2 * k + 1]).toString()
    return [value(0), value(1), value(2), value(3), into.hasEscapes]
  })
  const expected = values.map((v, n) => (n === 4 ? undefined : ['a', '17', v, 't', n === 3]))
  assert.deepEqual(told, [undefined, ...expected])
  // Other bytes where a text should begin: the file was changed meanwhile.
  const changed = Buffer.from(bytes)
  changed.write('x', (spans.starts[1] ?? 0) + (texts[1]?.indexOf('",') ?? 0))
  assert.equal(readValues(spans.values, 1, changed, spans.starts[1] ?? 0, into), false)
})
