import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RemoteConfigError } from '../../src/core/errors.ts'
import type { JsonObject } from '../../src/core/event.ts'
import type { Inventory, InventoryEnd } from '../../src/core/inventory.ts'
import { DAY_MS, HOUR_MS, isoTime, MINUTE_MS, type TimeRange } from '../../src/core/time-range.ts'
import { createSql, quoted } from '../../src/inventories/better-stack/sql.ts'
import type { BetterStackSandbox } from '../../src/sandbox/better-stack/index.ts'
import { parseSql } from '../../src/sandbox/better-stack/sql-parse.ts'
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

const withTrial = withTrialOf<BetterStackSandbox>('better-stack')

const withSearch = (trial: Trial, more: JsonObject, stream: JsonObject = {}): JsonObject => ({
  ...trial.settings,
  ...stream,
  search: { ...(trial.settings['search'] as JsonObject), ...more },
})

describe('better-stack inventory', () => {
  test('rows of the last minutes, of the archive, and of both at once come once each', () =>
    withTrial(async (trial, sandbox) => {
      // Hot until 40 minutes, archived from 30 minutes on.
      const ages = [1, 29, 31, 35, 39, 41, 90]
      sandbox.preload(ages.map((minutes, i) => streamedEvent(i, FAKE_START - minutes * MINUTE_MS)))
      assert.deepEqual(
        [sandbox.settings.hotMs, sandbox.settings.moveAfterMs],
        [40 * MINUTE_MS, 30 * MINUTE_MS],
      )
      const inventory = await trial.inventory()
      const window = { from: FAKE_START - 2 * HOUR_MS, to: FAKE_START }
      const { ids, end } = await read(inventory, window)
      assert.deepEqual(
        ids.toSorted(),
        ages.map((_, i) => idOf(i)),
      )
      assert.deepEqual(end, { exhausted: true })
      assert.equal(await inventory.count?.(window, { signal }), ages.length)
    }))

  test('rows that move to the archive while the hot store is listed are not lost', () =>
    withTrial(async (trial, sandbox) => {
      const window = { from: FAKE_START - HOUR_MS, to: FAKE_START }
      sandbox.preload(
        Array.from({ length: 25_000 }, (_, i) => streamedEvent(i, window.from + HOUR_MS / 2 + i * 10)),
      )
      const rows = (await trial.inventory()).ids(window, { signal })
      const seen = new Set<string>()
      for (let step = await rows.next(); step.done !== true; step = await rows.next()) {
        for (const id of step.value.ids) seen.add(id)
        Object.assign(sandbox.settings, { hotMs: 0, moveAfterMs: 0 })
      }
      assert.equal(seen.size, 25_000)
    }))

  test('60,000 rows cost a count of each store and pages of 10,000', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - 3 * DAY_MS
      sandbox.preload(Array.from({ length: 60_000 }, (_, i) => streamedEvent(i, from + i * 3_000)))
      const inventory = await trial.inventory()
      const window = { from, to: from + 60_000 * 3_000 }
      const planned = await inventory.plan(window, { signal })
      assert.deepEqual(planned, [window])
      const { ids, end } = await read(inventory, window)
      assert.deepEqual([new Set(ids).size, ids.length, end], [60_000, 60_000, { exhausted: true }])
      // Two histograms, two counts, six full pages, and the empty one after a full last page.
      assert.equal(inventory.queries(), 2 + 2 + 6 + 1)
    }))

  test('260,000 rows are planned in pieces by the hours of their own time', () =>
    withTrial(async (trial, sandbox) => {
      const from = FAKE_START - 2 * DAY_MS
      sandbox.preload(
        (function* () {
          for (let i = 0; i < 260_000; i += 1) yield { id: `e${i}`, createdAt: isoTime(from + i * 300) }
        })(),
      )
      const inventory = await trial.inventory()
      const window = { from, to: from + DAY_MS }
      const pieces = await inventory.plan(window, { signal })
      assert.equal(pieces.length, 2)
      const { ids, end } = await read(inventory, pieces[1] as TimeRange)
      assert.deepEqual(end, { exhausted: true })
      const inside = Array.from({ length: 260_000 }, (_, i) => from + i * 300).filter(
        (at) => at >= (pieces[1]?.from ?? 0),
      )
      assert.equal(new Set(ids).size, inside.length)
    }))

  test('live rows stand at their arrival: two days of delay are looked through, or as many as slack says', () =>
    withTrial(async (trial, sandbox) => {
      const event = (number: number) => streamedEvent(number, FAKE_START - 5 * DAY_MS)
      const arrivals = [HOUR_MS, 47 * HOUR_MS, 49 * HOUR_MS]
      for (const [i, delay] of arrivals.entries()) {
        trial.clock.advance(FAKE_START - 5 * DAY_MS + delay - trial.clock.now())
        const undated = trial.destination({ ...trial.settings, eventTime: false })
        await undated.deliver(batchOf(undated, [sample(event(i))]), { signal })
      }
      trial.clock.advance(FAKE_START - trial.clock.now())
      const window = { from: FAKE_START - 5 * DAY_MS, to: FAKE_START - 5 * DAY_MS + HOUR_MS }
      const idsWith = async (settings: JsonObject) =>
        (await read(await trial.inventory(settings), window)).ids
      assert.deepEqual(await idsWith(trial.settings), [idOf(0), idOf(1)])
      assert.deepEqual(await idsWith(withSearch(trial, { slack: '2d' })), [idOf(0), idOf(1)])
      assert.deepEqual(await idsWith(withSearch(trial, { slack: '3d' })), [idOf(0), idOf(1), idOf(2)])
      for (const stream of [{ eventTime: false }, { late: 'restamp' }, { acceptWindow: { past: '15m' } }]) {
        assert.deepEqual(await idsWith({ ...trial.settings, ...stream }), [idOf(0), idOf(1), idOf(2)])
      }
      assert.equal(sandbox.rows().length, 3)
    }))

  test('an archive that is not there yet is empty; one that was there before is an error', () =>
    withTrial(async (trial, sandbox) => {
      const window = { from: FAKE_START - HOUR_MS, to: FAKE_START }
      sandbox.preload([streamedEvent(1, FAKE_START - MINUTE_MS)])
      const inventory = await trial.inventory()
      assert.deepEqual(await read(inventory, window), { ids: [idOf(1)], end: { exhausted: true } })
      trial.clock.advance(31 * MINUTE_MS)
      assert.deepEqual((await read(inventory, window)).end, { exhausted: true })
      trial.faults.add('better-stack:archive-gone')
      await assert.rejects(read(inventory, window), RemoteConfigError)
    }))

  test('a hot store that is not there means a wrong table or region, never an empty one', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([streamedEvent(1, FAKE_START - HOUR_MS)])
      const inventory = await trial.inventory(withSearch(trial, { table: 't123456_other' }))
      const window = { from: FAKE_START - 2 * HOUR_MS, to: FAKE_START }
      await assert.rejects(read(inventory, window), (error: unknown) => {
        assert.ok(error instanceof RemoteConfigError)
        assert.match(`${error.message} ${error.hint}`, /701.*t123456_other.*region/s)
        return true
      })
      await assert.rejects(inventory.plan(window, { signal }), RemoteConfigError)
    }))

  for (const [fault, reason] of [
    ['sql-exception=3', /exception.*MEMORY_LIMIT_EXCEEDED/],
    ['sql-cut=0', /listed 0 of 5 ids/],
    ['sql-cut-mid', /ends within a row|no row/],
    ['sql-memory', /241/],
    ['sql-timeout', /159/],
  ] as const) {
    test(`${fault} makes an answer partial, and says why`, () =>
      withTrial(async (trial, sandbox) => {
        sandbox.preload([1, 2, 3, 4, 5].map((number) => streamedEvent(number, FAKE_START - 2 * HOUR_MS)))
        trial.faults.add(`better-stack:${fault}`)
        const window = { from: FAKE_START - 3 * HOUR_MS, to: FAKE_START }
        const { end } = await read(await trial.inventory(), window)
        assert.equal(end.exhausted, false)
        assert.match(end.reason ?? '', reason)
        assert.equal(
          trial.faults.list().every(({ times }) => times === 0),
          true,
          'the fault was met',
        )
      }))
  }

  test('a page cut between two rows is gone on from, with nothing lost', () =>
    withTrial(async (trial, sandbox) => {
      sandbox.preload([1, 2, 3, 4, 5].map((number) => streamedEvent(number, FAKE_START - 2 * HOUR_MS)))
      trial.faults.add('better-stack:sql-cut=2')
      const { ids, end } = await read(await trial.inventory(), {
        from: FAKE_START - 3 * HOUR_MS,
        to: FAKE_START,
      })
      assert.deepEqual([ids, end], [[1, 2, 3, 4, 5].map(idOf), { exhausted: true }])
      assert.equal(trial.faults.list()[0]?.times, 0)
    }))

  test('ids with quotes and backslashes are paged over, and cannot leave their literal', () =>
    withTrial(async (trial, sandbox) => {
      const odd = [`a' OR '1'='1`, 'b\\', `c\\' --`, 'd"é🔑']
      const at = FAKE_START - 2 * HOUR_MS
      sandbox.preload(odd.map((id, i) => ({ ...streamedEvent(i, at), id })))
      trial.faults.add('better-stack:sql-cut=1')
      const { ids, end } = await read(await trial.inventory(), { from: at - 1, to: at + 1 })
      assert.deepEqual([ids, end], [odd, { exhausted: true }])
      assert.equal(quoted(odd[0] ?? ''), `'a\\' OR \\'1\\'=\\'1'`)
    }))

  test('pings, other spellings of a time and idField are read for what they are', () =>
    withTrial(async (trial, sandbox) => {
      const at = FAKE_START - 2 * HOUR_MS
      const spelled = (number: number, createdAt: string) => ({ ...streamedEvent(number, at), createdAt })
      sandbox.preload([
        { ping: 'ok' },
        spelled(1, isoTime(at).replace('.000Z', 'Z')),
        spelled(2, isoTime(at).replace('Z', '+00:00')),
        spelled(3, isoTime(at - HOUR_MS).replace('Z', '+00:00')),
        { ...streamedEvent(4, at), nested: { own: 'n-4' } },
      ])
      const window = { from: at, to: at + 1 }
      assert.deepEqual((await read(await trial.inventory(), window)).ids, [idOf(1), idOf(2), idOf(4)])
      const nested = await trial.inventory({ ...trial.settings, idField: 'nested.own' })
      assert.deepEqual((await read(nested, window)).ids, ['n-4'])
    }))

  test('every query names one store, its time bounds and a limit', () => {
    const sql = createSql(
      { url: 'https://x', username: 'u', password: undefined as never, table: 't1_src', kind: 'warehouse' },
      { id: 'id', time: 'createdAt' },
    )
    const [window, range] = [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
    ]
    for (const text of [
      sql.page('hot', window, range, 'a'),
      sql.page('archive', window, range, 'a'),
      sql.hours('hot', window, range),
      sql.countListed('archive', window, range),
      sql.forPerson(window, range),
    ]) {
      assert.ok((parseSql(text).limit ?? 0) > 0, text)
      assert.match(text, /dt >= toDateTime64\('1970-01-01 00:00:00.000',3,'UTC'\) AND dt < /)
    }
    assert.match(sql.page('hot', window, range, ''), /FROM remote\(t1_src_events\)/)
    assert.match(
      sql.page('archive', window, range, ''),
      /FROM s3Cluster\(primary, t1_src_s3\) WHERE _row_type = 1 AND /,
    )
  })
})
