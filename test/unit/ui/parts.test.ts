import assert from 'node:assert/strict'
import { test } from 'node:test'
import { displayWidth } from '../../../src/core/display-width.ts'
import { FILTER_NAMES } from '../../../src/core/filter.ts'
import { prettyJson } from '../../../src/ui/detail/pretty-json.ts'
import { wrapLine } from '../../../src/ui/detail/reducer.ts'
import {
  barLevels,
  columnOf,
  endOfColumn,
  nextColumn,
  resample,
  shifted,
  zoomed,
} from '../../../src/ui/events/histogram.ts'
import { completionsOf, filterTextOf, parseFilterText } from '../../../src/ui/filter-line/filter-text.ts'
import { editLine, lineOf } from '../../../src/ui/filter-line/line-editor.ts'
import { promptState, reducePrompt } from '../../../src/ui/filter-line/reducer.ts'
import { createTheme, isUtf8 } from '../../../src/ui/theme.ts'
import { crossesDays, timeText, windowText } from '../../../src/ui/words.ts'

const VOCABULARY = {
  filterNames: FILTER_NAMES,
  types: ['get-secret', 'get-secrets', 'delete-secret'],
  actors: ['ada', 'Grace Hopper'],
}

test('a filter line and its filter say the same', () => {
  const lines = [
    '',
    'event:get-secret',
    'event:get-secret,delete-secret actor:ada@acme.example',
    'path:/payments event.metadata.environment=prod a.b~^x.*y$',
    '"actor:Grace Hopper" a.b!=c a>5',
  ]
  for (const line of lines) assert.equal(filterTextOf(parseFilterText(line)), line)
  assert.deepEqual(parseFilterText('get-secret').events, ['get-secret'], 'a bare word is an event type')
  assert.deepEqual(parseFilterText('actor:"Grace Hopper"').fields, { actor: 'Grace Hopper' })
})

test('a filter line that is none is refused with what to write', () => {
  for (const line of ['actor:', 'a~(', '(((']) {
    assert.throws(
      () => parseFilterText(line),
      (error: Error & { hint?: string }) => typeof error.hint === 'string',
      line,
    )
  }
})

test('completion offers filters, event types in a list, and actors, quoted where they have blanks', () => {
  const words = (text: string) => completionsOf(text, text.length, VOCABULARY)
  assert.ok(words('ac').words.includes('actor:'))
  assert.ok(words('delete').words.includes('event:delete-secret'))
  assert.deepEqual(words('event:get').words, ['get-secret', 'get-secrets'])
  assert.deepEqual(words('event:get-secret,del'), { from: 17, words: ['delete-secret'] })
  assert.deepEqual(words('actor:gr').words, ['"actor:Grace Hopper"'])
  assert.deepEqual(words('path:/x').words, [])
})

test('Tab goes through the completions and back to the first; what is typed then goes on from there', () => {
  let prompt = promptState('filter', 'event:get')
  const seen: string[] = []
  for (let i = 0; i < 3; i += 1) {
    prompt = reducePrompt(prompt, { type: 'complete', by: 1 }, VOCABULARY)
    seen.push(prompt.line.text)
  }
  assert.deepEqual(seen, ['event:get-secret', 'event:get-secrets', 'event:get-secret'])
  prompt = reducePrompt(prompt, { type: 'typed', text: ' a=b' }, VOCABULARY)
  assert.equal(prompt.line.text, 'event:get-secret a=b')
  assert.equal(
    reducePrompt(promptState('filter', 'event:del'), { type: 'complete', by: 1 }, VOCABULARY).line.text,
    'event:delete-secret ',
  )
})

test('earlier filters come back with Up, newest first, and go with Down', () => {
  let prompt = promptState('filter', '', ['one', 'two'])
  const recall = (by: -1 | 1): string => {
    prompt = reducePrompt(prompt, { type: 'recall', by }, VOCABULARY)
    return prompt.line.text
  }
  assert.deepEqual(
    [recall(-1), recall(-1), recall(-1), recall(1), recall(1)],
    ['two', 'one', 'one', 'two', ''],
  )
})

test('the line editor moves and erases whole characters, and keeps controls out', () => {
  const family = '👩‍👩‍👧'
  const line = lineOf(`a${family}b`)
  const left = editLine(editLine(line, { type: 'caret', to: 'left' }), { type: 'erase', what: 'character' })
  assert.deepEqual(left, { text: 'ab', caret: 1 })
  assert.equal(editLine(lineOf('one two '), { type: 'erase', what: 'word' }).text, 'one ')
  assert.equal(editLine(lineOf(''), { type: 'typed', text: 'a\u001b[2J\nb\u009bc' }).text, 'a [2J b c')
})

test('prettyJson changes nothing but blanks outside strings', () => {
  const cases = [
    '{"id":12345678901234567890,"a":1.0,"a":1e5}',
    '{"empty":{},"list":[],"deep":[[1,{"x":[true,null]}]]}',
    '{"text":"a \\"quoted\\" { [ , : ] } \\\\","umlaut":"ä\\u00e4"}',
    '"alone"',
    '[]',
  ]
  for (const text of cases) {
    const lines = prettyJson(text)
    const bare = lines
      .map((line) => line.trim())
      .join('')
      .replaceAll('": ', '":')
    assert.equal(bare, text)
  }
  assert.deepEqual(prettyJson('{"a":{"b":1},"c":[]}'), [
    '{',
    '  "a": {',
    '    "b": 1',
    '  },',
    '  "c": []',
    '}',
  ])
})

