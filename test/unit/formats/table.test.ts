import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { displayWidth } from '../../../src/core/display-width.ts'
import { type TableColumn, tableLines } from '../../../src/formats/table.ts'
import { pick, seededRandom } from '../../support/json-fuzz.ts'

const COLUMNS: TableColumn[] = [
  { title: 'TIME' },
  { title: 'ACTION', isAction: true },
  { title: 'ACTOR' },
  { title: 'COUNT', align: 'right' },
]
const ROWS = [
  ['2026-11-20T12:45:41Z', 'create-secret', 'ci-runner', '7'],
  ['2026-11-20T12:45:42Z', 'delete-folder', '日本語の名前', '12345'],
]
const withoutColor = (line: string) => line.replaceAll(/\x1b\[\d+m/g, '')

describe('tableLines()', () => {
  test('is as wide as its cells where there is room', () => {
    assert.deepEqual(tableLines(COLUMNS, ROWS, { width: 80 }), [
      'TIME                  ACTION         ACTOR         COUNT',
      '2026-11-20T12:45:41Z  create-secret  ci-runner         7',
      '2026-11-20T12:45:42Z  delete-folder  日本語の名前  12345',
    ])
  })

  test('shortens the widest columns first', () => {
    assert.deepEqual(tableLines(COLUMNS, ROWS, { width: 40 }), [
      'TIME        ACTION      ACTOR      COUNT',
      '2026-11-2…  create-se…  ci-runner      7',
      '2026-11-2…  delete-fo…  日本語の…  12345',
    ])
  })

  test('cuts times last: half a time tells nothing', () => {
    assert.deepEqual(tableLines(COLUMNS, ROWS, { width: 48 }), [
      'TIME                  ACTION     ACTOR     COUNT',
      '2026-11-20T12:45:41Z  create-s…  ci-runn…      7',
      '2026-11-20T12:45:42Z  delete-f…  日本語…   12345',
    ])
  })

  test('writes each row as a list where the columns have no room side by side', () => {
    assert.deepEqual(
      tableLines(COLUMNS, [...ROWS.slice(0, 1), ['', 'x', '', '']], { width: 20, color: true }),
      ['TIME: 2026-11-20T12…', 'ACTION: create-secr…', 'ACTOR: ci-runner', 'COUNT: 7', '', 'ACTION: x', ''],
    )
  })

  test('never cuts when the width is unknown', () => {
    const lines = tableLines([{ title: 'A' }], [['x'.repeat(500)]], { width: undefined })
    assert.equal(lines[1]?.length, 500)
  })

  test('colours actions by what they do, and cuts before it colours', () => {
    const lines = tableLines(COLUMNS.slice(0, 2), ROWS, { width: 26, color: true })
    assert.deepEqual(lines, [
      '\x1b[1mTIME          ACTION\x1b[0m',
      '2026-11-20T…  \x1b[32mcreate-secr…\x1b[0m',
      '2026-11-20T…  \x1b[31mdelete-fold…\x1b[0m',
    ])
    assert.deepEqual(lines.map(withoutColor), tableLines(COLUMNS.slice(0, 2), ROWS, { width: 26 }))
  })

  test('uses no colour unless asked, and none for an action it does not know', () => {
    const row = [['', 'settings', '', '']]
    assert.doesNotMatch(tableLines(COLUMNS, ROWS, { width: 80 }).join('\n'), /\x1b/)
    assert.doesNotMatch(
      tableLines(COLUMNS, row, { width: 80, color: true, header: false }).join('\n'),
      /\x1b/,
    )
  })

  test('leaves the header out for later pages', () => {
    assert.equal(tableLines(COLUMNS, ROWS, { width: 80, header: false }).length, 2)
    assert.deepEqual(tableLines(COLUMNS, [], { width: 80 }), ['TIME  ACTION  ACTOR  COUNT'])
    assert.deepEqual(tableLines([], [], { width: 80 }), [''])
  })

  test('fills in cells that a row lacks', () => {
    assert.deepEqual(tableLines(COLUMNS.slice(0, 2), [['x']], { width: 80 }), ['TIME  ACTION', 'x'])
  })

  test('fits any width with hostile cells, on one line a row, and lets nothing through to the terminal (fuzzed)', () => {
    const random = seededRandom(99)
    const cells = [
      '',
      'a',
      'x'.repeat(200),
      '日本語'.repeat(20),
      '😀👩‍👩‍👧🇳🇱',
      'a\nb\r\tc',
      '\x1b[2J\x1b[31m',
      '\x9b1m',
      'user\u202egpj.exe',
      'e\u0301\u0301\u0301'.repeat(9),
      '\u200b\ufeff',
      '\ud800',
      'delete-x',
      '\u0301',
    ]
    for (let round = 0; round < 300; round += 1) {
      const width = pick(random, [1, 5, 20, 21, 40, 80, 200])
      const rows = Array.from({ length: 5 }, () =>
        COLUMNS.map(() => pick(random, cells) + pick(random, cells)),
      )
      const titles = COLUMNS.map((column) =>
        random() < 0.1 ? { ...column, title: '題\n名'.repeat(9) } : column,
      )
      const lines = tableLines(titles, rows, { width, color: random() < 0.5 })
      for (const line of lines.map(withoutColor)) {
        assert.ok(displayWidth(line) <= width, `${displayWidth(line)} in ${width}: ${line}`)
        assert.doesNotMatch(line, /[\p{Cc}\u202a-\u202e\u200b\ufeff]/u)
        assert.ok(line.isWellFormed())
      }
    }
  })
})
