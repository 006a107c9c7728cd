import assert from 'node:assert/strict'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exportDisk } from '../../../src/cli/export-disk.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { Manifest } from '../../../src/core/manifest.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { HOUR_MS, MINUTE_MS } from '../../../src/core/time-range.ts'
import { FORMATS } from '../../../src/formats/registry.ts'
import { runExport, watermarkName } from '../../../src/operations/export/index.ts'
import type { ExportOptions, ExportParts, Watermark } from '../../../src/operations/export/types.ts'
import { Ledger } from '../../../src/state/ledger.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { idOf, lineOf, scriptedSource } from '../../support/scripted-source.ts'
import { tempFolder } from '../../support/temp-files.ts'

const START = Date.UTC(2026, 10, 20)
const WINDOW = { from: START, to: START + 3 * HOUR_MS }
const INCREMENTAL = { name: 'nightly', overlapMs: 10 * MINUTE_MS }

/** An event every minute of three hours; the ledger and the disk can be made to stop at a chosen step. */
async function setup(t: TestContext) {
  const folder = tempFolder(t)
  const source = scriptedSource(Array.from({ length: 180 }, (_, n) => lineOf(n, START + n * MINUTE_MS)))
  const clock = fakeClock(WINDOW.to)
  const ledger = await Ledger.open(join(folder, 'state'), clock)
  t.after(() => ledger.close())
  const parts: ExportParts = {
    source,
    ledger,
    disk: exportDisk(),
    writer: await FORMATS.jsonl({}),
    clock,
    log: SILENT,
    signal: new AbortController().signal,
    concurrency: 2,
    version: 'test',
    write: async () => {},
    flush: async () => {},
  }
  const optionsOf = (kind: 'file' | 'folder', name: string): ExportOptions => ({
    window: WINDOW,
    filter: NO_FILTER,
    format: 'jsonl',
    compression: 'none',
    target: { kind, path: join(folder, name) },
    overwrite: false,
    incremental: INCREMENTAL,
    query: null,
  })
  const run = ledger.createRun('key', {
    mode: 'export',
    source: 'prod',
    stream: null,
    ...WINDOW,
    typedWindow: '',
    filter: '{}',
  })
  return { folder, source, ledger, parts, optionsOf, run }
}

const watermarkOf = (ledger: Ledger) => ledger.readWatermark<Watermark>(watermarkName(INCREMENTAL.name))
const lastMinutes = Array.from({ length: 10 }, (_, n) => idOf(170 + n))

