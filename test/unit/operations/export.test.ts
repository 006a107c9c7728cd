import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { exportDisk } from '../../../src/cli/export-disk.ts'
import type { Compression } from '../../../src/core/export-disk.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { Manifest } from '../../../src/core/manifest.ts'
import { type Clock, SILENT } from '../../../src/core/runtime.ts'
import type { TimeRange } from '../../../src/core/time-range.ts'
import { FORMATS } from '../../../src/formats/registry.ts'
import { openFileInventory } from '../../../src/inventories/file.ts'
import { runExport } from '../../../src/operations/export/index.ts'
import type { ExportOptions, ExportParts } from '../../../src/operations/export/types.ts'
import { verifyFolder } from '../../../src/operations/verify/folder.ts'
import { Ledger } from '../../../src/state/ledger.ts'
import { readFileBlocks } from '../../../src/storage/files.ts'
import { type Bench, generatedWindow, startBench } from '../../support/infisical-source.ts'
import { tempFolder } from '../../support/temp-files.ts'

const EVENTS = 40_000 // 4,000 seconds: two hours of files

type Setup = {
  readonly bench: Bench
  readonly folder: string
  readonly parts: ExportParts
  readonly ledger: Ledger
  readonly written: Buffer[]
}

/** A clock on which every look at the monotonic time is three seconds later: each chunk is a checkpoint. */
function hurried(clock: Clock): Clock {
  let at = 0
  return { ...clock, monotonic: () => (at += 3000) }
}

async function setup(
  t: TestContext,
  options: {
    readonly format?: 'jsonl' | 'csv'
    readonly events?: number
    readonly clock?: (clock: Clock) => Clock
  } = {},
): Promise<Setup> {
  const bench = await startBench({ events: options.events ?? EVENTS })
  const folder = tempFolder(t)
  const clock = (options.clock ?? ((same: Clock) => same))(bench.clock)
  const ledger = await Ledger.open(join(folder, 'state'), clock)
  t.after(async () => {
    ledger.close()
    await bench.close()
  })
  const format = options.format ?? 'jsonl'
  const writer = await FORMATS[format]({ columns: format === 'csv' ? bench.source.shape.columns : undefined })
  const written: Buffer[] = []
  const parts: ExportParts = {
    source: bench.source,
    ledger,
    disk: exportDisk(),
    writer,
    clock,
    log: SILENT,
    signal: new AbortController().signal,
    concurrency: 4,
    version: 'test',
    write: async (bytes) => void written.push(Buffer.from(bytes)),
    flush: async () => {},
  }
  return { bench, folder, parts, ledger, written }
}

function optionsFor(
  window: TimeRange,
  target: ExportOptions['target'],
  more: Partial<ExportOptions> = {},
): ExportOptions {
  return {
    window,
    filter: NO_FILTER,
    format: 'jsonl',
    compression: 'none',
    target,
    overwrite: false,
    incremental: undefined,
    query: null,
    ...more,
  }
}

function newRun(ledger: Ledger, window: TimeRange, key = 'key') {
  return ledger.createRun(key, {
    mode: 'export',
    source: 'infisical',
    stream: null,
    ...window,
    typedWindow: '',
    filter: '{}',
  })
}

function expectedLines(bench: Bench): string[] {
  return [...(bench.server.events?.() ?? [])].map((event) => String(event['id']))
}

const idsOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)

test('an export to a file holds every event once, oldest first', async (t) => {
  const { bench, folder, parts, ledger } = await setup(t, { events: 12_345 })
  const path = join(folder, 'out.jsonl')
  const window = generatedWindow(12_345)
  const result = await runExport(parts, optionsFor(window, { kind: 'file', path }), newRun(ledger, window))
  assert.equal(result.rows, 12_345)
  assert.deepEqual(idsOf(readFileSync(path, 'utf8')), expectedLines(bench))
})

