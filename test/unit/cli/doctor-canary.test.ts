import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { canaryChecks } from '../../../src/cli/doctor/canary.ts'
import type { JsonObject } from '../../../src/core/event.ts'
import type { EventShape } from '../../../src/core/source.ts'
import { DAY_MS, isoTime } from '../../../src/core/time-range.ts'
import type { AzureSandbox } from '../../../src/sandbox/azure/index.ts'
import { EXTENDED_COLUMNS } from '../../../src/sandbox/azure/table.ts'
import { startTrial, type Trial } from '../../support/trial.ts'

const signal = new AbortController().signal
/** Of a product whose events carry a time that Datadog would take for its own, so that they go under `audit`. */
const SHAPE = { type: 'scaivault', timeKey: 'timestamp' } as EventShape

async function canary(provider: string, prepare: (trial: Trial) => void = () => {}, more: object = {}) {
  const trial = await startTrial(provider)
  const sentAt = trial.clock.now()
  try {
    prepare(trial)
    // What is searched for is named after the source, which is Infisical in a trial.
    const own = provider === 'datadog' ? { ddsource: 'infisical' } : {}
    const settings = { ...trial.settings, ...own, ...more }
    const [destination, inventory] = [trial.destination(settings), await trial.inventory(settings)]
    const checks = await canaryChecks({ destination, inventory, shape: SHAPE, clock: trial.clock, signal })
    const found = checks.map(({ check, state, message }) => [check, state, message] as const)
    return { found, held: trial.held(), rows: trial.sandbox.rows?.() ?? [], sentAt }
  } finally {
    await trial.close()
  }
}

describe("doctor's canary at Datadog", () => {
  test('comes with one of three days ago, sent as a refill of late events is, and finds both', async () => {
    const { found, held, rows, sentAt } = await canary('datadog')
    assert.deepEqual(
      found.map(([check, state]) => [check, state]),
      [
        ['canary is accepted', 'ok'],
        ['canary is found', 'ok'],
        ['late canary is accepted', 'ok'],
        ['late canary is found', 'ok'],
      ],
    )
    assert.equal(held.length, 2)
    const { attributes } = rows.at(-1) as {
      attributes: { timestamp: string; attributes: { audit: JsonObject } }
    }
    assert.equal(attributes.attributes.audit['occurred_at'], isoTime(sentAt - 3 * DAY_MS))
    assert.equal(attributes.timestamp, isoTime(sentAt))
  })

  test('calls a pipeline out that dates events by the time inside them', async () => {
    const { found } = await canary('datadog', ({ faults }) => faults.add('datadog:remap'))
    const [check, state, message] = found.at(-1) ?? []
    assert.deepEqual([check, state], ['late canary is found', 'failure'])
    assert.match(message ?? '', /an event of 3d ago/)
  })
})

test("doctor's canary at Azure comes with a late one where a column keeps its time, and alone where none does", async () => {
  const extend = ({ sandbox }: Trial) => {
    ;(sandbox as AzureSandbox).settings.columns = EXTENDED_COLUMNS
  }
  const { found, rows, sentAt } = await canary('azure', extend, { timeColumn: 'EventTime' })
  assert.deepEqual(found.map(([check, state]) => [check, state]).slice(2), [
    ['late canary is accepted', 'ok'],
    ['late canary is found', 'ok'],
  ])
  const { EventTime, TimeGenerated } = rows.at(-1) as { EventTime: string; TimeGenerated: string }
  assert.deepEqual([EventTime, TimeGenerated], [isoTime(sentAt - 3 * DAY_MS), isoTime(sentAt)])
  const alone = await canary('azure')
  assert.equal(alone.held.length, 1)
})

describe("doctor's canary at XSIAM", () => {
  test('is three records of one request, and finds all of them', async () => {
    const { found, held } = await canary('xsiam')
    assert.equal(held.length, 3)
    assert.deepEqual(
      found.map(([, state]) => state),
      ['ok', 'ok'],
    )
    assert.match(found[1]?.[2] ?? '', /all 3 of one request/)
  })

  test('fails where the tenant keeps fewer rows than records', async () => {
    const { found } = await canary('xsiam', ({ faults }) => faults.add('xsiam:one-row'))
    const [check, state, message] = found.at(-1) ?? []
    assert.deepEqual([check, state], ['canary is found', 'failure'])
    assert.match(message ?? '', /1 of the 3 events of one request/)
  })
})
