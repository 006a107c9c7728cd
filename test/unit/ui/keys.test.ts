import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpLines } from '../../../src/ui/help/help-lines.ts'
import { KEYS, shownKey } from '../../../src/ui/keys.ts'
import { messageOf, pressesOf } from '../../../src/ui/presses.ts'
import type { ViewName } from '../../../src/ui/state.ts'
import { createTheme } from '../../../src/ui/theme.ts'

const VIEWS = Object.keys(KEYS) as ViewName[]
const free = { prompt: undefined }

function messagesOf(
  state: Parameters<typeof messageOf>[0],
  input: string,
  key: Parameters<typeof pressesOf>[1],
) {
  return pressesOf(input, key).flatMap((press) => messageOf(state, press) ?? [])
}

test('no key means two things in one view', () => {
  for (const view of VIEWS) {
    const keys = KEYS[view].flatMap((binding) => binding.keys)
    assert.deepEqual(keys, [...new Set(keys)], view)
  }
})

test('the help lists every key of every view, those of the open view first', () => {
  const theme = createTheme({ color: false, unicode: true })
  for (const view of VIEWS) {
    const text = helpLines(view, theme, 80)
      .join('\n')
      .replaceAll(/\x1b\[\d+m/g, '')
    for (const { keys, help } of VIEWS.flatMap((name) => KEYS[name])) {
      const line = text.split('\n').find((candidate) => candidate.includes(help.slice(0, 40)))
      assert.ok(line !== undefined, help)
      for (const key of keys) assert.ok(text.includes(shownKey(key)), key)
    }
  }
  assert.match(helpLines('coverage', theme, 80)[0] ?? '', /Coverage/)
})

test('quitting and help work in every view', () => {
  for (const view of VIEWS) {
    assert.deepEqual(messagesOf({ ...free, view }, 'q', {}), [{ type: 'quit', interrupted: false }])
    assert.deepEqual(messagesOf({ ...free, view }, 'c', { ctrl: true }), [
      { type: 'quit', interrupted: true },
    ])
    assert.deepEqual(messagesOf({ ...free, view }, '?', {}), [{ type: 'open-help' }])
  }
})

test('keys typed faster than the screen is drawn all count', () => {
  const moves = messagesOf({ ...free, view: 'events' }, 'jjk \r\x7f\x03', {})
  assert.deepEqual(
    moves.map(({ type }) => type),
    ['move', 'move', 'move', 'toggle-mark', 'open-detail', 'back', 'quit'],
  )
})

test('while a line is typed, letters are letters', () => {
  const prompt = {
    kind: 'filter',
    line: { text: '', caret: 0 },
    failure: undefined,
    cycle: undefined,
    earlier: [],
    recalled: -1,
  } as const
  const state = { view: 'events', prompt } as const
  assert.deepEqual(messagesOf(state, 'q', {}), [{ type: 'typed', text: 'q' }])
  assert.deepEqual(
    messagesOf(state, 'qé👩 \r', {}),
    ['q', 'é', '👩', ' '].map((text) => ({ type: 'typed', text })).concat([{ type: 'enter' } as never]),
  )
  assert.deepEqual(messagesOf(state, '', { escape: true }), [{ type: 'back' }])
  assert.deepEqual(messagesOf(state, 'c', { ctrl: true }), [{ type: 'back' }])
  assert.deepEqual(messagesOf(state, '', { tab: true, shift: true }), [{ type: 'complete', by: -1 }])
  assert.deepEqual(messagesOf(state, 'x', { ctrl: true }), [])
})

test('only y sends', () => {
  const sends = KEYS.backfill
    .filter(({ message }) => message.type === 'answer' && message.yes)
    .flatMap(({ keys }) => keys)
  assert.deepEqual(sends, ['y'])
})