for (const compression of ['none', 'gzip', 'zstd'] as const satisfies readonly Compression[]) {
  test(`an export (${compression}) stopped in the middle goes on where it was and ends with the same bytes`, async (t) => {
    const { folder, parts, ledger } = await setup(t, { clock: hurried })
    const window = generatedWindow(EVENTS)
    const whole = join(folder, 'whole')
    await runExport(
      parts,
      optionsFor(window, { kind: 'file', path: whole }, { compression }),
      newRun(ledger, window, 'whole'),
    )
    const path = join(folder, 'stopped')
    const run = newRun(ledger, window, 'stopped')
    const options = optionsFor(window, { kind: 'file', path }, { compression })
    for (const stopAt of [9000, 26_000]) {
      const stop = new AbortController()
      const stopping = {
        ...parts,
        signal: stop.signal,
        observe: ({ events }: { events: number }) => events >= stopAt && stop.abort(new Error('stopped')),
      }
      await assert.rejects(runExport(stopping, options, ledger.readRun(run.id) ?? run), /stopped/)
      // What was written after the last checkpoint is lost with the machine.
      appendFileSync(`${path}.part`, 'torn')
    }
    const { rows } = await runExport(parts, options, ledger.readRun(run.id) ?? run)
    assert.equal(rows, EVENTS)
    assert.ok(readFileSync(path).equals(readFileSync(whole)))
  })
}

test('an export to a folder stopped in the middle ends with the same files and manifest', async (t) => {
  const { folder, parts, ledger } = await setup(t)
  const window = generatedWindow(EVENTS)
  const [whole, stopped] = [join(folder, 'whole'), join(folder, 'stopped')]
  await runExport(
    parts,
    optionsFor(window, { kind: 'folder', path: whole }, { compression: 'gzip' }),
    newRun(ledger, window, 'whole'),
  )
  const run = newRun(ledger, window, 'stopped')
  const options = optionsFor(window, { kind: 'folder', path: stopped }, { compression: 'gzip' })
  const stop = new AbortController()
  await assert.rejects(
    runExport(
      {
        ...parts,
        signal: stop.signal,
        observe: ({ events }) => events >= 30_000 && stop.abort(new Error('stopped')),
      },
      options,
      run,
    ),
  )
  await runExport(parts, options, ledger.readRun(run.id) ?? run)
  const [left, right] = [whole, stopped].map(
    (path) => JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8')) as Manifest,
  )
  assert.deepEqual(right?.files, left?.files)
  assert.equal(right?.idDigest, left?.idDigest)
  assert.deepEqual(
    left?.files.map(({ path }) => path),
    ['dt=2026-11-01/hour=00/part-0000.jsonl.gz', 'dt=2026-11-01/hour=01/part-0000.jsonl.gz'],
  )
  for (const { path } of left?.files ?? [])
    assert.ok(readFileSync(join(whole, path)).equals(readFileSync(join(stopped, path))))
})

test('a folder passes verify, and each kind of damage is named with its file', async (t) => {
  const { folder, parts, ledger } = await setup(t, { format: 'csv' })
  const window = generatedWindow(EVENTS)
  const root = join(folder, 'audit')
  await runExport(
    parts,
    optionsFor(window, { kind: 'folder', path: root }, { format: 'csv', compression: 'gzip' }),
    newRun(ledger, window),
  )
  const manifest = (): Manifest => JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')) as Manifest
  const verdict = async (): Promise<string[]> =>
    (await verifyFolder(storeOf(root), manifest())).findings.map(({ path, problem }) => `${path} ${problem}`)
  // Somebody's detached signature is no foreign file.
  writeFileSync(join(root, 'manifest.json.sig'), 'signed')
  assert.deepEqual(await verdict(), [])
  assert.equal(
    gunzipSync(readFileSync(join(root, manifest().files[0]?.path ?? '')))
      .subarray(0, 12)
      .toString(),
    'id,createdAt',
  )
  const [first = '', second = ''] = manifest().files.map(({ path }) => path)
  const content = readFileSync(join(root, first))
  const flipped = Buffer.from(content)
  flipped[flipped.length - 20] = (flipped.at(-20) ?? 0) ^ 1
  writeFileSync(join(root, first), flipped)
  assert.match((await verdict()).join('\n'), /hour=00\/part-0000.csv.gz is altered: its SHA-256/)
  writeFileSync(join(root, first), content)
  renameSync(join(root, second), join(folder, 'aside'))
  assert.match((await verdict()).join('\n'), /hour=01\/part-0000.csv.gz is missing/)
  renameSync(join(folder, 'aside'), join(root, second))
  mkdirSync(join(root, 'dt=2026-11-02'), { recursive: true })
  writeFileSync(join(root, 'dt=2026-11-02', 'more.csv'), 'id\n')
  assert.deepEqual(await verdict(), ['dt=2026-11-02/more.csv is foreign: the manifest does not name it'])
  rmSync(join(root, 'dt=2026-11-02'), { recursive: true })
  const lying = { ...manifest(), totals: { ...manifest().totals, rows: 1 }, idDigest: '0'.repeat(32) }
  const problems = (await verifyFolder(storeOf(root), lying)).findings.map(({ problem }) => problem)
  assert.deepEqual(problems, [
    `totals.rows is 1, its files add up to ${EVENTS}`,
    'the id digest does not match the ids in the files',
  ])
})

