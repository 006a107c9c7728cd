import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isoTime } from '../../src/core/time-range.ts'
import type { AzureSandbox } from '../../src/sandbox/azure/index.ts'
import { EXTENDED_COLUMNS, GUIDE_COLUMNS } from '../../src/sandbox/azure/table.ts'
import { type Trial, withTrialOf } from '../support/trial.ts'

const signal = new AbortController().signal

const withTrial = withTrialOf('azure')

describe('azure test()', () => {
  const checksOf = async (trial: Trial, settings = {}) =>
    (await trial.destination({ ...trial.settings, ...settings }).test({ send: false, signal })).map(
      ({ check, state, hint }) => [check, state, hint ?? ''] as const,
    )

  test('names the column to add where the table has no time of its own', () =>
    withTrial(async (trial) => {
      const time = (await checksOf(trial)).find(([check]) => check === 'time column')
      assert.equal(time?.[1], 'warning')
      assert.match(time?.[2] ?? '', /add the column createdAt/)
    }))

  test('fails for a declared column that is not there, and for a table without the id', () =>
    withTrial(async (trial) => {
      const checks = await checksOf(trial, { timeColumn: 'EventTime', idField: 'EventId' })
      assert.equal(checks.find(([check]) => check === 'time column')?.[1], 'failure')
      const id = checks.find(([check]) => check === 'id column')
      assert.deepEqual([id?.[1], id?.[2]], ['failure', 'set "idField": "id"'])
    }))

  test('says "not verified" without a workspace, and fails for a table that does not exist', () =>
    withTrial(async (trial) => {
      const { workspaceId: _, ...settings } = trial.settings
      const unread = await trial.destination(settings).test({ send: false, signal })
      assert.match(unread.find(({ check }) => check === 'table columns')?.message ?? '', /not verified/)
      const stream = 'Custom-InfisicalLogs_CL'
      const wrong = await trial
        .destination({ ...trial.settings, table: 'Other', stream })
        .test({ send: false, signal })
      assert.equal(wrong.find(({ check }) => check === 'table columns')?.state, 'failure')
    }))

  test('sends a canary that its id and time columns can find', () =>
    withTrial(async (trial) => {
      const sandbox = trial.sandbox as AzureSandbox
      Object.assign(sandbox.settings, { columns: EXTENDED_COLUMNS, reservedNames: 'dropped' })
      const destination = trial.destination({
        ...trial.settings,
        idField: 'EventId',
        timeColumn: 'EventTime',
      })
      await destination.test({ send: true, signal })
      const [row] = sandbox.rows()
      assert.match(String(row?.['EventId']), /^auditctl-canary-/)
      assert.deepEqual(
        [row?.['EventTime'], row?.['TimeGenerated']],
        [isoTime(trial.clock.now()), isoTime(trial.clock.now())],
      )
    }))

  test('warns where replays are marked and the table has no column for the mark', () =>
    withTrial(async (trial) => {
      const states = async (settings: object) =>
        (await checksOf(trial, settings)).filter(([check]) => check === 'mark').map(([, state]) => state)
      assert.deepEqual(await states({ mark: true }), ['warning'])
      const sandbox = trial.sandbox as AzureSandbox
      sandbox.settings.columns = { ...GUIDE_COLUMNS, auditctl: 'dynamic' }
      assert.deepEqual(await states({ mark: true }), [])
      assert.deepEqual(await states({}), [])
    }))
})
