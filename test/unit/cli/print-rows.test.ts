import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printFitting } from '../../../src/cli/print-rows.ts'
import { fakeRuntime } from './fake-runtime.ts'

const ROWS = [
  { run: '20261120T174440-c0054e', status: 'completed', from: '2026-11-20T17:44:40.619Z', late: 0 },
  { run: '20261120T174441-c0054f', status: 'failed', from: '\u001b[31m', late: undefined },
]
const CHOICES = [
  ['run', 'status', 'from', 'late'],
  ['run', 'status'],
]

async function printed(
  columns: number,
  isTerminal = true,
  format: 'table' | 'csv' = 'table',
): Promise<string> {
  const fake = fakeRuntime({ isTerminal })
  await printFitting(ROWS, CHOICES, format, { ...fake.runtime, io: { ...fake.runtime.io, columns } })
  return fake.stdout()
}

test('a terminal that is wide enough gets all columns', async () => {
  assert.match(await printed(80), /^run +status +from +late\n20261120T174440-c0054e {2}completed {2}2026-/)
})

test('a narrower one gets the columns that fit, whole', async () => {
  assert.equal(
    await printed(40),
    'run                     status\n20261120T174440-c0054e  completed\n20261120T174441-c0054f  failed\n',
  )
})

test('where nothing fits each row is a list of what it tells, and cannot move the cursor', async () => {
  assert.equal(
    await printed(20),
    [
      'run     20261120T174440-c0054e',
      'status  completed',
      'from    2026-11-20T17:44:40.619Z',
      'late    0',
      '',
      'run     20261120T174441-c0054f',
      'status  failed',
      'from    \\x1b[31m',
      '',
    ].join('\n'),
  )
})

test('a pipe and CSV get all columns, however narrow the terminal', async () => {
  assert.match(await printed(20, false), /^run +status +from +late\n/)
  assert.match(await printed(20, true, 'csv'), /^run,status,from,late\r\n/)
})
