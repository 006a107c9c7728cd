import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coverageMap } from '../../../src/cli/coverage-map.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'

const FROM = Date.parse('2026-11-20T02:00:00.000Z')
const WINDOW = { from: FROM, to: FROM + HOUR_MS }
const linesOf = (text: string): readonly string[] => text.trimEnd().split('\n')

test('a hole stands under the events it took, and what is held is drawn above it', () => {
  const map = coverageMap(WINDOW, 40)
  for (let minute = 0; minute < 60; minute += 1)
    for (let n = 0; n < 8; n += 1) map.addEvent(FROM + minute * MINUTE_MS, !(minute >= 20 && minute < 30))
  assert.deepEqual(linesOf(map.draw({ color: false })), [
    'source  |###############=##############=',
    'siem    |##########     =##############=',
    'missing |          ^^^^^',
    '        |11-20 02:00        11-20 03:00Z',
  ])
})

function drawn(map: ReturnType<typeof coverageMap>, line: number): string {
  return linesOf(map.draw({ color: false }))[line] ?? ''
}

test('one missing event among many is a mark, however dense its cell', () => {
  const map = coverageMap(WINDOW, 80)
  for (let n = 0; n < 10_000; n += 1) map.addEvent(FROM + HOUR_MS / 2, n !== 7)
  const lines = linesOf(map.draw({ color: false }))
  assert.equal(lines[2]?.indexOf('^'), 9 + 35)
  assert.equal([...(lines[2] ?? '')].filter((mark) => mark === '^').length, 1)
})

test('no line is wider than the terminal, and four cells stay where it is narrower still', () => {
  for (const [columns, cells] of [
    [20, 11],
    [80, 71],
    [400, 151],
    [5, 4],
    [0, 4],
  ] as const) {
    const map = coverageMap(WINDOW, columns)
    map.addEvent(FROM, false)
    map.addEvent(WINDOW.to - 1, false)
    for (const line of linesOf(map.draw({ color: false }))) assert.ok(line.length <= 9 + cells, line)
    assert.equal(drawn(map, 2), `missing |^${' '.repeat(cells - 2)}^`)
  }
})

test('events outside the window stay at its edges', () => {
  const map = coverageMap(WINDOW, 20)
  map.addEvent(FROM - DAY_MS, false)
  map.addEvent(WINDOW.to + DAY_MS, true)
  assert.equal(drawn(map, 0), `source  |#${' '.repeat(9)}#`)
})

test('a slice is spread over the cells it covers: a quick look by counts draws too', () => {
  const map = coverageMap(WINDOW, 20)
  map.add({ from: FROM, to: FROM + HOUR_MS / 2 }, 60, 60)
  map.add({ from: FROM + HOUR_MS / 2, to: WINDOW.to }, 60, 0)
  assert.match(drawn(map, 1), /^siem {4}\|[^ ]{5,6}$/)
  assert.match(drawn(map, 2), /^missing \| {5}\^{6}$/)
})

test('an empty window and one without holes say so', () => {
  assert.equal(drawn(coverageMap(WINDOW, 40), 2), '        |no holes')
  assert.equal(drawn(coverageMap({ from: FROM, to: FROM }, 40), 2), '        |no holes')
})

test('colour marks, and nothing depends on it', () => {
  const map = coverageMap(WINDOW, 40)
  map.addEvent(FROM, false)
  const [plain, painted] = [map.draw({ color: false }), map.draw({ color: true })]
  assert.notEqual(plain, painted)
  assert.equal(painted.replace(/\u001b\[\d+m/g, ''), plain)
  assert.ok(!plain.includes('\u001b'))
})

test('a long window is scaled by dates', () => {
  const long = { from: FROM, to: FROM + 30 * DAY_MS }
  assert.equal(drawn(coverageMap(long, 60), 3), `        |2026-11-20${'2026-12-20'.padStart(41)}`)
})
