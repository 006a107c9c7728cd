import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuthError, RateLimitError, RemoteConfigError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/event.ts'
import type { Inventory, InventoryEnd } from '../../src/core/inventory.ts'
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS, type TimeRange } from '../../src/core/time-range.ts'
import { readObjects } from '../../src/inventories/xsiam/read-objects.ts'
import { createXql, quoted } from '../../src/inventories/xsiam/xql.ts'
import type { XsiamSandbox } from '../../src/sandbox/xsiam/index.ts'
import { parseXql } from '../../src/sandbox/xsiam/xql.ts'
import { FAKE_START } from '../support/fake-clock.ts'
import { batchOf, sample, streamedEvent, type Trial, withTrialOf } from '../support/trial.ts'

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

const withTrial = withTrialOf<XsiamSandbox>('xsiam')

const withSearch = (trial: Trial, more: JsonObject): JsonObject => ({
  ...trial.settings,
  search: { ...(trial.settings['search'] as JsonObject), ...more },
})

const WINDOW = { from: FAKE_START - 2 * HOUR_MS, to: FAKE_START - HOUR_MS }
/** More than a reply holds inline. */
const MANY = Array.from({ length: 2500 }, (_, i) => streamedEvent(i, WINDOW.from + i * 1000))

describe('xsiam inventory', () => {
  test('more than 1,000 rows come through the stream, as lines and as one array', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload(MANY)
      const inventory = await trial.inventory()
      for (const turn of ['one shape', 'the other', 'and again']) {
        const { ids, end } = await read(inventory, WINDOW)
        assert.deepEqual([new Set(ids).size, end], [2500, { exhausted: true }], turn)
      }
      assert.equal(inventory.queries(), 3)
      assert.deepEqual(sandbox.violations, [])
    }))

  for (const [fault, reason] of [
    ['stream-cut=3', /3 of 2500 rows/],
    ['stream-cut=0', /0 of 2500 rows/],
    ['stream-reset', /broke off/],
    ['xql-fail', /FAIL: the query ran out of resources/],
    ['xql-partial', /PARTIAL_SUCCESS/],
    ['xql-pending', /still running/],
  ] as const) {
    test(`${fault} makes an answer partial, and says why`, () =>
      withTrial(async (trial, sandbox) => {
        sandbox.preload(MANY)
        trial.faults.add(`xsiam:${fault}`)
        const { end } = await read(await trial.inventory(), WINDOW)
        assert.equal(end.exhausted, false)
        assert.match(end.reason ?? '', reason)
      }))
  }

  test('a stream that is not packed though it was asked for is read all the same', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload(MANY)
      trial.faults.add('xsiam:stream-plainx2')
      const inventory = await trial.inventory()
      assert.equal((await read(inventory, WINDOW)).ids.length, 2500)
      assert.equal((await read(inventory, WINDOW)).ids.length, 2500)
      assert.equal(trial.faults.list()[0]?.times, 0)
    }))

  test('an answer as long as the limit is not believed', () =>
    withTrial(async (trial, sandbox) => {
      const { createQueryRunner } = await import('../../src/inventories/xsiam/query-runner.ts')
      const calls: string[] = []
      const answers: Record<string, unknown> = {
        '/xql/get_quota/': { license_quota: 5, used_quota: 0 },
        '/xql/start_xql_query/': 'q_inv',
        '/xql/get_query_results/': { status: 'SUCCESS', number_of_results: 2, results: { data: [{}, {}] } },
      }
      const api = {
        call: async (path: string) => {
          calls.push(path)
          return answers[path]
        },
        stream: () => Promise.reject(new Error('not asked for')),
      }
      const parts = { clock: trial.clock, log: { debug() {}, info() {}, warn() {} } }
      const runner = createQueryRunner('trial', api, { dataset: 'd' } as never, parts as never, 2)
      const rows = runner.rows('dataset = d', WINDOW, signal)
      assert.equal((await rows.next()).done, false)
      assert.deepEqual((await rows.next()).value, {
        exhausted: false,
        reason: 'the answer reached the limit of 2 rows',
      })
      assert.deepEqual(calls, Object.keys(answers))
      assert.equal(sandbox.rows().length, 0)
    }))

  test('rows that were refilled today stand at their arrival, and are found in the window of their own time', () =>
    withTrial(async (trial, sandbox) => {
      const at = FAKE_START - 20 * DAY_MS
      const destination = trial.destination()
      await destination.deliver(batchOf(destination, [sample(streamedEvent(1, at))]), { signal })
      const inventory = await trial.inventory()
      const window = { from: at, to: at + 1 }
      assert.deepEqual((await read(inventory, window)).ids, [idOf(1)])
      assert.equal(await inventory.count?.(window, { signal }), 1)
      sandbox.settings.timeField = 'createdAt'
      await destination.deliver(batchOf(destination, [sample(streamedEvent(2, at))]), { signal })
      assert.equal(sandbox.rows()[1]?.['_time'], isoTime(at))
      assert.deepEqual((await read(inventory, window)).ids, [idOf(1), idOf(2)])
    }))

  test('events inside arrays that became one record each are found', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.arrayHandling = 'one-record'
      sandbox.preload(MANY)
      assert.equal(sandbox.rows().length, 7)
      const inventory = await trial.inventory()
      const half = { from: WINDOW.from + 1000 * 1000, to: WINDOW.from + 1500 * 1000 }
      const { ids, end } = await read(inventory, half)
      assert.deepEqual(
        ids,
        MANY.slice(1000, 1500).map(({ id }) => id),
      )
      assert.deepEqual(end, { exhausted: true })
      assert.equal(inventory.queries(), 2)
    }))

  test('an array record that was cut makes an answer partial', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([{ _raw_log: '[{"id":"a"' }])
      const { end } = await read(await trial.inventory(), { from: FAKE_START - HOUR_MS, to: FAKE_START })
      assert.deepEqual(end, { exhausted: false, reason: 'a record holds an array that was cut' })
    }))

  test('pings in a dataset without _raw_log are left alone', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.hasRawLog = false
      sandbox.preload([{ ping: 'ok' }, streamedEvent(1, FAKE_START - MINUTE_MS)])
      const { ids, end } = await read(await trial.inventory(), { from: FAKE_START - HOUR_MS, to: FAKE_START })
      assert.deepEqual([ids, end], [[idOf(1)], { exhausted: true }])
    }))

  test('an advanced key signs each request with a nonce of its own', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.keyType = 'advanced'
      sandbox.preload([streamedEvent(1, WINDOW.from)])
      await assert.rejects(read(await trial.inventory(), WINDOW), AuthError)
      const inventory = await trial.inventory(withSearch(trial, { keyType: 'advanced' }))
      assert.deepEqual((await read(inventory, WINDOW)).ids, [idOf(1)])
    }))

  test('below the quota floor no query is started', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.usedQuota = 4.5
      const inventory = await trial.inventory(withSearch(trial, { quotaFloor: 1 }))
      await assert.rejects(read(inventory, WINDOW), (error: unknown) => {
        assert.ok(error instanceof RateLimitError)
        assert.equal(error.exitCode, 6)
        assert.match(error.message, /0\.5 query units .* stops at 1/)
        return true
      })
      assert.equal(inventory.queries(), 0)
      assert.deepEqual((await read(await trial.inventory(), WINDOW)).end, { exhausted: true })
    }))

  test('a quota that runs out between two queries ends them with exit 6', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.settings.costPerQuery = 3
      const inventory = await trial.inventory()
      await read(inventory, WINDOW)
      await read(inventory, WINDOW)
      await assert.rejects(read(inventory, WINDOW), RateLimitError)
      assert.equal(inventory.queries(), 2)
      // A query of an analyst has taken the rest: the start itself is refused.
      sandbox.settings.usedQuota = 0
      const other = await trial.inventory()
      await other.count?.(WINDOW, { signal })
      sandbox.settings.usedQuota = 5
      await assert.rejects(read(other, WINDOW), RateLimitError)
    }))

  test('a place among the four queries of the tenant is waited for', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([streamedEvent(1, WINDOW.from)])
      trial.faults.add('xsiam:xql-busyx6')
      const inventory = await trial.inventory()
      const started = trial.clock.now()
      assert.deepEqual((await read(inventory, WINDOW)).ids, [idOf(1)])
      assert.ok(trial.clock.now() - started >= 60_000)
    }))

  test('an unknown dataset is a refused configuration with a hint', () =>
    withTrial(async (trial) => {
      const inventory = await trial.inventory(withSearch(trial, { dataset: 'nobody_raw' }))
      await assert.rejects(read(inventory, WINDOW), (error: unknown) => {
        assert.ok(error instanceof RemoteConfigError)
        assert.match(`${error.message} ${error.hint}`, /unknown dataset: nobody_raw.*search\.dataset/s)
        return true
      })
    }))

  test('260,000 rows are planned in pieces by the hours of their own time, at one query', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - DAY_MS
      sandbox.preload(
        (function* () {
          for (let i = 0; i < 260_000; i += 1) yield { id: `e${i}`, createdAt: isoTime(from + i * 300) }
        })(),
      )
      const inventory = await trial.inventory()
      const window = { from, to: FAKE_START }
      const pieces = await inventory.plan(window, { signal })
      assert.equal(pieces.length, 2)
      assert.equal(inventory.queries(), 1)
      let rows = 0
      for (const piece of pieces) rows += (await read(inventory, piece)).ids.length
      assert.equal(rows, 260_000)
    }))

  test('every query names its dataset and ends in a limit', () => {
    const xql = createXql('some_raw', { id: 'event.id', time: 'createdAt' })
    for (const text of [
      xql.ids(WINDOW),
      xql.arrays(),
      xql.count(WINDOW),
      xql.hours(WINDOW),
      xql.forPerson(WINDOW),
    ]) {
      const query = parseXql(text, () => true)
      assert.deepEqual([query.dataset, query.hasLimit], ['some_raw', true])
    }
    assert.match(xql.ids(WINDOW), /event_id = json_extract_scalar\(event, "\$\.id"\)/)
    assert.equal(quoted('a"\\b'), '"a\\"\\\\b"')
  })
})

