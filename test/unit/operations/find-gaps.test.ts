import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AuthError, IncompleteError, UserError } from '../../../src/core/errors.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { Inventory } from '../../../src/core/inventory.ts'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../../src/core/time-range.ts'
import { findGaps, type GapOptions } from '../../../src/operations/find-gaps.ts'
import { type Bench, linesOf, WINDOW, withBench } from '../../support/scripted-backfill.ts'
import { rowOf } from '../../support/scripted-siem.ts'
import { idOf, lineOf } from '../../support/scripted-source.ts'

function gapsOf(bench: Bench, options: Partial<GapOptions> = {}) {
  const { source, ledger, clock, log, signal } = bench.parts
  const parts = {
    source,
    ledger,
    clock,
    log,
    signal,
    inventory: bench.siem.inventory,
    stream: 'soc',
    concurrency: 2,
  }
  return findGaps(parts, {
    window: WINDOW,
    judgedTo: WINDOW.to,
    filter: NO_FILTER,
    method: 'ids',
    ...options,
  })
}

/** Holds all lines but those of these numbers. */
function holdAllBut(bench: Bench, missing: readonly number[]): void {
  bench.siem.hold(bench.source.lines.filter((_, i) => !missing.includes(i)))
}

const COUNT = 20
const all = Array.from({ length: COUNT }, (_, i) => i)