test('a wrapped line loses nothing and never exceeds its columns', () => {
  const line = '    "text": "日本語のテキスト and 👩‍👩‍👧 and a very long tail of plain words"'
  for (const columns of [7, 20, 33, 200]) {
    const rows = wrapLine(line, columns)
    for (const row of rows) assert.ok(displayWidth(row) <= columns, `${columns}: ${row}`)
    assert.equal(
      rows
        .map((row, i) => (i === 0 ? row : row.trimStart()))
        .join('')
        .replaceAll(' ', ''),
      line.replaceAll(' ', ''),
    )
  }
})

test('a histogram of another width holds as many events', () => {
  const cells = Float64Array.from({ length: 720 }, (_, i) => (i % 7 === 0 ? i : 0))
  const total = cells.reduce((sum, count) => sum + count, 0)
  for (const columns of [1, 20, 79, 80, 200, 720, 1000]) {
    const sum = resample(cells, columns).reduce((all, count) => all + count, 0)
    assert.ok(Math.abs(sum - total) < 1e-6, `${columns}`)
  }
})

test('one event among thousands still has a bar', () => {
  const [top, low] = barLevels(Float64Array.from([5000, 1, 0]), 2, 8)
  assert.deepEqual(
    [top, low],
    [
      [8, 0, 0],
      [8, 1, 0],
    ],
  )
})

test('columns and instants answer each other', () => {
  const window = { from: 1000, to: 81_000 }
  for (let column = 0; column < 80; column += 1) {
    assert.equal(columnOf(endOfColumn(column, window, 80) - 1, window, 80), column)
  }
})

test('the next bar skips empty ones, and goes into what is not counted yet', () => {
  const window = { from: 0, to: 720 }
  const cells = new Float64Array(720)
  cells[700] = 1
  cells[100] = 1
  const counted = (countedFrom: number, isWhole: boolean) => ({
    window,
    isWhole,
    step: { cells, total: 2, countedFrom, types: [], actors: [] },
  })
  assert.equal(nextColumn(counted(0, true), 72, 70, -1), 10)
  assert.equal(nextColumn(counted(0, true), 72, 70, 1), undefined)
  assert.equal(nextColumn(counted(400, false), 72, 70, -1), 40)
})

test('windows never reach beyond now', () => {
  assert.deepEqual(zoomed({ from: 0, to: 100_000 }, 50_000, 0.5, 100_000), { from: 25_000, to: 75_000 })
  assert.deepEqual(zoomed({ from: 0, to: 100_000 }, 100_000, 2, 100_000), { from: -100_000, to: 100_000 })
  assert.deepEqual(shifted({ from: 0, to: 100 }, 1, 120), { from: 20, to: 120 })
})

test('no text from outside can move the cursor, in either theme', () => {
  const hostile = 'a\u001b[2J\u001b]0;x\u0007\r\n\t\u009b31m\u202e\u2066\u200bb\ud800'
  for (const unicode of [true, false]) {
    const theme = createTheme({ color: true, unicode })
    for (const text of [theme.safe(hostile), theme.cell(hostile, 30), theme.cell(hostile, 3)]) {
      assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u)
    }
    assert.equal(displayWidth(theme.cell(hostile, 30)), 30)
  }
})

test('without UTF-8 nothing beyond ASCII is written: its bytes could be controls there', () => {
  const theme = createTheme({ color: true, unicode: false })
  const text =
    theme.cell('Zoë 日本 — ✓ ›', 10) + theme.cut('naïve…', 4) + Object.values(theme.glyphs).flat().join('')
  assert.match(text, /^[\x20-\x7e]+$/)
  assert.deepEqual(
    [{ LANG: 'C' }, { LANG: 'en_US.UTF-8' }, { LC_ALL: 'POSIX', LANG: 'de_DE.utf8' }, {}].map(isUtf8),
    [false, true, false, true],
  )
})

test('without colour only what shows the place stays', () => {
  const theme = createTheme({ color: false, unicode: true })
  for (const tone of [
    'good',
    'bad',
    'note',
    'key',
    'create',
    'update',
    'delete',
    'read',
    'login',
    'other',
  ] as const)
    assert.equal(theme.paint(tone, 'x'), 'x')
  assert.equal(theme.paint('selected', 'x'), '\x1b[7mx\x1b[27m')
})

test('times fit the width they are given, in the zone they are asked in', () => {
  const ms = Date.parse('2026-11-20T23:30:05.042Z')
  assert.equal(timeText(ms, 'UTC', { width: 12, withDate: false }), '23:30:05.042')
  assert.equal(timeText(ms, 'Europe/Berlin', { width: 19, withDate: true }), '2026-11-21 00:30:05')
  assert.equal(timeText(ms, 'UTC', { width: 14, withDate: true }), '11-20 23:30:05')
  assert.equal(timeText(ms, 'UTC', { width: 5, withDate: true }), '23:30')
  const window = { from: ms - 3_600_000, to: ms }
  assert.equal(crossesDays(window, 'UTC'), false)
  assert.equal(crossesDays(window, 'Europe/Berlin'), true)
  for (let width = 0; width < 60; width += 1) assert.ok(windowText(window, 'UTC', width).length <= width)
})