describe('rows of a result stream', () => {
  const rows = [{ id: 'a"}{[', n: 1 }, { id: 'b\\', deep: { x: [{}, '}'] } }, { id: 'é🔑' }]
  const all = async (chunks: readonly Uint8Array[]) => {
    const found: JsonObject[] = []
    const body = (async function* () {
      yield* chunks
    })()
    for await (const objects of readObjects(body)) found.push(...objects)
    return found
  }
  for (const [title, text] of [
    ['lines', rows.map((row) => `${JSON.stringify(row)}\n`).join('')],
    ['lines without a last break', rows.map((row) => JSON.stringify(row)).join('\r\n')],
    ['an array', JSON.stringify(rows)],
    ['a pretty array', JSON.stringify(rows, null, 2)],
  ] as const) {
    test(`${title} cut anywhere give the same rows`, async () => {
      const bytes = Buffer.from(text)
      for (let at = 0; at <= bytes.length; at += 1) {
        assert.deepEqual(await all([bytes.subarray(0, at), bytes.subarray(at)]), rows)
      }
    })
  }

  for (const text of ['<html>', '[{"a":1}', '{"a":1', '{"a":}', 'null']) {
    test(`${text} is refused`, async () => {
      await assert.rejects(all([Buffer.from(text)]), RangeError)
    })
  }
})
