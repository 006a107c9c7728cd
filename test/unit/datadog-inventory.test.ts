import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IncompleteError } from '../../src/core/errors.ts'
import type { Inventory, InventoryEnd } from '../../src/core/inventory.ts'
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS, type TimeRange } from '../../src/core/time-range.ts'
import { createSweep } from '../../src/inventories/datadog/sweep.ts'
import type { DatadogSandbox } from '../../src/sandbox/datadog/index.ts'
import { FAKE_START, fakeClock } from '../support/fake-clock.ts'
import { batchOf, sample, streamedEvent, withTrialOf } from '../support/trial.ts'

const signal = new AbortController().signal
const idOf = (number: number) => String(streamedEvent(number, 0)['id'])

async function read(inventory: Inventory, window: TimeRange): Promise<{ ids: string[]; end: InventoryEnd }> {
  const rows = inventory.ids(window, { signal })
  const ids: string[] = []
  for (;;) {
    const step = await rows.next()
    if (step.done === true) return { ids, end: step.value }
    ids.push(...step.value.ids)
  }
}

const withTrial = withTrialOf<DatadogSandbox>('datadog')

describe('datadog inventory', () => {
  test('rows dated by arrival are found in the window of their own time', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.liveTimestamp = false
      const to = FAKE_START - DAY_MS
      sandbox.preload([streamedEvent(1, to - 1), streamedEvent(2, to)])
      const { ids, end } = await read(await trial.inventory(), { from: to - HOUR_MS, to })
      assert.deepEqual([ids, end], [[idOf(1)], { exhausted: true }])
    }))

  test('a piece hands on what it saw of the next; the same piece again is asked anew', () => {
    const from = FAKE_START - 4 * DAY_MS
    const sweep = createSweep(fakeClock())
    const first = { from, to: from + DAY_MS }
    const second = { from: first.to, to: from + 2 * DAY_MS }
    sweep.expect([first, second])
    const turn = sweep.begin(first)
    const ahead = { id: 'x', atMs: second.from + 5, datedMs: second.from + 5 }
    assert.deepEqual(turn.sort([ahead], first).ids, [])
    turn.finish(second.to)
    const next = sweep.begin(second)
    assert.equal(next.coveredTo, second.to)
    assert.deepEqual(next.take(second).ids, ['x'])
    assert.equal(sweep.begin(second).coveredTo, undefined)
    assert.equal(sweep.begin(first).coveredTo, undefined)
  })

  test('what was just sent is looked up anew, never answered from memory', () =>
    withTrial(async (trial, sandbox) => {
      const window = { from: FAKE_START - HOUR_MS, to: FAKE_START }
      sandbox.preload([streamedEvent(1, window.from)])
      const inventory = await trial.inventory()
      const [piece] = await inventory.plan(window, { signal })
      assert.deepEqual((await read(inventory, piece as TimeRange)).ids, [idOf(1)])
      const destination = trial.destination()
      await destination.deliver(batchOf(destination, [sample(streamedEvent(2, window.from + 5))]), { signal })
      assert.deepEqual((await read(inventory, piece as TimeRange)).ids, [idOf(1), idOf(2)])
    }))

  test('300 searches an hour are kept to: it waits for the window to end and goes on', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.rateLimit = { limit: 3, periodSeconds: 3600, headers: true }
      const from = FAKE_START - 6 * HOUR_MS
      sandbox.preload(Array.from({ length: 4_500 }, (_, i) => streamedEvent(i, from + i)))
      const inventory = await trial.inventory()
      assert.equal(inventory.traits.queriesPerHour, 300)
      const { ids, end } = await read(inventory, { from, to: from + HOUR_MS })
      assert.deepEqual([new Set(ids).size, end], [4_500, { exhausted: true }])
      assert.equal(inventory.traits.queriesPerHour, 3)
      const waitedMs = trial.clock.slept.reduce((sum, ms) => sum + ms, 0)
      assert.ok(waitedMs >= HOUR_MS && waitedMs < 2 * HOUR_MS + MINUTE_MS, `${waitedMs}`)
    }))

  test('without rate headers it asks every 12 seconds', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.rateLimit.headers = false
      const from = FAKE_START - 6 * HOUR_MS
      sandbox.preload(Array.from({ length: 2_000 }, (_, i) => streamedEvent(i, from + i)))
      await read(await trial.inventory(), { from, to: from + HOUR_MS })
      assert.deepEqual(
        trial.clock.slept.map((ms) => Math.round(ms / 1000)),
        [12, 12],
      )
    }))

  test('exactly the losses of 260,000 events are missing, over two pieces, in about one query for each 1,000', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - 10 * DAY_MS
      const stepMs = 600
      const all = Array.from({ length: 260_000 }, (_, i) => i)
      const isLost = (i: number) => (i >= 70_000 && i < 71_500) || i % 19_999 === 7
      const refilled = [7, 70_500, 259_994]
      const small = (i: number) => ({ id: `e-${i}`, createdAt: isoTime(from + i * stepMs) })
      sandbox.preload(all.filter((i) => !isLost(i)).map(small))
      // Masked: as many duplicates as one of the losses.
      sandbox.preload(all.slice(10, 1_510).map(small))
      const destination = trial.destination()
      for (const i of refilled) {
        const { streamed, event } = sample(small(i))
        const encoded = [destination.encode(streamed, event, { restamp: true })]
        await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
      }
      const inventory = await trial.inventory()
      const window = { from, to: from + all.length * stepMs }
      const pieces = await inventory.plan(window, { signal })
      assert.equal(pieces.length, 2)
      const held = new Set<string>()
      let rows = 0
      for (const piece of pieces) {
        const { ids, end } = await read(inventory, piece)
        assert.deepEqual(end, { exhausted: true })
        rows += ids.length
        for (const id of ids) held.add(id)
      }
      const missing = all.filter((i) => isLost(i) && !refilled.includes(i))
      assert.deepEqual(
        all.filter((i) => !held.has(`e-${i}`)),
        missing,
      )
      assert.equal(rows, all.length - missing.length + 1_500)
      assert.ok(inventory.queries() <= 270, `${inventory.queries()} queries`)
    }))

  test('live rows are found beside those of a renamed ddsource', () =>
    withTrial(async (trial, sandbox) => {
      const window = { from: FAKE_START - HOUR_MS, to: FAKE_START }
      sandbox.preload([streamedEvent(1, window.from)])
      const settings = { ...trial.settings, ddsource: 'vault' }
      const destination = trial.destination(settings)
      await destination.deliver(batchOf(destination, [sample(streamedEvent(2, window.from + 5))]), { signal })
      assert.deepEqual((await read(await trial.inventory(settings), window)).ids, [idOf(1), idOf(2)])
    }))

  test('idField, an own query and indexes are used', () =>
    withTrial(async (trial, sandbox) => {
      const at = FAKE_START - HOUR_MS
      sandbox.preload([streamedEvent(1, at, { eventMetadata: { ref: 'r-1' } })])
      const window = { from: at - 1, to: at + 1 }
      const settings = { ...trial.settings, idField: '@eventMetadata.ref' }
      assert.deepEqual((await read(await trial.inventory(settings), window)).ids, ['r-1'])
      const elsewhere = { ...trial.settings, search: { indexes: ['security'] } }
      assert.deepEqual((await read(await trial.inventory(elsewhere), window)).ids, [])
      const flex = { ...trial.settings, search: { storageTier: 'flex' } }
      assert.deepEqual((await read(await trial.inventory(flex), window)).ids, [])
    }))

  test('a count that Datadog calls partial is no count, and sizes no pieces', () =>
    withTrial(async (trial, sandbox) => {
      const window = { from: FAKE_START - 3 * DAY_MS, to: FAKE_START }
      sandbox.preload([streamedEvent(1, window.from + 1), streamedEvent(2, window.to - 1)])
      const inventory = await trial.inventory()
      for (const fault of ['aggregate-timeout', 'aggregate-warnings']) {
        trial.faults.add(`datadog:${fault}`)
        await assert.rejects(inventory.count?.(window, { signal }) ?? Promise.resolve(), IncompleteError)
        trial.faults.add(`datadog:${fault}`)
        const pieces = await inventory.plan(window, { signal })
        assert.equal(pieces.length, 3)
        const held = new Set<string>()
        for (const piece of pieces) for (const id of (await read(inventory, piece)).ids) held.add(id)
        assert.deepEqual([...held], [idOf(1), idOf(2)])
      }
      assert.equal(await inventory.count?.(window, { signal }), 2)
    }))

  test('rows without an id are nobody’s events', () =>
    withTrial(async (trial, sandbox) => {
      const at = FAKE_START - HOUR_MS
      sandbox.preload([{ ping: 'ok', createdAt: new Date(at).toISOString() }])
      assert.deepEqual((await read(await trial.inventory(), { from: at - 1, to: at + 1 })).ids, [])
    }))

  test('without an application key there is no inventory', async () => {
    await withTrial(async (trial) => {
      const { appKey: _, ...settings } = trial.settings
      await assert.rejects(trial.inventory(settings), /cannot be searched/)
    })
  })
})
