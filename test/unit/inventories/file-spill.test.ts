import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { NO_FILTER } from '../../../src/core/filter.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { isoTime } from '../../../src/core/time-range.ts'
import { openFileInventory } from '../../../src/inventories/file.ts'
import { findGaps } from '../../../src/operations/find-gaps.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { linesOf, WINDOW } from '../../support/scripted-backfill.ts'
import { idOf, scriptedSource } from '../../support/scripted-source.ts'
import { put, tempFolder } from '../../support/temp-files.ts'

const EVENTS = 12_000
const isLost = (n: number): boolean => n === 0 || n === EVENTS - 1 || n % 997 === 3
const lost = Array.from({ length: EVENTS }, (_, n) => n).filter(isLost)

/** The folder that temporary files of this process go to, for the time of the test. */
function temporaryFolder(t: TestContext): string {
  const folder = tempFolder(t)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  return folder
}

/** What a SIEM's export holds: newest first, with repeats, foreign ids and one row from before the window. */
function exported(lines: readonly string[]): string {
  const held = lines.filter((_, n) => !isLost(n)).toReversed()
  const foreign = [1, 2, 3].map((n) =>
    JSON.stringify({ id: idOf(EVENTS + n), createdAt: isoTime(WINDOW.from + n) }),
  )
  const outside = JSON.stringify({ id: idOf(EVENTS + 4), createdAt: isoTime(WINDOW.from - 1) })
  return [...held, ...held.slice(100, 107), ...foreign, outside].join('\n')
}

for (const maxIdBytes of [undefined, 0, 24_000]) {
  test(`a file whose ids may fill ${maxIdBytes ?? 'enough'} bytes finds the same losses, duplicates and strangers`, async (t) => {
    const lines = linesOf(EVENTS)
    const files = tempFolder(t)
    await put(files, { 'held.jsonl': exported(lines) })
    const temporary = temporaryFolder(t)
    const { signal } = new AbortController()
    const inventory = await openFileInventory({
      path: join(files, 'held.jsonl'),
      stdin: (async function* () {})(),
      baseDir: files,
      signal,
      maxIdBytes,
    })
    const missing: string[] = []
    const spills = new Set<number>()
    const report = await findGaps(
      {
        source: scriptedSource(lines),
        inventory,
        stream: 'soc',
        ledger: undefined,
        clock: fakeClock(),
        log: SILENT,
        signal,
        concurrency: 2,
        onEvent: (event, isMissing) => {
          if (isMissing) missing.push(event.id)
          spills.add(readdirSync(temporary).length)
        },
      },
      { window: WINDOW, judgedTo: WINDOW.to, filter: NO_FILTER, method: 'ids' },
    )
    assert.deepEqual(missing, lost.map(idOf))
    assert.deepEqual([report.duplicates, report.unexpected], [7, 3])
    assert.deepEqual([...spills], [maxIdBytes === undefined ? 0 : 1])
    assert.deepEqual(readdirSync(temporary), [])
    await inventory.close()
  })
}

test('a comparison that fails leaves no temporary file once the inventory is closed', async (t) => {
  const lines = linesOf(EVENTS)
  const files = tempFolder(t)
  await put(files, { 'held.jsonl': exported(lines) })
  const temporary = temporaryFolder(t)
  const { signal } = new AbortController()
  const inventory = await openFileInventory({
    path: join(files, 'held.jsonl'),
    stdin: (async function* () {})(),
    baseDir: files,
    signal,
    maxIdBytes: 0,
  })
  const failure = new Error('the source broke')
  const parts = { inventory, stream: 'soc', ledger: undefined, clock: fakeClock(), log: SILENT, signal }
  const onEvent = (): never => {
    throw failure
  }
  const gaps = findGaps(
    { ...parts, source: scriptedSource(lines), concurrency: 1, onEvent },
    { window: WINDOW, judgedTo: WINDOW.to, filter: NO_FILTER, method: 'ids' },
  )
  await assert.rejects(gaps, failure)
  assert.equal(readdirSync(temporary).length, 1)
  await inventory.close()
  assert.deepEqual(readdirSync(temporary), [])
})
