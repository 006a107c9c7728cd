import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UnavailableError } from '../../../src/core/errors.ts'
import { MINUTE_MS } from '../../../src/core/time-range.ts'
import { assertHeldOnce, linesOf, WINDOW, withBench } from '../../support/scripted-backfill.ts'

/** 24 slices of the window. */
const SLICES = { lines: linesOf(240), sliceMs: 10 * MINUTE_MS }

describe('the scan of a backfill', () => {
  test('tells the ledger of many small slices at once, since each commit waits for the disk', () =>
    withBench(SLICES, async (bench) => {
      const { ledger } = bench
      const told: number[] = []
      const commitScan = ledger.commitScan.bind(ledger)
      ledger.commitScan = (run, progress, gaps) => {
        told.push(progress.doneThrough)
        commitScan(run, progress, gaps)
      }
      const { report } = await bench.run()
      assert.deepEqual([report.status, report.scanned, report.delivered], ['completed', 240, 240])
      assert.deepEqual(told, [WINDOW.to])
    }))

  test('tells it of each slice that took long to read', () =>
    withBench(SLICES, async (bench) => {
      const { ledger, clock } = bench
      const told: number[] = []
      const commitScan = ledger.commitScan.bind(ledger)
      ledger.commitScan = (run, progress, gaps) => {
        told.push(progress.doneThrough)
        commitScan(run, progress, gaps)
      }
      const observe = ({ phase }: { readonly phase: string }): void => {
        if (phase === 'scan') clock.advance(2000)
      }
      await bench.run({}, { observe })
      assert.ok(told.length > 20, `${told.length} commits`)
    }))

  test('that fails goes on behind the last slice that was read', () =>
    withBench(SLICES, async (bench) => {
      const { source, ledger } = bench
      const observe = ({ phase, events }: { readonly phase: string; readonly events: number }): void => {
        if (phase === 'scan' && events === 100) source.failure = new UnavailableError('the source is away')
      }
      const { report, exitCode } = await bench.run({}, { observe })
      assert.equal(exitCode, 6)
      const left = ledger.readRun(report.run ?? '')
      assert.deepEqual([left?.phase, report.delivered], ['scan', 0])
      assert.ok((left?.scanned ?? 0) >= 100 && (left?.doneThrough ?? 0) > WINDOW.from)
      assert.equal(left?.spooled, left?.scanned)
      const again = await bench.resume(report.run ?? '')
      assert.deepEqual([again.exitCode, again.report.scanned, again.report.delivered], [0, 240, 240])
      assertHeldOnce(bench)
    }))
})
