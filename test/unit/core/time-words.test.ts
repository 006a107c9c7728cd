import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import { parseInstant, parsePeriod } from '../../../src/core/time-words.ts'

const now = Date.parse('2026-11-20T15:04:05.678Z') // a Friday
const utc = { now, zone: 'UTC' }
const iso = (ms: number): string => new Date(ms).toISOString()

const instants: readonly (readonly [text: string, expected: string, zone?: string])[] = [
  ['now', '2026-11-20T15:04:05.678Z'],
  ['today', '2026-11-20T00:00:00.000Z'],
  ['yesterday', '2026-11-19T00:00:00.000Z'],
  ['90s', '2026-11-20T15:02:35.678Z'],
  ['24h', '2026-11-19T15:04:05.678Z'],
  ['2w', '2026-11-06T15:04:05.678Z'],
  ['2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['2026-11-01', '2026-10-31T23:00:00.000Z', 'Europe/Berlin'],
  ['02:10', '2026-11-20T02:10:00.000Z'],
  ['02:10:30', '2026-11-20T07:10:30.000Z', 'America/New_York'],
  ['1795186360', '2026-11-20T14:52:40.000Z'],
  ['1795186360123', '2026-11-20T14:52:40.123Z'],
  ['2026-11-20T02:10:00Z', '2026-11-20T02:10:00.000Z'],
  ['2026-11-20T02:10Z', '2026-11-20T02:10:00.000Z'],
  ['2026-11-20T02:10:00.1239+02:00', '2026-11-20T00:10:00.123Z'],
  ['2026-11-20 02:10:00+0530', '2026-11-19T20:40:00.000Z'],
]
for (const [text, expected, zone = 'UTC'] of instants) {
  test(`parseInstant() reads ${text} in ${zone}`, () => {
    assert.equal(iso(parseInstant(text, '--from', { now, zone })), expected)
  })
}

for (const text of ['2026-11-20T02:10:00', '2026-11-20 02:10']) {
  test(`parseInstant() refuses ${text}, which has no zone, and says how to write it`, () => {
    assert.throws(
      () => parseInstant(text, '--from', utc),
      (error) =>
        error instanceof UserError &&
        /no time zone/.test(error.message) &&
        /Z for UTC/.test(error.hint ?? ''),
    )
  })
}

for (const text of [
  '',
  'soon',
  '2026-13-01',
  '2026-02-30',
  '25:00',
  '2026-11-20T25:00:00Z',
  '5 minutes',
  '-1h',
  '99',
]) {
  test(`parseInstant() refuses ${JSON.stringify(text)} and names the flag`, () => {
    assert.throws(
      () => parseInstant(text, '--to', utc),
      (error) => error instanceof UserError && error.message.includes('--to'),
    )
  })
}

const periods: readonly (readonly [text: string, from: string, to: string, zone?: string])[] = [
  ['2026', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['2026-Q3', '2026-07-01T00:00:00.000Z', '2026-10-01T00:00:00.000Z'],
  ['2026-Q4', '2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['2026-09', '2026-09-01T00:00:00.000Z', '2026-10-01T00:00:00.000Z'],
  ['2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['2026-09-30', '2026-09-30T00:00:00.000Z', '2026-10-01T00:00:00.000Z'],
  ['yesterday', '2026-11-19T00:00:00.000Z', '2026-11-20T00:00:00.000Z'],
  ['last-week', '2026-11-09T00:00:00.000Z', '2026-11-16T00:00:00.000Z'],
  ['last-month', '2026-10-01T00:00:00.000Z', '2026-11-01T00:00:00.000Z'],
  // The clocks of Berlin go back on 25 October: that day has 25 hours.
  ['2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z', 'Europe/Berlin'],
  // And forward on 29 March: that day has 23.
  ['2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z', 'Europe/Berlin'],
]
for (const [text, from, to, zone = 'UTC'] of periods) {
  test(`parsePeriod() reads ${text} in ${zone}`, () => {
    const range = parsePeriod(text, { now, zone })
    assert.deepEqual([iso(range.from), iso(range.to)], [from, to])
  })
}

for (const text of ['2026-Q5', '2026-13', '2026-02-30', 'next-week', '']) {
  test(`parsePeriod() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parsePeriod(text, utc), UserError)
  })
}

test('parseInstant() refuses a zone that does not exist', () => {
  assert.throws(() => parseInstant('2026-11-01', '--from', { now, zone: 'Mars/Olympus' }), /not a time zone/)
})

test('a clock time that the change of clocks skips lies after the change, one that comes twice is the first', () => {
  const spring = { now: Date.parse('2026-03-29T12:00:00Z'), zone: 'Europe/Berlin' }
  assert.equal(iso(parseInstant('02:30', '--from', spring)), '2026-03-29T01:30:00.000Z')
  const autumn = { now: Date.parse('2026-10-25T12:00:00Z'), zone: 'Europe/Berlin' }
  assert.equal(iso(parseInstant('02:30', '--from', autumn)), '2026-10-25T00:30:00.000Z')
})
