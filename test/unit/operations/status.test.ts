import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuditSource } from '../../../src/core/source.ts'
import { HOUR_MS, isoTime, MINUTE_MS } from '../../../src/core/time-range.ts'
import { type StatusParts, sourceAge, streamStatuses } from '../../../src/operations/status.ts'
import { FAKE_START } from '../../support/fake-clock.ts'
import { type Bench, linesOf, WINDOW, withBench } from '../../support/scripted-backfill.ts'
import { scriptedSiem } from '../../support/scripted-siem.ts'

const OPTIONS = { windowMs: 5 * HOUR_MS, settleMs: MINUTE_MS, maxLagMs: undefined }
const COUNT = 240

function partsOf(bench: Bench, more: Partial<StatusParts> = {}): StatusParts {
  const { source, ledger, clock, log, signal } = bench.parts
  const streams = [{ destination: bench.siem.destination, inventory: bench.siem.inventory }]
  return { source, ledger, clock, log, signal, concurrency: 2, streams, ...more }
}

const timeOf = (bench: Bench, n: number): string =>
  (JSON.parse(bench.source.lines[n] ?? '') as { createdAt: string }).createdAt

describe('the status of a stream', () => {
  test('is the age of the oldest event that it lacks, with its gaps and what it holds last', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      const missing = [30, 31, 90, 239]
      bench.siem.hold(bench.source.lines.filter((_, n) => !missing.includes(n)))
      const [status] = await streamStatuses(partsOf(bench), OPTIONS)
      const lagMs = FAKE_START - Date.parse(timeOf(bench, 30))
      assert.deepEqual(status, {
        ...{ stream: 'soc', source: 'prod', state: 'behind', openGaps: 3, provenUntil: null, lastRun: null },
        ...{ newestAtSource: timeOf(bench, 239), newestHeld: timeOf(bench, 238) },
        lagSeconds: Math.round(lagMs / 1000),
      })
    }))

  test('is ok with nothing missing, and behind only beyond the lag that is allowed', () =>
    withBench({ lines: linesOf(COUNT) }, async (bench) => {
      bench.siem.hold(bench.source.lines)
      const [whole] = await streamStatuses(partsOf(bench), OPTIONS)
      assert.deepEqual([whole?.state, whole?.lagSeconds, whole?.openGaps], ['ok', 0, 0])
      bench.siem.rows.splice(60, 1)
      const lag = FAKE_START - Date.parse(timeOf(bench, 60))
      for (const [maxLagMs, state] of [
        [lag + 1000, 'ok'],
        [lag - 1000, 'behind'],
      ] as const) {
        const [status] = await streamStatuses(partsOf(bench), { ...OPTIONS, maxLagMs })
        assert.equal(status?.state, state)
      }
    }))

  test('leaves out what its own grace calls too young, and our own reads of the log', () =>
    withBench({ lines: linesOf(COUNT), siem: { graceMs: 2 * HOUR_MS } }, async (bench) => {
      const source: AuditSource = {
        ...bench.source,
        traits: { ...bench.source.traits, isOwnRead: ({ id }) => id.endsWith('9') },
      }
      const youngFrom = FAKE_START - 2 * HOUR_MS
      const isOld = (_: string, n: number): boolean => Date.parse(timeOf(bench, n)) < youngFrom
      bench.siem.hold(bench.source.lines.filter((line, n) => isOld(line, n) && n % 10 !== 9))
      const [status] = await streamStatuses(partsOf(bench, { source }), OPTIONS)
      assert.deepEqual([status?.state, status?.openGaps], ['ok', 0])
      assert.equal(status?.newestAtSource, timeOf(bench, 238))
    }))

  test('is told of several streams from one reading, and none keeps more than the slices in hand', () =>
    withBench({ lines: linesOf(COUNT), sliceMs: 10 * MINUTE_MS }, async (bench) => {
      const other = scriptedSiem({ clock: bench.clock })
      bench.siem.hold(bench.source.lines)
      let [opened, read, alive, most] = [0, 0, 0, 0]
      const source: AuditSource = {
        ...bench.source,
        traits: bench.source.traits,
        open: async (...asked) => {
          opened += 1
          const inner = await bench.source.open(...asked)
          return {
            ...inner,
            slices: () => inner.slices(),
            warnings: () => inner.warnings(),
            close: () => inner.close(),
            read: (slice, signal) => {
              read += 1
              alive += 1
              most = Math.max(most, alive)
              return inner.read(slice, signal)
            },
            release: () => {
              alive -= 1
            },
          }
        },
      }
      const streams = [
        { destination: bench.siem.destination, inventory: bench.siem.inventory },
        { destination: { ...other.destination, name: 'more' }, inventory: other.inventory },
        { destination: { ...other.destination, name: 'blind' }, inventory: undefined },
      ]
      const statuses = await streamStatuses(partsOf(bench, { source, streams }), OPTIONS)
      assert.deepEqual(
        statuses.map(({ stream, state, openGaps }) => [stream, state, openGaps]),
        [
          ['soc', 'ok', 0],
          ['more', 'behind', 1],
          ['blind', 'unknown', null],
        ],
      )
      assert.equal(opened, 1)
      assert.ok(read >= 24, `${read} slices`)
      assert.equal(alive, 0)
      assert.ok(most <= 3, `${most} slices at once`)
    }))

  test('of a window without events is ok, with nothing to tell', () =>
    withBench({ lines: [] }, async (bench) => {
      const [status] = await streamStatuses(partsOf(bench), OPTIONS)
      assert.deepEqual([status?.state, status?.newestAtSource, status?.newestHeld], ['ok', null, null])
    }))
})

test('the age of a source is that of its newest event which is not our own', () =>
  withBench({ lines: linesOf(COUNT), sliceMs: 10 * HOUR_MS }, async (bench) => {
    const newest = Date.parse(timeOf(bench, COUNT - 1))
    assert.equal(await sourceAge(partsOf(bench), 5 * HOUR_MS), FAKE_START - newest)
    assert.equal(await sourceAge(partsOf(bench), FAKE_START - WINDOW.to), undefined, isoTime(newest))
  }))