describe('findGaps()', () => {
  const runs: readonly (readonly [
    name: string,
    missing: readonly number[],
    expected: readonly (readonly number[])[],
  ])[] = [
    ['none', [], []],
    ['the first event', [0], [[0]]],
    ['the last event', [19], [[19]]],
    ['one event', [7], [[7]]],
    ['neighbours, as one run', [7, 8, 9], [[7, 8, 9]]],
    ['two runs with one held event between them', [7, 8, 10], [[7, 8], [10]]],
    ['both edges', [0, 1, 19], [[0, 1], [19]]],
    ['the whole window', all, [all]],
  ]
  for (const [name, missing, expected] of runs) {
    test(`finds ${name}`, () =>
      withBench({ lines: linesOf(COUNT) }, async (bench) => {
        holdAllBut(bench, missing)
        const report = await gapsOf(bench)
        const timeOf = (n: number) => Date.parse(JSON.parse(bench.source.lines[n] ?? '').createdAt)
        assert.deepEqual(
          report.gaps,
          expected.map((run) => ({
            from: isoTime(timeOf(run[0] ?? 0)),
            to: isoTime(timeOf(run.at(-1) ?? 0) + 1),
            missing: run.length,
            firstId: idOf(run[0] ?? 0),
            lastId: idOf(run.at(-1) ?? 0),
          })),
        )
        assert.deepEqual(
          [report.sourceEvents, report.heldEvents, report.missing, report.complete],
          [COUNT, COUNT - missing.length, missing.length, missing.length === 0],
        )
        assert.equal(report.provenUntil, missing.length === 0 ? isoTime(WINDOW.to) : null)
      }))
  }

  test('is not deceived by equal counts: a duplicate and a foreign event hide no loss', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [4, 11])
      // In the same hours as what is missing.
      bench.siem.hold([bench.source.lines[3] ?? '', lineOf(999, WINDOW.from + 2 * HOUR_MS + MINUTE_MS)])
      const report = await gapsOf(bench)
      assert.deepEqual([report.missing, report.duplicates, report.unexpected], [2, 1, 1])
      assert.deepEqual(
        report.gaps.map(({ firstId }) => firstId),
        [idOf(4), idOf(11)],
      )
      assert.equal(report.complete, false)
      const counts = await gapsOf(bench, { method: 'counts' })
      assert.equal(counts.missing, 0)
      assert.match(counts.warnings.join(), /a duplicate can hide a loss/)
      assert.equal(counts.complete, false)
      assert.equal(counts.provenUntil, null)
    }))

  test('takes ids in another case or in braces for what they are', () =>
    withBench({ lines: linesOf(3) }, async (bench) => {
      const [a = '', b = '', c = ''] = bench.source.lines
      bench.siem.hold([a.replace(idOf(0), idOf(0).toUpperCase()), b.replace(idOf(1), `{${idOf(1)}}`), c])
      assert.equal((await gapsOf(bench)).missing, 0)
    }))

  test('compares ids that are no UUIDs', () =>
    withBench({ lines: linesOf(5).map((line, i) => line.replace(idOf(i), `evt-${i}-ü`)) }, async (bench) => {
      holdAllBut(bench, [3])
      const report = await gapsOf(bench)
      assert.deepEqual([report.missing, report.gaps[0]?.firstId], [1, 'evt-3-ü'])
    }))

  test('with filters tells nothing of unexpected rows, and proves nothing', () =>
    withBench({ lines: linesOf(COUNT, (n) => ({ actor: n % 2 === 0 ? 'ada' : 'bob' })) }, async (bench) => {
      holdAllBut(bench, [])
      const filter = { fields: { actor: 'ada' }, events: [], where: [] }
      const report = await gapsOf(bench, { filter })
      assert.deepEqual([report.sourceEvents, report.missing, report.unexpected], [10, 0, null])
      assert.equal(report.provenUntil, null)
      await assert.rejects(gapsOf(bench, { filter, method: 'counts' }), UserError)
    }))

  test('counts what is too young to judge apart, and is then not complete', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [18, 19])
      const judgedTo = WINDOW.from + 2 * HOUR_MS
      const report = await gapsOf(bench, { judgedTo })
      assert.deepEqual([report.sourceEvents, report.tooYoung, report.missing], [10, 10, 0])
      assert.deepEqual(
        [report.complete, report.judgedTo, report.window.to],
        [false, isoTime(judgedTo), isoTime(WINDOW.to)],
      )
      assert.equal(report.provenUntil, null)
    }))

  test('asks again in halves for an answer that was not whole', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [4])
      bench.siem.searches.push(() => ({ exhausted: false, reason: 'no last row' }))
      const report = await gapsOf(bench)
      assert.equal(report.missing, 1)
      assert.equal(bench.siem.searched.length, 3)
      assert.deepEqual([report.unexpected, report.duplicates], [0, 0])
    }))

  test('never takes an inventory that stays incomplete for an empty one: exit 6', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [])
      bench.siem.searches.push(...new Array(200).fill(() => ({ rows: [], exhausted: false, reason: 'cut' })))
      await assert.rejects(gapsOf(bench), (error: IncompleteError) => {
        assert(error instanceof IncompleteError)
        assert.equal(error.exitCode, 6)
        assert.match(error.message, /could not be shown complete: cut/)
        return true
      })
      const backfill = await bench.run()
      assert.deepEqual([backfill.exitCode, bench.siem.requests.length], [6, 0])
    }))

  test('is suspicious of an empty inventory until a known event is found around the window', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      const empty = await gapsOf(bench)
      assert.match(empty.warnings.join(), /the search itself is not proven/)
      bench.siem.rows.push(rowOf(lineOf(500, WINDOW.from - HOUR_MS), 0))
      const outage = await gapsOf(bench)
      assert.match(outage.warnings.join(), /does hold events around it/)
      assert.equal(outage.missing, COUNT)
    }))

  test('is suspicious of a source that tells of nothing while the SIEM holds events, and proves nothing', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [])
      bench.source.lines = []
      const report = await gapsOf(bench)
      assert.match(report.warnings.join(), /storage disabled, retention, plan or missing permission/)
      assert.equal(report.unexpected, COUNT)
      assert.equal(report.provenUntil, null)
    }))

  test('names what lies beyond the retention of the source', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [])
      bench.source.retentionMs = 2 * HOUR_MS
      assert.match((await gapsOf(bench)).warnings.join(), /keeps events for 2h.*cannot be recovered/)
    }))

  test('joins proven windows, and tells the end of the earliest one', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      holdAllBut(bench, [])
      const half = (from: number, to: number) =>
        gapsOf(bench, {
          window: { from: WINDOW.from + from * HOUR_MS, to: WINDOW.from + to * HOUR_MS },
          judgedTo: WINDOW.to,
        })
      assert.equal((await half(0, 1)).provenUntil, isoTime(WINDOW.from + HOUR_MS))
      assert.equal((await half(2, 3)).provenUntil, isoTime(WINDOW.from + HOUR_MS))
      assert.equal((await half(1, 2)).provenUntil, isoTime(WINDOW.from + 3 * HOUR_MS))
    }))

  test('reads each slice of the source once', () =>
    withBench({ lines: linesOf(COUNT), sliceMs: 30 * MINUTE_MS }, async (bench) => {
      holdAllBut(bench, [])
      await gapsOf(bench)
      assert.equal(bench.source.requests(), 8)
    }))
})

test('refused search credentials end a comparison, and the hint says what still works without a search', async () => {
  await withBench({ lines: linesOf(3) }, async (bench) => {
    const refused: Inventory = {
      ...bench.siem.inventory,
      plan: async () => {
        throw new AuthError('Splunk search answered 401', { hint: 'check search.token', status: 401 })
      },
    }
    await assert.rejects(
      findGaps(
        { ...bench.parts, inventory: refused, stream: 'soc', concurrency: 2 },
        { window: WINDOW, judgedTo: WINDOW.to, filter: NO_FILTER, method: 'ids' },
      ),
      (error) =>
        error instanceof AuthError &&
        error.exitCode === 5 &&
        /^check search\.token; .*--inventory FILE/.test(error.hint ?? ''),
    )
  })
})
