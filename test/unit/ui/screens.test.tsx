import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { renderToString } from 'ink'
import { displayWidth } from '../../../src/core/display-width.ts'
import { pageOfHeld } from '../../../src/core/event-page.ts'
import { Screen } from '../../../src/ui/app.tsx'
import type { Message } from '../../../src/ui/messages.ts'
import type { AppState } from '../../../src/ui/state.ts'
import { createTheme } from '../../../src/ui/theme.ts'
import { browserOver } from './browser-trial.ts'
import { fakeOperations, heldEvent } from './fake-operations.ts'

// What each view looks like, as text: UPDATE_CAPTURES=1 writes them anew, and the difference shows in review.
const CAPTURES = join(import.meta.dirname, '../../fixtures/captures/browse')
const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 50 },
]
const SGR = /\x1b\[[0-9;]*m/g

const VIEWS: Readonly<Record<string, readonly Message[]>> = {
  events: [{ type: 'move', by: 2 }, { type: 'toggle-mark' }],
  filter: [{ type: 'open-filter' }, { type: 'typed', text: 'event:sec' }, { type: 'complete', by: 1 }],
  detail: [{ type: 'move', by: 1 }, { type: 'open-detail' }],
  coverage: [{ type: 'open-coverage' }, { type: 'move', by: 1 }],
  gap: [{ type: 'open-coverage' }, { type: 'drill' }],
  plan: [{ type: 'open-coverage' }, { type: 'fill', which: 'all' }],
  proof: [{ type: 'open-coverage' }, { type: 'fill', which: 'all' }, { type: 'answer', yes: true }],
  help: [{ type: 'open-help' }],
}

function drawn(state: AppState, options = { color: false, unicode: true }): readonly string[] {
  const text = renderToString(<Screen state={state} theme={createTheme(options)} />, {
    columns: state.size.columns,
  })
  return text.split('\n')
}

async function stateOf(
  messages: readonly Message[],
  size: AppState['size'],
  operations = fakeOperations(600),
): Promise<AppState> {
  const { store, send } = await browserOver(operations, 600, size)
  await send(...messages)
  return store.state()
}

for (const size of SIZES) {
  for (const [name, messages] of Object.entries(VIEWS)) {
    test(`${name} at ${size.columns}x${size.rows} looks as it was captured`, async () => {
      const lines = drawn(await stateOf(messages, size)).map((line) => line.replaceAll(SGR, '').trimEnd())
      const path = join(CAPTURES, `${name}-${size.columns}x${size.rows}.txt`)
      const text = `${lines.join('\n')}\n`
      if (process.env['UPDATE_CAPTURES'] === '1') {
        mkdirSync(CAPTURES, { recursive: true })
        writeFileSync(path, text)
      }
      assert.ok(existsSync(path), `${path} is there: UPDATE_CAPTURES=1 writes it`)
      assert.equal(text, readFileSync(path, 'utf8'))
    })
  }
}

test('every view fits every terminal: as many rows as it has, none wider than it is', async () => {
  for (const [columns, rows] of [
    [20, 5],
    [20, 10],
    [20, 24],
    [33, 12],
    [60, 3],
    [139, 15],
    [140, 36],
  ] as const) {
    for (const [name, messages] of Object.entries(VIEWS)) {
      const lines = drawn(await stateOf(messages, { columns, rows }))
      assert.ok(lines.length <= rows, `${name} at ${columns}x${rows}: ${lines.length} rows`)
      for (const line of lines) {
        const bare = line.replaceAll(SGR, '')
        assert.ok(displayWidth(bare) <= columns, `${name} at ${columns}x${rows}: ${bare}`)
      }
    }
  }
})

test('a resize keeps the selected event on the screen, whatever the size', async () => {
  const { store, send } = await browserOver(fakeOperations(600), 600)
  await send({ type: 'move', by: 20 })
  for (const [columns, rows] of [
    [20, 4],
    [200, 50],
    [80, 2],
    [1, 1],
    [80, 24],
  ] as const) {
    await send({ type: 'resized', size: { columns, rows } })
    const { selected, top } = store.state().events
    assert.equal(selected, 20)
    assert.ok(selected >= top && selected < top + store.state().layout.list)
  }
})

test('hostile text stands on the screen as text: no escape but our own, no row too many or too wide', async () => {
  const hostile = '\u001b[2J\u001b[H\u001b]0;owned\u0007\r\nx\u009b31m\u202e日本語👩‍👩‍👧'
  const events = Array.from({ length: 30 }, (_, i) =>
    heldEvent(599 - i, {
      action: `${hostile}${i}`,
      actor: hostile.repeat(4),
      target: hostile.repeat(20),
      [hostile]: hostile,
    }),
  )
  const operations = fakeOperations(600, {
    source: `prod${hostile}`,
    page: () => Promise.resolve({ page: pageOfHeld(events), hasMore: false }),
    streams: [{ name: `soc${hostile}`, provider: hostile }],
  })
  for (const messages of [VIEWS['events'], VIEWS['detail'], VIEWS['coverage'], VIEWS['filter']]) {
    for (const unicode of [true, false]) {
      const lines = drawn(await stateOf(messages ?? [], { columns: 100, rows: 30 }, operations), {
        color: true,
        unicode,
      })
      assert.ok(lines.length <= 30)
      for (const line of lines) {
        const bare = line.replaceAll(SGR, '')
        assert.doesNotMatch(bare, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
        assert.ok(displayWidth(bare) <= 100)
        if (!unicode) assert.match(bare, /^[\x20-\x7e]*$/)
      }
    }
  }
})

test('the selected row can be told without colour and without inverse', async () => {
  const lines = drawn(await stateOf([{ type: 'move', by: 2 }], { columns: 80, rows: 24 })).map((line) =>
    line.replaceAll(SGR, ''),
  )
  assert.deepEqual(lines.filter((line) => line.startsWith('›')).length, 1)
})
