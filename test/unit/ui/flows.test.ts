import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackfillRequest } from '../../../src/core/browser.ts'
import { UserError } from '../../../src/core/errors.ts'
import { pageOfHeld } from '../../../src/core/event-page.ts'
import { eventAt } from '../../../src/ui/events/loaded.ts'
import { browserOver, settled } from './browser-trial.ts'
import { fakeOperations, GAP_REPORT, heldEvent, START_MS } from './fake-operations.ts'

test('opening reads the newest events, then counts the window', async () => {
  const { store } = await browserOver(fakeOperations(600), 600)
  const { events, counts } = store.state()
  assert.equal(events.loaded.count, 600)
  assert.equal(counts.step?.total, 600)
  assert.equal(counts.isWhole, true)
})

test('a filter that is typed is applied; one that is refused stays in the line, with the reason', async () => {
  const operations = fakeOperations(600, {
    resolveFilter(filter) {
      if (filter.fields.path !== undefined)
        throw new UserError('--path means nothing for the source prod', { hint: 'x' })
      return filter
    },
  })
  const { store, send } = await browserOver(operations, 600)
  await send({ type: 'open-filter' }, { type: 'typed', text: 'path:/x' }, { type: 'enter' })
  assert.equal(store.state().prompt?.failure?.message, '--path means nothing for the source prod')
  await send({ type: 'erase', what: 'line' }, { type: 'typed', text: 'event:get-secret' }, { type: 'enter' })
  assert.equal(store.state().prompt, undefined)
  assert.deepEqual(store.state().events.query.filter.events, ['get-secret'])
  await send({ type: 'back' })
  assert.deepEqual(store.state().events.query.filter.events, [], 'Esc takes it away again')
})

test('marked events are exported in order of time, also when their page has gone', async () => {
  let written: readonly string[] = []
  const operations = fakeOperations(5000, {
    exportEvents: (events, path) => {
      written = events.map(({ id }) => id)
      return Promise.resolve(path)
    },
  })
  const { store, send } = await browserOver(operations, 5000)
  await send(
    { type: 'toggle-mark' },
    { type: 'move', by: 5 },
    { type: 'toggle-mark' },
    { type: 'oldest' },
    { type: 'toggle-mark' },
  )
  assert.equal(store.state().marks.size, 3)
  await send({ type: 'open-export' }, { type: 'enter' })
  assert.deepEqual(
    written,
    [0, 4993, 4999].map((n) => heldEvent(n).id),
  )
  assert.match(store.state().notice?.text ?? '', /^3 events written to events-.*\.jsonl$/)
})

test('an export that cannot be written says so and keeps the name to be changed', async () => {
  const exportEvents = () =>
    Promise.reject(new UserError('x.jsonl is there already', { hint: 'name another file' }))
  const { store, send } = await browserOver(fakeOperations(10, { exportEvents }), 10)
  await send({ type: 'open-export' }, { type: 'enter' })
  assert.deepEqual(store.state().prompt?.failure, {
    message: 'x.jsonl is there already',
    hint: 'name another file',
  })
})

test('the pane of an event follows to its neighbours and goes through the shapes', async () => {
  const { store, send } = await browserOver(fakeOperations(600), 600)
  await send({ type: 'open-detail' })
  assert.equal(store.state().detail.event?.id, heldEvent(599).id)
  await send({ type: 'neighbour', by: 1 }, { type: 'next-shape' })
  assert.equal(store.state().detail.event?.id, heldEvent(598).id)
  assert.equal(store.state().detail.shape, 'stream')
  await send({ type: 'back' })
  assert.equal(store.state().view, 'events')
})

test('a hole is opened from the coverage and left again', async () => {
  const { store, send } = await browserOver(fakeOperations(600), 600)
  const before = store.state().events.query
  await send({ type: 'open-coverage' }, { type: 'move', by: 1 }, { type: 'drill' })
  const { events, view } = store.state()
  assert.equal(view, 'events')
  assert.deepEqual(events.query.window, {
    from: Date.parse(GAP_REPORT.gaps[1]?.from ?? ''),
    to: Date.parse(GAP_REPORT.gaps[1]?.to ?? ''),
  })
  assert.equal(events.loaded.count, 20)
  await send({ type: 'back' })
  assert.equal(store.state().view, 'coverage')
  assert.deepEqual(store.state().events.query, before)
})

test('a backfill asks with its plan, sends only on yes, and the comparison made again proves it', async () => {
  const { store, send } = await browserOver(fakeOperations(600), 600)
  await send({ type: 'open-coverage' }, { type: 'fill', which: 'all' })
  assert.equal(store.state().backfill?.phase, 'asking')
  assert.equal(store.state().backfill?.question?.plan.events, 60)
  await send({ type: 'answer', yes: true })
  assert.equal(store.state().backfill?.phase, 'done')
  assert.equal(store.state().backfill?.outcome?.report.verified, true)
  assert.equal(store.state().coverage?.coverage?.report.missing, 0)
  await send({ type: 'fill', which: 'all' }, { type: 'back' })
  assert.equal(store.state().view, 'coverage')
})

