import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokenAt, CUT_OFF, checked, checkJson } from '../../../src/core/json-check.ts'
import { found, scanEvent } from '../../../src/core/json-scan.ts'
import { pick, randomEvent, randomValue, seededRandom } from '../../support/json-fuzz.ts'

const ID = Buffer.from('id')
const TIME = Buffer.from('createdAt')

/** The text with a byte behind it, as the records of a file have. */
function check(text: string): number {
  const bytes = Buffer.from(`${text}\n`)
  return checkJson(bytes, 0, bytes.length - 1, ID, TIME)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('checkJson() agrees with JSON.parse on random values', () => {
  const random = seededRandom(1)
  for (let n = 0; n < 20_000; n += 1) {
    const text = randomValue(random, 4, random() < 0.3 ? pick(random, [' ', '\n', '\t\r\n']) : '')
    assert.equal(check(text), Buffer.byteLength(text), text)
  }
})

test('checkJson() agrees with JSON.parse on values with a byte changed, removed or added', () => {
  const random = seededRandom(2)
  const bytes = '"\\{}[],:0123456789.eE+-tfnu \n\r\t\0\u0001x'
  let broken = 0
  for (let n = 0; n < 60_000; n += 1) {
    const text = randomValue(random, 2).replaceAll(/[^\x20-\x7e]/g, 'u')
    const at = Math.floor(random() * (text.length + 1))
    const kind = random()
    const middle = kind < 0.3 ? '' : pick(random, [...bytes])
    const changed = `${text.slice(0, at)}${middle}${text.slice(kind < 0.6 ? at + 1 : at)}`.trim()
    const isWhole = check(changed) === changed.length && changed !== ''
    if (isWhole !== isJson(changed)) assert.fail(`${JSON.stringify(changed)}: ${check(changed)}`)
    if (!isWhole) broken += 1
  }
  assert.ok(broken > 10_000, 'the fuzz must break things')
})

test('checkJson() says of every value cut short that it is cut off, never that it is broken', () => {
  const random = seededRandom(3)
  for (let n = 0; n < 2000; n += 1) {
    const text = randomEvent(random)
    const bytes = Buffer.from(text)
    for (let limit = 1; limit < bytes.length; limit += 1 + Math.floor(random() * 9)) {
      assert.equal(checkJson(bytes, 0, limit, ID, TIME), CUT_OFF, text.slice(0, limit))
    }
  }
})

test('checkJson() finds the same id and time as the scanner that does not prove the inside', () => {
  const random = seededRandom(4)
  for (let n = 0; n < 20_000; n += 1) {
    const text = randomEvent(random)
    const bytes = Buffer.from(`${text}\n`)
    assert.equal(checkJson(bytes, 0, bytes.length - 1, ID, TIME), bytes.length - 1, text)
    scanEvent(bytes, 0, bytes.length - 1, ID, TIME)
    assert.deepEqual({ ...checked }, { ...found }, text)
  }
})

test('brokenAt() tells the place of the error', () => {
  for (const [text, place] of [
    ['{"a":1,}', 7],
    ['{"a" 1}', 5],
    ['[1 2]', 3],
    ['{"a":"\u0001"}', 6],
    ['{"a":"\\x"}', 6],
    ['{"a":tru}', 8],
    ['[01]', 2],
    ['}', 0],
    ['{1:2}', 1],
  ] as const) {
    assert.equal(brokenAt(check(text)), place, text)
  }
  assert.equal(brokenAt(check('{"a":')), undefined)
})

test('checkJson() refuses nesting that would overflow its stack, at the place', () => {
  assert.equal(check('['.repeat(2000) + ']'.repeat(2000)), 4000)
  assert.equal(brokenAt(check('['.repeat(2001) + ']'.repeat(2001))), 2000)
})
