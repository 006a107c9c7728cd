import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTrial, type Trial } from '../support/trial.ts'

const signal = new AbortController().signal

async function withTrial(run: (trial: Trial) => Promise<void>): Promise<void> {
  const trial = await startTrial('azure')
  try {
    await run(trial)
  } finally {
    await trial.close()
  }
}

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
})
