import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RemoteConfigError } from '../../src/core/errors.ts'
import type { Inventory, InventoryEnd } from '../../src/core/inventory.ts'
import { SILENT } from '../../src/core/runtime.ts'
import { bindSecrets } from '../../src/core/secret.ts'
import { DAY_MS, HOUR_MS, type TimeRange } from '../../src/core/time-range.ts'
import { azureOptions } from '../../src/destinations/azure/options.ts'
import { createHttpClient } from '../../src/http/client.ts'
import { azure } from '../../src/inventories/azure/index.ts'
import type { AzureSandbox } from '../../src/sandbox/azure/index.ts'
import { EXTENDED_COLUMNS } from '../../src/sandbox/azure/table.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { sample, streamedEvent, type Trial, withTrialOf } from '../support/trial.ts'

const signal = new AbortController().signal
const idOf = (number: number) => String(streamedEvent(number, 0)['id'])

async function read(
  inventory: Inventory,
  window: TimeRange,
): Promise<{ ids: string[]; atMs: number[]; end: InventoryEnd }> {
  const rows = inventory.ids(window, { signal })
  const ids: string[] = []
  const atMs: number[] = []
  for (;;) {
    const step = await rows.next()
    if (step.done === true) return { ids, atMs, end: step.value }
    ids.push(...step.value.ids)
    atMs.push(...(step.value.atMs ?? []))
  }
}

const withTrial = withTrialOf<AzureSandbox>('azure')

/** Delivers one event without its TimeGenerated, five days after it happened. */
async function refill(trial: Trial, settings: object, number: number, atMs: number): Promise<void> {
  const destination = trial.destination({ ...trial.settings, ...settings })
  const { event, streamed } = sample(streamedEvent(number, atMs))
  const encoded = [destination.encode(streamed, event, { restamp: true })]
  const receipt = await destination.deliver({ encoded, ids: [event.id], run: 'r' }, { signal })
  assert.deepEqual(receipt.accepted, [[0, 1]])
}

