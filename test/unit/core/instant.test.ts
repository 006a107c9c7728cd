import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { instantOf, instantOfText } from '../../../src/core/instant.ts'
import { seededRandom } from '../../support/json-fuzz.ts'

const read = (text: string) => {
  const bytes = Buffer.from(`"${text}"`)
  return instantOf(bytes, 1, bytes.length - 1)
}

const SPELLINGS: [text: string, iso: string][] = [
  ['2026-11-20T12:45:41.528Z', '2026-11-20T12:45:41.528Z'],
  ['2026-11-20T12:45:41Z', '2026-11-20T12:45:41.000Z'],
  ['2026-11-20T12:45:41.5Z', '2026-11-20T12:45:41.500Z'],
  ['2026-11-20T12:45:41.05Z', '2026-11-20T12:45:41.050Z'],
  ['2026-11-20T12:45:41.528999Z', '2026-11-20T12:45:41.528Z'],
  ['2026-11-20T12:45:41.9999999999Z', '2026-11-20T12:45:41.999Z'],
  ['2024-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
  ['2026-11-20T14:45:41.528999+02:00', '2026-11-20T12:45:41.528Z'],
  ['2026-11-20T14:45:41+0200', '2026-11-20T12:45:41.000Z'],
  ['2026-11-20 12:45:41.528', '2026-11-20T12:45:41.528Z'],
  ['2026-11-20T12:45:41', '2026-11-20T12:45:41.000Z'],
  ['2026-11-20T12:45Z', '2026-11-20T12:45:00.000Z'],
]

describe('instantOf()', () => {
  for (const [text, iso] of SPELLINGS) {
    test(`reads ${text}, rounded down`, () => {
      assert.equal(new Date(read(text)).toISOString(), iso)
      assert.equal(instantOfText(text), Date.parse(iso))
    })
  }

  for (const text of [
    '',
    'yesterday',
    '2026-02-30T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-11-00T00:00:00.000Z',
    '2026-11-20T24:30:00.000Z',
    '2026-11-20T12:60:00.000Z',
    '2026-11-20T12:00:61.000Z',
    '2026-11-20T12:00:0x.000Z',
    '2026/11/20T12:00:00.000Z',
    '2026-11-20T12.00.00.000Z',
    '2026-11-20T12:00:00.5x8Z',
    '2026-11-20T12:00:00.Z',
    '2026-11-20T12:00:00,528Z',
  ]) {
    test(`throws a RangeError for ${JSON.stringify(text)}`, () => {
      assert.throws(() => read(text), RangeError)
    })
  }

  test('agrees with Date for any time, in any order (fuzzed)', () => {
    const random = seededRandom(8)
    for (let round = 0; round < 2000; round += 1) {
      const ms = Math.floor(random() * 4e12) - 1e12
      assert.equal(read(new Date(ms).toISOString()), ms)
    }
  })
})