/** A ledger that dies when the named watermark is written, before or after. */
function dyingAt(ledger: Ledger, name: string, when: 'before' | 'after'): Ledger {
  return new Proxy(ledger, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown
      if (key === 'writeWatermark') {
        return (asked: string, content: unknown) => {
          if (asked !== name || when === 'after') target.writeWatermark(asked, content)
          if (asked === name) throw new Error('killed')
        }
      }
      // What a process that is killed does not do any more.
      if (key === 'finish') return () => {}
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

for (const kind of ['file', 'folder'] as const) {
  for (const when of ['before', 'after'] as const) {
    test(`an incremental export to a ${kind}, killed ${when} its watermark was written, is finished with every event once`, async (t) => {
      const { folder, ledger, parts, optionsOf, run } = await setup(t)
      const options = optionsOf(kind, 'out')
      const dying = dyingAt(ledger, watermarkName(INCREMENTAL.name), when)
      await assert.rejects(runExport({ ...parts, ledger: dying }, options, run), /killed/)
      const { rows } = await runExport(parts, options, ledger.readRun(run.id) ?? run)
      assert.equal(rows, 180)
      assert.deepEqual(
        watermarkOf(ledger)
          ?.recent.map(([id]) => id)
          .toSorted(),
        lastMinutes,
      )
      if (kind === 'file') {
        assert.equal(readFileSync(join(folder, 'out'), 'utf8').trimEnd().split('\n').length, 180)
        return
      }
      const manifest = JSON.parse(readFileSync(join(folder, 'out/manifest.json'), 'utf8')) as Manifest
      assert.deepEqual([manifest.files.length, manifest.totals.rows], [3, 180])
    })
  }
}

test('a folder killed after its manifest is not written into it a second time', async (t) => {
  const { folder, source, ledger, parts, optionsOf, run } = await setup(t)
  const options = optionsOf('folder', 'out')
  await runExport({ ...parts, ledger: silent(ledger) }, options, run)
  const before = readFileSync(join(folder, 'out/manifest.json'), 'utf8')
  const requests = source.requests()
  await runExport(parts, options, run)
  assert.equal(readFileSync(join(folder, 'out/manifest.json'), 'utf8'), before)
  assert.equal(source.requests(), requests)
})

test('a file killed between its name and the ledger is taken as it is', async (t) => {
  const { folder, source, parts, ledger, optionsOf, run } = await setup(t)
  const options = { ...optionsOf('file', 'out'), incremental: undefined }
  await runExport({ ...parts, ledger: silent(ledger) }, options, run)
  const requests = source.requests()
  assert.equal((await runExport(parts, options, run)).rows, 180)
  assert.equal(source.requests(), requests)
  assert.equal(readFileSync(join(folder, 'out'), 'utf8').split('\n').length, 181)
})

test('a file that is whole, but has not got its name yet, gets it', async (t) => {
  const { folder, parts, ledger, optionsOf, run } = await setup(t)
  const options = { ...optionsOf('file', 'out'), incremental: undefined }
  await runExport({ ...parts, ledger: silent(ledger) }, options, run)
  renameSync(join(folder, 'out'), join(folder, 'out.part'))
  assert.equal((await runExport(parts, options, run)).rows, 180)
  assert.equal(readFileSync(join(folder, 'out'), 'utf8').split('\n').length, 181)
})

test('a part file that was taken away is an error, until everything may be replaced anyway', async (t) => {
  const { folder, parts, ledger, optionsOf, run } = await setup(t)
  const options = { ...optionsOf('file', 'out'), incremental: undefined }
  await runExport({ ...parts, ledger: silent(ledger) }, options, run)
  rmSync(join(folder, 'out'))
  await assert.rejects(runExport(parts, options, run), { code: 'part-file-changed' })
  assert.equal((await runExport(parts, { ...options, overwrite: true }, run)).rows, 180)
})

test('reasons of an earlier export of the folder stay reasons', async (t) => {
  const { folder, parts, optionsOf, run } = await setup(t)
  const options = optionsOf('folder', 'out')
  const broken: ExportParts = {
    ...parts,
    source: {
      ...parts.source,
      open: async (...asked) => ({ ...(await parts.source.open(...asked)), brokenLines: () => 2 }),
    },
  }
  const first = await runExport(broken, options, run)
  assert.deepEqual([first.brokenLines, first.reasons], [2, ['2 broken input lines were left out']])
  const next = parts.ledger?.createRun('next', { ...run.question, to: WINDOW.to + HOUR_MS })
  await runExport(parts, { ...options, window: { from: WINDOW.to, to: WINDOW.to + HOUR_MS } }, next)
  const manifest = JSON.parse(readFileSync(join(folder, 'out/manifest.json'), 'utf8')) as Manifest
  assert.deepEqual([manifest.complete, manifest.reasons], [false, first.reasons])
})

/** A ledger to which the end is not told any more. */
function silent(ledger: Ledger): Ledger {
  return new Proxy(ledger, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown
      if (key === 'finish') return () => {}
      if (key === 'forgetWatermark') return () => {}
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('the manifest keeps who was read when a later export finds nothing new', async (t) => {
  const { folder, source, ledger, parts, optionsOf, run } = await setup(t)
  const known = { ...(await source.identify(parts.signal)), organization: 'org-1', retentionMs: 24 * HOUR_MS }
  await runExport(
    { ...parts, source: { ...source, identify: async () => known } },
    optionsOf('folder', 'out'),
    run,
  )
  const manifest = () => JSON.parse(readFileSync(join(folder, 'out/manifest.json'), 'utf8')) as Manifest
  const first = manifest().source
  assert.deepEqual(
    [first.organization, first.url, first.retentionFloor, 'retentionMs' in first],
    ['org-1', null, new Date(parts.clock.now() - 24 * HOUR_MS).toISOString(), false],
  )
  const again = ledger.createRun('again', { ...run.question, typedWindow: '', filter: '{}' })
  await runExport(parts, optionsOf('folder', 'out'), again)
  assert.deepEqual([manifest().runId, manifest().source], [again.id, first])
})

test('a folder that a name turns to later claims no more than it holds', async (t) => {
  const { folder, ledger, parts, optionsOf } = await setup(t)
  const manifestOf = (name: string) =>
    JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8')) as Manifest
  const middle = START + HOUR_MS
  const first = { ...optionsOf('file', 'elsewhere'), window: { from: START, to: middle } }
  const runOf = (key: string, window: { from: number; to: number }) =>
    ledger.createRun(key, {
      mode: 'export',
      source: 'prod',
      stream: null,
      ...window,
      typedWindow: '',
      filter: '{}',
    })
  await runExport(parts, first, runOf('first', first.window))
  // The overlap is read again, and nothing of it is new.
  const later = { ...optionsOf('folder', 'later'), window: { from: middle - 10 * MINUTE_MS, to: WINDOW.to } }
  await runExport(parts, later, runOf('later', later.window))
  assert.deepEqual(
    [manifestOf('later').totals.rows, manifestOf('later').window.from],
    [120, new Date(middle).toISOString()],
  )
})
