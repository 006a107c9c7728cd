import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { IncompleteError, RemoteError } from '../../src/core/errors.ts'
import { INVENTORIES } from '../../src/inventories/registry.ts'
import { type LossBench, startLosses } from '../support/losses.ts'
import { tried } from '../support/trial.ts'

const EVENTS = process.env['AUDITCTL_FULL'] === '1' ? 200_000 : 6000
const FEW = 600

// A command prints what a script tells it; test/unit/inventories/command.test.ts tries it.
for (const provider of tried(Object.keys(INVENTORIES)).filter((name) => name !== 'command')) {
  describe(`losses at ${provider}`, () => {
    let bench: LossBench
    before(async () => {
      bench = await startLosses(provider, { events: EVENTS })
    })
    after(() => bench?.close())

    test('are found exactly: an outage, singles, the first and the last event, masked by duplicates', async () => {
      const { losses, ids, inventory } = bench
      const { report, missing } = await bench.gaps()
      assert.deepEqual(missing, losses.lost)
      const { sourceEvents, heldEvents, missing: count, complete } = report
      assert.deepEqual(
        { sourceEvents, heldEvents, count, complete },
        {
          sourceEvents: ids.length,
          heldEvents: ids.length - losses.lost.length,
          count: losses.lost.length,
          complete: false,
        },
      )
      assert.ok(losses.duplicates > 0 && losses.foreign > 0)
      const { tellsDuplicates, tellsTime } = inventory.traits
      assert.equal(report.duplicates, tellsDuplicates ? losses.duplicates : null)
      assert.equal(report.unexpected, tellsTime ? losses.foreign : null)
      assert.equal(
        report.gaps.reduce((sum, gap) => sum + gap.missing, 0),
        losses.lost.length,
      )
    })

    test('are refilled exactly, verified, and nothing is sent the second time', async () => {
      const { losses, ids } = bench
      const before = bench.held()
      const { report, exitCode } = await bench.refill()
      assert.deepEqual(report.problems, [])
      assert.deepEqual(
        [exitCode, report.scanned, report.alreadyHeld, report.delivered, report.verified],
        [0, ids.length, ids.length - losses.lost.length, losses.lost.length, true],
      )
      const held = bench.held()
      const lost = new Set(losses.lost)
      const wrong = ids.filter((id) => held.get(id) !== (before.get(id) ?? 0) + (lost.has(id) ? 1 : 0))
      assert.deepEqual(wrong, [])
      assert.equal(held.size, ids.length + losses.foreign)
      const again = await bench.refill()
      assert.deepEqual([again.exitCode, again.report.selected, again.report.requests], [0, 0, 0])
      assert.deepEqual(bench.held(), held)
      assert.deepEqual(bench.trial.sandbox.violations, [])
    })

    test('are gone then: the window is whole and proven', async () => {
      const { report, missing } = await bench.gaps()
      assert.deepEqual([missing, report.complete], [[], true])
      assert.ok(report.provenUntil !== null)
    })
  })

  describe(`a partial answer of ${provider}`, () => {
    let bench: LossBench
    before(async () => {
      bench = await startLosses(provider, { events: FEW })
    })
    after(() => bench?.close())

    test('never makes a held event look lost: it is asked again, or it is an error', async () => {
      const { losses, trial } = bench
      const partial = trial.sandbox.trials?.search?.partial ?? []
      assert.ok(partial.length > 0)
      for (const fault of partial) {
        trial.faults.add(fault)
        const found = await bench.gaps().catch((error: unknown) => {
          assert.ok(error instanceof RemoteError || error instanceof IncompleteError, `${fault}: ${error}`)
          return undefined
        })
        trial.faults.clear()
        if (found !== undefined) assert.deepEqual(found.missing, losses.lost, fault)
      }
    })

    test('sends nothing but what is lost', async () => {
      const { losses, trial, ids } = bench
      const [fault = ''] = trial.sandbox.trials?.search?.partial ?? []
      trial.faults.add(fault)
      const { report } = await bench.refill()
      trial.faults.clear()
      if (report.status !== 'completed') await bench.refill()
      const held = bench.held()
      assert.equal(held.size, ids.length + losses.foreign)
      assert.deepEqual(
        losses.lost.filter((id) => held.get(id) !== 1),
        [],
      )
    })
  })
}
