import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { render } from 'ink'
import { App } from '../../../src/ui/app.tsx'
import { createTheme } from '../../../src/ui/theme.ts'
import { browserOver } from './browser-trial.ts'
import { fakeOperations, heldPage } from './fake-operations.ts'

const EVENTS = 100_000
const MOST_CPU_MS = 16

test(`a key press over ${EVENTS} loaded events is drawn within ${MOST_CPU_MS} ms of CPU`, async () => {
  const pages = Array.from({ length: 100 }, (_, i) => heldPage(EVENTS - (i + 1) * 1000, EVENTS - i * 1000))
  let given = 0
  const operations = fakeOperations(EVENTS, {
    page: () => {
      const page = pages[given]
      given += 1
      if (page === undefined) throw new Error('there is no more')
      return Promise.resolve({ page, hasMore: given < pages.length })
    },
  })
  const size = { columns: 200, rows: 50 }
  const limits = { events: EVENTS, bytes: Number.MAX_SAFE_INTEGER }
  const { store, send } = await browserOver(operations, EVENTS, size, limits)
  for (const _ of pages) await send({ type: 'move', by: EVENTS })
  assert.equal(store.state().events.loaded.count, EVENTS)
  const stdout = Object.assign(new PassThrough(), { ...size, isTTY: true })
  let bytes = 0
  stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  const theme = createTheme({ color: true, unicode: true })
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => {},
    unref: () => {},
  })
  const ink = render(<App store={store} theme={theme} />, {
    stdout,
    stdin,
    patchConsole: false,
    interactive: true,
    incrementalRendering: true,
    maxFps: 1000,
  })
  const press = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      store.dispatch({
        type: i % 3 === 0 ? 'turn' : 'move',
        ...(i % 3 === 0 ? { pages: -1 } : { by: -1 }),
      } as never)
      await ink.waitUntilRenderFlush()
    }
  }
  await press(60)
  const before = process.cpuUsage()
  bytes = 0
  await press(60)
  const { user, system } = process.cpuUsage(before)
  ink.unmount()
  assert.ok(bytes > 60 * 1000, `each was drawn: ${bytes} bytes`)
  const each = (user + system) / 1000 / 60
  assert.ok(each <= MOST_CPU_MS, `${each.toFixed(1)} ms of CPU each`)
})
