import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Destination } from '../../../src/core/destination.ts'
import { betterStack } from '../../../src/destinations/better-stack/index.ts'
import { datadog } from '../../../src/destinations/datadog/index.ts'
import { planBackfill } from '../../../src/operations/backfill/dry-run.ts'
import { linesOf, withBench } from '../../support/scripted-backfill.ts'
import { startTrial } from '../../support/trial.ts'

const ADVISED = { eventBytes: 2000, beyond: 'they are cut where one groups by them' }
const lines = linesOf(10, (number) => ({ note: 'x'.repeat(number < 3 ? 3000 + number : 10) }))

function advised(destination: Destination): Destination {
  return { ...destination, traits: { ...destination.traits, advised: ADVISED } }
}

describe('events longer than the far side advises', () => {
  test('are delivered, and the report says how many, how long and what comes of them', () =>
    withBench({ lines }, async ({ run, siem }) => {
      const { report, exitCode } = await run({}, { destination: advised(siem.destination) })
      assert.deepEqual([exitCode, report.delivered, report.warnings.length], [0, 10, 1])
      assert.match(
        report.warnings[0] ?? '',
        /^3 events are longer than the 2,000 bytes that soc advises \(the longest 3,\d{3}\): they are cut where/,
      )
    }))

  test('are told of by the plan, and by the plan and the report in one line', () =>
    withBench({ lines }, async ({ parts, run, siem, options, start }) => {
      const destination = advised(siem.destination)
      const { question } = start()
      const { report } = await planBackfill({ ...parts, destination }, options(), question, 'pair')
      assert.match(report.warnings.join(), /^3 events are longer than/)
      const shown: string[] = []
      const confirm = async (_: unknown, doubts: readonly string[]) => {
        shown.push(...doubts)
        return true
      }
      const sent = await run({ yes: false }, { destination, confirm })
      assert.match(shown.join(), /3 events are longer than/)
      assert.equal(sent.report.warnings.length, 1)
    }))

  test('are not spoken of where the far side advises nothing', () =>
    withBench({ lines }, async ({ run }) => assert.deepEqual((await run()).report.warnings, [])))

  for (const [definition, bytes] of [
    [datadog, 25_000],
    [betterStack, 102_400],
  ] as const) {
    test(`are those of more than ${bytes} bytes at ${definition.provider}`, async () => {
      const trial = await startTrial(definition.provider)
      const { advised } = trial.destination().traits
      await trial.close()
      assert.equal(advised?.eventBytes, bytes)
    })
  }
})
