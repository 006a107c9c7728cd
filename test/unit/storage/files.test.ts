import assert from 'node:assert/strict'
import { chmod, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { UserError } from '../../../src/core/errors.ts'
import { readFileBlocks, readText } from '../../../src/storage/files.ts'
import { listInputs } from '../../../src/storage/inputs.ts'
import { plainStart } from '../../../src/storage/probe.ts'
import { inBlocks, put, tempFolder, textOf } from '../../support/temp-files.ts'

const TEXT = 'first line\nsecond é 日本 😀\n'.repeat(300)
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

const PACKED: Readonly<Record<string, Buffer>> = {
  plain: Buffer.from(TEXT),
  'with a byte order mark': Buffer.concat([BOM, Buffer.from(TEXT)]),
  'UTF-16 little endian': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(TEXT, 'utf16le')]),
  'UTF-16 big endian': Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(TEXT, 'utf16le').swap16()]),
  gzip: gzipSync(TEXT),
  'gzip of UTF-16': gzipSync(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(TEXT, 'utf16le')])),
  zstd: zstdCompressSync(TEXT),
  'zstd with a byte order mark': zstdCompressSync(Buffer.concat([BOM, Buffer.from(TEXT)])),
}

for (const [name, bytes] of Object.entries(PACKED)) {
  for (const size of [1, 7, 4096, 1 << 20]) {
    test(`readText() gives the same text for ${name} in blocks of ${size} bytes`, async () => {
      assert.equal(await textOf(readText(inBlocks(bytes, size), 'input')), TEXT)
    })
  }
}

test('readText() gives nothing for an empty input, and short ones whole', async () => {
  for (const text of ['', 'a', 'ab', 'abc']) {
    assert.equal(await textOf(readText(inBlocks(text, 1), 'input')), text)
  }
})

test('readFileBlocks() reads a file of many blocks whole', async (t) => {
  const folder = tempFolder(t)
  const content = 'x'.repeat(2_500_000)
  await put(folder, { 'a.txt': content })
  assert.equal(await textOf(readFileBlocks(join(folder, 'a.txt'))), content)
})

test('readFileBlocks() stops with the reason of its signal', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'a.txt': 'x' })
  const reason = new Error('enough')
  await assert.rejects(textOf(readFileBlocks(join(folder, 'a.txt'), AbortSignal.abort(reason))), reason)
})

test('a file that is missing, a folder or forbidden is a UserError that names it', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'secret.jsonl': '{}' })
  await chmod(join(folder, 'secret.jsonl'), 0)
  const cases = { 'nowhere.jsonl': /ENOENT/, '.': /EISDIR/, 'secret.jsonl/deeper': /ENOTDIR/ }
  for (const [name, code] of Object.entries(cases)) {
    await assert.rejects(textOf(readFileBlocks(join(folder, name))), (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, code)
      assert.ok(error.message.includes(folder))
      return true
    })
  }
  // The administrator may read everything.
  if (process.getuid?.() !== 0) {
    await assert.rejects(textOf(readFileBlocks(join(folder, 'secret.jsonl'))), /EACCES/)
  }
})

test('plainStart() tells where text lies in place', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    plain: 'abc',
    empty: '',
    bom: Buffer.concat([BOM, Buffer.from('abc')]),
    gz: gzipSync('abc'),
    zst: zstdCompressSync('abc'),
    utf16: Buffer.from([0xff, 0xfe, 0x61, 0]),
  })
  const starts = await Promise.all(
    ['plain', 'empty', 'bom', 'gz', 'zst', 'utf16'].map((name) => plainStart(join(folder, name))),
  )
  assert.deepEqual(starts, [0, 0, 3, undefined, undefined, undefined])
})

async function names(pattern: string, baseDir: string): Promise<{ files: string[]; skipped: string[] }> {
  const { files, skipped } = await listInputs(pattern, baseDir)
  const short = (path: string) => path.slice(baseDir.length + 1)
  return { files: files.map(({ path }) => short(path)), skipped: skipped.map(short) }
}

test('listInputs() finds what a file, a glob and a folder stand for, in the order of their names', async (t) => {
  const folder = tempFolder(t)
  await put(folder, {
    'out/dt=2026-11-20/hour=02/events.jsonl.gz': 'b',
    'out/dt=2026-11-20/hour=01/events.jsonl.gz': 'a',
    'out/manifest.json': '{}',
    'out/events.jsonl.manifest.json': '{}',
    'out/_SUCCESS': '',
    'out/.hidden.jsonl': '{}',
    'out/events.jsonl.part': '{}',
    'out/notes.pdf': 'x',
    'out/README.md': 'x',
    'b[1].jsonl': '{}',
    'one.bin': '{}',
  })
  const hive = ['out/dt=2026-11-20/hour=01/events.jsonl.gz', 'out/dt=2026-11-20/hour=02/events.jsonl.gz']
  assert.deepEqual((await names('out', folder)).files, hive)
  assert.deepEqual((await names('out/', folder)).files, hive)
  assert.deepEqual((await names('out/**/*.jsonl.gz', folder)).files, hive)
  assert.deepEqual(await names('out/*.json', folder), {
    files: [],
    skipped: ['out/events.jsonl.manifest.json', 'out/manifest.json'],
  })
  assert.deepEqual((await names('one.bin', folder)).files, ['one.bin'], 'a file by name is taken as it is')
  assert.deepEqual((await names('b[1].jsonl', folder)).files, ['b[1].jsonl'], 'a name like a pattern')
  assert.deepEqual((await names(join(folder, 'one.*'), folder)).files, ['one.bin'], 'an absolute pattern')
})

test('listInputs() takes what CircleCI wrote, where a bucket was copied to the disk', async (t) => {
  const folder = tempFolder(t)
  const hour = 'audit/year=2025/month=07/day=16/hour=09'
  await put(folder, {
    [`${hour}/2025-07-16T09-52-30_notes`]: 'x',
    [`${hour}/2025-07-16T09:52:30_${'a1'.repeat(20)}`]: '{}',
    'audit/circleci_connectivity_test_1763632800': '',
  })
  assert.deepEqual(await names('audit', folder), {
    files: [`${hour}/2025-07-16T09:52:30_${'a1'.repeat(20)}`],
    skipped: ['audit/circleci_connectivity_test_1763632800', `${hour}/2025-07-16T09-52-30_notes`],
  })
})

test('listInputs() follows links to files and says what cannot be found', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'real.jsonl': '{}', 'empty/x.pdf': '' })
  await symlink(join(folder, 'real.jsonl'), join(folder, 'link.jsonl'))
  assert.deepEqual((await names('l*.jsonl', folder)).files, ['link.jsonl'])
  for (const [pattern, words] of [
    ['none-*.jsonl', /matches no file/],
    ['none.jsonl', /ENOENT/],
    ['empty', /holds no data files/],
  ] as const) {
    await assert.rejects(listInputs(pattern, folder), (error: unknown) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, words)
      assert.ok(error.hint)
      return true
    })
  }
})
