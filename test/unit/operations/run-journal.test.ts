import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LocalError } from '../../../src/core/errors.ts'
import { runJournal } from '../../../src/operations/backfill/run-journal.ts'
import { tempFolder } from '../config/temp-folder.ts'

test('a run’s journal tells another process what this one added, whatever a crash cut off', (t) => {
  const folder = tempFolder(t)
  assert.deepEqual(runJournal(folder).lines(), [])
  const first = runJournal(folder)
  first.add('{"n":1}')
  first.add('{"n":2}')
  assert.deepEqual(runJournal(folder).lines(), ['{"n":1}', '{"n":2}'])
  const [file = ''] = readdirSync(folder)
  appendFileSync(join(folder, file), '{"n":3,"cut')
  const second = runJournal(folder)
  assert.deepEqual(second.lines(), ['{"n":1}', '{"n":2}'])
  second.add('{"n":3}')
  assert.deepEqual(runJournal(folder).lines(), ['{"n":1}', '{"n":2}', '{"n":3,"cut', '{"n":3}'])
})

test('a run’s journal that cannot be written says where', (t) => {
  const folder = tempFolder(t)
  const journal = runJournal(folder)
  rmSync(folder, { recursive: true })
  assert.throws(
    () => journal.add('x'),
    (error: unknown) => {
      assert.ok(error instanceof LocalError)
      assert.ok(error.message.includes(folder))
      return true
    },
  )
})