describe('azure inventory', () => {
  const old = FAKE_START - 5 * DAY_MS
  const window = { from: old - HOUR_MS, to: old + HOUR_MS }

  test('a restamped row is found by its declared time column', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.columns = EXTENDED_COLUMNS
      const settings = { ...trial.settings, timeColumn: 'createdAt' }
      sandbox.preload([streamedEvent(1, old), streamedEvent(2, window.to)])
      await refill(trial, { timeColumn: 'createdAt' }, 3, old + 5)
      const found = await read(await trial.inventory(settings), window)
      assert.deepEqual(found, { ids: [idOf(1), idOf(3)], atMs: [old, old + 5], end: { exhausted: true } })
    }))

  test('a row from before the time column was declared is found by TimeGenerated', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([streamedEvent(1, old), streamedEvent(2, window.to)])
      sandbox.settings.columns = EXTENDED_COLUMNS
      sandbox.preload([streamedEvent(3, old + 5)])
      for (const settings of [{ timeColumn: 'createdAt' }, { timeColumn: 'createdAt', tablePlan: 'basic' }]) {
        const inventory = await trial.inventory({ ...trial.settings, ...settings })
        const { ids, atMs, end } = await read(inventory, window)
        assert.deepEqual(
          [ids.toSorted(), atMs.toSorted(), end],
          [[idOf(1), idOf(3)], [old, old + 5], { exhausted: true }],
        )
        if (settings.tablePlan === undefined) assert.equal(await inventory.count?.(window, { signal }), 2)
      }
    }))

  test('a row whose time was lost is found by its id where the stream restamps, and says that it tells no time', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([streamedEvent(1, old)])
      await refill(trial, {}, 3, old + 5)
      const plain = await trial.inventory()
      assert.equal(plain.traits.tellsTime, true)
      assert.deepEqual((await read(plain, window)).ids, [idOf(1)])
      const restamping = await trial.inventory({ ...trial.settings, late: 'restamp' })
      assert.equal(restamping.traits.tellsTime, false)
      const { ids, atMs } = await read(restamping, window)
      assert.deepEqual(
        [ids, atMs],
        [
          [idOf(1), idOf(3)],
          [old, Number.NaN],
        ],
      )
    }))

  test('says once where restamped rows would not be found: no time of their own, a window older than two days', () =>
    withTrial(async (trial) => {
      const said = async (settings: object, range: TimeRange) => {
        const warned: string[] = []
        const log = { ...SILENT, warn: (message: string) => void warned.push(message) }
        const http = createHttpClient({ clock: trial.clock, log, env: {}, version: 'test' })
        const options = azureOptions.parse({ ...trial.settings, ...settings })
        bindSecrets(options, (reference) => reference)
        const parts = {
          http,
          clock: trial.clock,
          log,
          baseDir: '.',
          sourceType: 'infisical',
          sourceNames: [],
        }
        const inventory = azure.create('sentinel', options, parts) ?? assert.fail()
        await read(inventory, range)
        await read(inventory, range)
        await http.close()
        return warned
      }
      const [warning, ...more] = await said({}, window)
      assert.match(warning ?? '', /^stream sentinel: .*"late": "restamp"/)
      assert.deepEqual(more, [])
      assert.deepEqual(await said({}, { from: FAKE_START - HOUR_MS, to: FAKE_START }), [])
      assert.deepEqual(await said({ late: 'restamp' }, window), [])
    }))

  test('an answer cut at the row cap is partial, and so is one at the byte cap', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload(Array.from({ length: 50 }, (_, i) => streamedEvent(i, old + i)))
      for (const cap of [{ maxRows: 49 }, { maxRows: 500_000, maxBytes: 1_000 }]) {
        Object.assign(sandbox.settings, cap)
        const { end } = await read(await trial.inventory(), window)
        assert.equal(end.exhausted, false)
        assert.match(end.reason ?? '', /PartialError/)
      }
    }))

  test('an unknown table or column is a refused configuration', () =>
    withTrial(async (trial) => {
      for (const settings of [{ table: 'Nothing' }, { idField: 'EventId' }, { timeColumn: 'createdAt' }]) {
        const inventory = await trial.inventory({ ...trial.settings, ...settings })
        await assert.rejects(read(inventory, window), (error: unknown) => {
          assert.ok(error instanceof RemoteConfigError, String(error))
          assert.match(error.message, /SemanticError/)
          assert.match(error.hint ?? '', /InfisicalLogs_CL|Nothing_CL/)
          return true
        })
      }
    }))

  test('a busy window is planned in pieces of at most 250,000 rows', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - 3 * DAY_MS
      sandbox.preload(
        Array.from({ length: 300_000 }, (_, i) => ({
          id: `e-${i}`,
          createdAt: new Date(from + i * 500).toISOString(),
        })),
      )
      const inventory = await trial.inventory()
      const pieces = await inventory.plan({ from, to: FAKE_START }, { signal })
      assert.equal(pieces.length, 2)
      let rows = 0
      for (const piece of pieces) rows += (await read(inventory, piece)).ids.length
      assert.equal(rows, 300_000)
      assert.equal(inventory.queries(), 3)
    }))

  test('exactly the losses of 200,000 events are missing, masked by duplicates', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - 2 * DAY_MS
      const isLost = (i: number) => (i >= 70_000 && i < 71_500) || i % 19_999 === 7
      const all = Array.from({ length: 200_000 }, (_, i) => i)
      sandbox.preload(all.filter((i) => !isLost(i)).map((i) => streamedEvent(i, from + i * 400)))
      sandbox.preload(all.slice(10, 1_510).map((i) => streamedEvent(i, from + i * 400)))
      const inventory = await trial.inventory()
      const range = { from, to: from + 200_000 * 400 }
      const held = new Set<string>()
      let rows = 0
      for (const piece of await inventory.plan(range, { signal })) {
        const { ids, end } = await read(inventory, piece)
        assert.deepEqual(end, { exhausted: true })
        rows += ids.length
        for (const id of ids) held.add(id)
      }
      assert.deepEqual(
        all.filter((i) => !held.has(idOf(i))),
        all.filter(isLost),
      )
      assert.equal(rows, 200_000 - all.filter(isLost).length + 1_500)
      assert.equal(await inventory.count?.(range, { signal }), rows)
    }))

  test('its query text names columns, window and the field to read back', () =>
    withTrial(async (trial) => {
      const inventory = await trial.inventory({ ...trial.settings, timeColumn: 'createdAt' })
      const text = inventory.queryText?.(window)
      assert.match(
        text?.query ?? '',
        /^InfisicalLogs_CL \| where TimeGenerated >= datetime\(2026-11-13T11:00:00\.000Z\) \| extend createdAt = coalesce\(createdAt, TimeGenerated\) \| where createdAt >= /,
      )
      assert.match(text?.feed ?? '', /--inventory-field id/)
    }))
})