test('a backfill that is answered with no, or with Esc, sends nothing', async () => {
  for (const answer of [{ type: 'answer', yes: false }, { type: 'back' }] as const) {
    const { store, send } = await browserOver(fakeOperations(600), 600)
    await send({ type: 'open-coverage' }, { type: 'fill', which: 'all' }, answer)
    assert.equal(store.state().backfill?.phase, 'failed')
    assert.equal(store.state().backfill?.failure?.message, 'not confirmed; nothing was sent')
    assert.equal(store.state().coverage?.coverage?.report.missing, 60)
  }
})

test('only a gap beside held events is called a known hole: the fuse guards everything else', async () => {
  for (const [which, heldEvents, isKnownHole] of [
    ['all', 540, false],
    ['selected', 540, true],
    ['selected', 0, false],
  ] as const) {
    const asked: BackfillRequest[] = []
    const operations = fakeOperations(600, {
      compare: (_, query) =>
        Promise.resolve({
          stream: 'soc',
          query,
          recorded: new Float64Array(9),
          held: new Float64Array(9),
          report: { ...GAP_REPORT, heldEvents },
        }),
      backfill(request) {
        asked.push(request)
        return new Promise(() => {})
      },
    })
    const { send } = await browserOver(operations, 600)
    await send({ type: 'open-coverage' }, { type: 'fill', which })
    assert.deepEqual(
      asked.map((request) => request.isKnownHole),
      [isKnownHole],
    )
    assert.equal(asked[0]?.query.window.to, which === 'all' ? START_MS + 600_000 : START_MS + 160_000)
  }
})

test('q while events are being sent stops the backfill first; quitting waits for it to end', async () => {
  let hasEnded = false
  const operations = fakeOperations(600, {
    async backfill(_, { signal, confirm }) {
      await confirm({
        plan: {
          events: 1,
          batches: 1,
          bytes: 1,
          rejected: 0,
          late: 0,
          oldest: null,
          newest: null,
          estimatedSeconds: 1,
          sourceRequests: 1,
          inventoryQueries: 1,
        },
        doubts: [],
      })
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await settled()
      hasEnded = true
      throw signal.reason
    },
  })
  const { store, send, quits, stop } = await browserOver(operations, 600)
  await send({ type: 'open-coverage' }, { type: 'fill', which: 'all' }, { type: 'answer', yes: true })
  store.dispatch({ type: 'quit', interrupted: false })
  assert.deepEqual(quits, [])
  assert.equal(store.state().backfill?.phase, 'stopping')
  store.dispatch({ type: 'quit', interrupted: false })
  assert.deepEqual(quits, [false])
  await stop()
  assert.equal(hasEnded, true)
})

test('following shows what arrives, and stops when told to', async () => {
  let stopped = false
  const operations = fakeOperations(100, {
    async *follow(_, signal) {
      yield pageOfHeld([heldEvent(100)])
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      stopped = true
    },
  })
  const { store, send } = await browserOver(operations, 100)
  await send({ type: 'toggle-follow' })
  assert.equal(store.state().events.isFollowing, true)
  assert.equal(eventAt(store.state().events.loaded, 0)?.id, heldEvent(100).id)
  await send({ type: 'toggle-follow' })
  assert.equal(store.state().events.isFollowing, false)
  assert.equal(stopped, true)
})

test('a source that goes away leaves what was read, and says how to go on', async () => {
  let isGone = false
  const whole = fakeOperations(600)
  const operations = {
    ...whole,
    page: (...asked: Parameters<typeof whole.page>) =>
      isGone ? Promise.reject(new Error('connection refused')) : whole.page(...asked),
  }
  const { store, send } = await browserOver(operations, 600)
  isGone = true
  await send({ type: 'shift', by: -1 })
  assert.equal(store.state().events.failure?.message, 'connection refused')
  isGone = false
  await send({ type: 'reload' }, { type: 'whole-window' })
  assert.equal(store.state().events.failure, undefined)
  assert.equal(store.state().events.loaded.count, 600)
})

test('without a stream the coverage says what to do', async () => {
  const { store, send } = await browserOver(fakeOperations(10, { streams: [] }), 10)
  await send({ type: 'open-coverage' })
  assert.equal(store.state().view, 'events')
  assert.match(store.state().notice?.text ?? '', /auditctl stream add/)
})

test('with several streams one is chosen first', async () => {
  const streams = [
    { name: 'soc', provider: 'splunk' },
    { name: 'dd', provider: 'datadog' },
  ]
  const { store, send } = await browserOver(fakeOperations(600, { streams }), 600)
  await send({ type: 'open-coverage' })
  assert.equal(store.state().coverage?.stream, undefined)
  await send({ type: 'move', by: 1 }, { type: 'drill' })
  assert.equal(store.state().coverage?.stream, 'dd')
})

test('Ctrl-Z suspends from every view and while a line is typed, and changes nothing', async () => {
  const { store, send, suspended, stop } = await browserOver(fakeOperations(600), 600)
  const before = store.state()
  await send({ type: 'suspend' })
  assert.deepEqual([suspended(), store.state()], [1, before])
  await send({ type: 'open-filter' }, { type: 'typed', text: 'event:' })
  const typing = store.state()
  await send({ type: 'suspend' })
  assert.deepEqual([suspended(), store.state()], [2, typing])
  await stop()
})
