import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { linesOf, withBench } from '../../support/scripted-backfill.ts'
import { ANSWERS, type Answer } from '../../support/scripted-siem.ts'

/** Stores what stands before the bad event, as HEC does, and goes on only with a new request. */
const PREFIX: Answer = {
  stores: [[0, 4]],
  receipt: (n) => ({
    unverified: [[0, 4]],
    rejected: [{ position: 4, code: 'hec-6', reason: 'bad' }],
    retry: [[5, n]],
    code: 'hec-6',
  }),
}

describe('a stream that cannot be searched', () => {
  test('has what was stored by the word of a refusal alone counted as delivered, with a warning that says so', () =>
    withBench({ lines: linesOf(10), hasInventory: false }, async ({ siem, run }) => {
      siem.script.push(PREFIX)
      const { report } = await run()
      assert.deepEqual([report.delivered, report.rejected], [9, 1])
      assert.match(report.warnings.join('\n'), /^4 events count as delivered on the word of soc alone/m)
    }))

  test('is warned of possible duplicates in the report, also over a resume', () =>
    withBench({ lines: linesOf(10), hasInventory: false }, async ({ siem, run, resume }) => {
      siem.script.push(ANSWERS.resetAfter, ANSWERS.resetAfter)
      const first = await run({ maxAttempts: 2 })
      assert.equal(first.exitCode, 7)
      const { report, exitCode } = await resume(first.report.run ?? '')
      assert.deepEqual([exitCode, report.duplicatesPossible], [0, 20])
      assert.match(report.warnings.join('\n'), /^20 events were sent again .* may be there twice/m)
    }))
})

test('a stream that can be searched has the word of a refusal looked up, and no warning', () =>
  withBench({ lines: linesOf(10) }, async ({ siem, run }) => {
    siem.script.push(PREFIX)
    const { report } = await run()
    assert.deepEqual([report.delivered, report.rejected, report.warnings], [9, 1, []])
  }))