test('an incremental export adds what is new, finds late events inside the overlap, and repeats none', async (t) => {
  const { bench, folder, parts, ledger } = await setup(t, { events: 10_000 })
  const root = join(folder, 'audit')
  const all = generatedWindow(10_000)
  const middle = all.from + 600_000
  const incremental = { name: 'nightly', overlapMs: 60_000 }
  const first = { from: all.from, to: middle }
  const before = await runExport(
    parts,
    optionsFor(first, { kind: 'folder', path: root }, { incremental }),
    newRun(ledger, first, 'one'),
  )
  const late = new Date(middle - 30_000).toISOString()
  const event = {
    id: '11111111-1111-4111-8111-111111111111',
    createdAt: late,
    updatedAt: late,
    event: { type: 'get-secret', metadata: {} },
    actor: { type: 'platform', metadata: {} },
  }
  await bench.append([JSON.stringify(event)])
  const second = { from: middle - 60_000, to: all.to }
  const { rows } = await runExport(
    parts,
    optionsFor(second, { kind: 'folder', path: root }, { incremental }),
    newRun(ledger, second, 'two'),
  )
  const manifest = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')) as Manifest
  const ids = manifest.files.flatMap(({ path }) => idsOf(readFileSync(join(root, path), 'utf8')))
  assert.equal(new Set(ids).size, ids.length)
  assert.equal(ids.length, 10_001)
  assert.equal(rows, 10_001 - before.rows)
  assert.ok(ids.includes(event.id))
  assert.deepEqual((await verifyFolder(storeOf(root), manifest)).findings, [])
  assert.equal(manifest.window.from, new Date(all.from).toISOString())
})

test('an incremental export to stdout goes on after what was flushed', async (t) => {
  const { parts, written } = await setup(t, { events: 5000 })
  const all = generatedWindow(5000)
  const incremental = { name: 'pipe', overlapMs: 10_000 }
  const middle = all.from + 300_000
  await runExport(parts, optionsFor({ from: all.from, to: middle }, undefined, { incremental }), undefined)
  await runExport(
    parts,
    optionsFor({ from: middle - 10_000, to: all.to }, undefined, { incremental }),
    undefined,
  )
  const ids = idsOf(Buffer.concat(written).toString('utf8'))
  assert.deepEqual([ids.length, new Set(ids).size], [5000, 5000])
})

test('a CSV of no events still has its header, and an empty folder a manifest that says so', async (t) => {
  const { folder, parts, ledger, written } = await setup(t, { format: 'csv', events: 10 })
  const empty = { from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 9, 1, 2) }
  await runExport(parts, optionsFor(empty, undefined, { format: 'csv' }), undefined)
  assert.match(Buffer.concat(written).toString('utf8'), /^id,createdAt,[^\r\n]*\r\n$/)
  const root = join(folder, 'audit')
  mkdirSync(root)
  await runExport(
    parts,
    optionsFor(empty, { kind: 'folder', path: root }, { format: 'csv' }),
    newRun(ledger, empty),
  )
  const manifest = JSON.parse(readFileSync(join(root, 'manifest.json'), 'utf8')) as Manifest
  assert.deepEqual(manifest.emptyIntervals, [
    { from: '2026-10-01T00:00:00.000Z', to: '2026-10-01T02:00:00.000Z' },
  ])
  assert.deepEqual([manifest.totals.rows, manifest.complete], [0, true])
})

function storeOf(root: string) {
  const signal = new AbortController().signal
  return {
    async *list() {
      const { glob } = await import('node:fs/promises')
      const { statSync } = await import('node:fs')
      for await (const entry of glob('**/*', { cwd: root }))
        if (entry !== 'manifest.json' && statSync(join(root, entry)).isFile()) yield entry
    },
    read(path: string) {
      try {
        readFileSync(join(root, path))
      } catch {
        return undefined
      }
      return readFileBlocks(join(root, path))
    },
    async *ids(path: string) {
      const file = await openFileInventory({
        path: join(root, path),
        stdin: process.stdin,
        baseDir: root,
        signal,
      })
      const rows = file.ids({ from: 0, to: 9e15 }, { signal })
      for (let step = await rows.next(); !step.done; step = await rows.next()) yield step.value.ids
    },
  }
}
