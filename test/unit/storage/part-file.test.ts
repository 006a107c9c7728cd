import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { LocalError, UserError } from '../../../src/core/errors.ts'
import { readError, writeError } from '../../../src/storage/disk-errors.ts'
import { openPartFile } from '../../../src/storage/part-file.ts'
import { makePrivateFolder, replaceFile } from '../../../src/storage/private-files.ts'
import { put, tempFolder } from '../../support/temp-files.ts'

test('a part file takes its final name only when it is finished, and is private', async (t) => {
  const folder = tempFolder(t)
  const target = join(folder, 'out.jsonl')
  const part = await openPartFile(`${target}.part`)
  await part.append(Buffer.from('one\n'))
  await part.append(Buffer.from('two\n'))
  await part.sync()
  assert.equal(part.bytes, 8)
  assert.deepEqual(await readdir(folder), ['out.jsonl.part'])
  await part.finish(target)
  assert.deepEqual(await readdir(folder), ['out.jsonl'])
  assert.equal(await readFile(target, 'utf8'), 'one\ntwo\n')
  assert.equal((await stat(target)).mode & 0o777, 0o600)
})

test('a part file is cut back to the committed length and goes on from there', async (t) => {
  const path = join(tempFolder(t), 'a.part')
  const first = await openPartFile(path)
  await first.append(Buffer.from('kept|lost in the crash'))
  await first.close()
  await first.close()
  const resumed = await openPartFile(path, { resumeAt: 5 })
  assert.equal(resumed.bytes, 5)
  await resumed.append(Buffer.from('again'))
  await resumed.truncate(7)
  await resumed.append(Buffer.from('!'))
  await resumed.close()
  assert.equal(await readFile(path, 'utf8'), 'kept|ag!')
})

test('a part file that is shorter than what was committed, or gone, is refused', async (t) => {
  const path = join(tempFolder(t), 'a.part')
  await assert.rejects(openPartFile(path, { resumeAt: 5 }), /holds 0 bytes, but 5 were recorded/)
  await writeFile(path, 'abc')
  await assert.rejects(openPartFile(path, { resumeAt: 5 }), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /holds 3 bytes, but 5 were recorded/)
    return true
  })
  assert.equal(await readFile(path, 'utf8'), 'abc')
})

test('a part file opened anew forgets what an earlier one left', async (t) => {
  const path = join(tempFolder(t), 'a.part')
  await writeFile(path, 'left over')
  const part = await openPartFile(path)
  await part.close()
  assert.equal(await readFile(path, 'utf8'), '')
})

test('finishing over an existing file is refused without overwrite, and keeps both', async (t) => {
  const folder = tempFolder(t)
  const target = join(folder, 'out.jsonl')
  await writeFile(target, 'old')
  const part = await openPartFile(`${target}.part`)
  await part.append(Buffer.from('new'))
  await assert.rejects(part.finish(target), /already exists/)
  assert.equal(await readFile(target, 'utf8'), 'old')
  assert.equal(await readFile(`${target}.part`, 'utf8'), 'new')
  const again = await openPartFile(`${target}.part`, { resumeAt: 3 })
  await again.finish(target, { overwrite: true })
  assert.equal(await readFile(target, 'utf8'), 'new')
})

test('a discarded part file is gone', async (t) => {
  const folder = tempFolder(t)
  const part = await openPartFile(join(folder, 'a.part'))
  await part.append(Buffer.from('x'))
  await part.discard()
  assert.deepEqual(await readdir(folder), [])
})

test('a part file in a folder that is missing is a UserError', async (t) => {
  await assert.rejects(openPartFile(join(tempFolder(t), 'no', 'a.part')), (error: unknown) => {
    assert.ok(error instanceof UserError)
    assert.match(error.message, /ENOENT/)
    return true
  })
})

test('a full or failing disk is a LocalError that says what is intact; a forbidden place a UserError', () => {
  const fail = (code: string) => Object.assign(new Error(code), { code })
  for (const [code, words, todo] of [
    ['ENOSPC', /no space left/, /free some space/],
    ['EDQUOT', /quota/, /free some space/],
    ['EIO', /input\/output error/, /check the disk/],
    ['EROFS', /read-only/, /make the file system writable/],
  ] as const) {
    const error = writeError(fail(code), '/x/out.part', 'the first 10 bytes are intact')
    assert.ok(error instanceof LocalError)
    assert.equal(error.exitCode, 6)
    assert.match(error.message, words)
    assert.match(error.hint ?? '', /^the first 10 bytes are intact; /)
    assert.match(error.hint ?? '', todo)
  }
  const forbidden = writeError(fail('EACCES'), '/x', '')
  assert.ok(forbidden instanceof UserError)
  assert.ok(readError(fail('EIO'), '/x') instanceof LocalError)
  assert.ok(readError(fail('ENOENT'), '/x') instanceof UserError)
  const bug = new TypeError('a bug')
  assert.equal(writeError(bug, '/x', ''), bug)
})

test('a write to a full device ends with a LocalError', async (t) => {
  if (!(await stat('/dev/full').catch(() => undefined))) return t.diagnostic('this system has no /dev/full')
  const { FileSpill } = await import('../../../src/storage/id-spill.ts')
  const folder = tempFolder(t)
  const { symlink } = await import('node:fs/promises')
  await symlink('/dev/full', join(folder, 'ids'))
  const spill = new FileSpill(folder)
  t.after(() => spill.close())
  assert.throws(
    () => spill.append(Buffer.alloc(10)),
    (error: unknown) => {
      assert.ok(error instanceof LocalError)
      assert.match(error.message, /no space left on the disk \(ENOSPC\)/)
      return true
    },
  )
})

test('replaceFile() leaves the old content or the new, with mode 0600 and nothing beside it', async (t) => {
  const folder = tempFolder(t)
  await put(folder, { 'state.json': 'old' })
  await chmod(join(folder, 'state.json'), 0o644)
  await replaceFile(join(folder, 'state.json'), 'new')
  assert.deepEqual(await readdir(folder), ['state.json'])
  assert.equal(await readFile(join(folder, 'state.json'), 'utf8'), 'new')
  assert.equal((await stat(join(folder, 'state.json'))).mode & 0o777, 0o600)
  await mkdir(join(folder, 'taken'))
  await assert.rejects(replaceFile(join(folder, 'taken'), 'x'))
  assert.deepEqual((await readdir(folder)).sort(), ['state.json', 'taken'])
})

test('makePrivateFolder() makes folders for the owner only', async (t) => {
  const folder = tempFolder(t)
  await makePrivateFolder(join(folder, 'a', 'b'))
  assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(folder, 'a', 'b'))).mode & 0o777, 0o700)
  await put(folder, { file: '' })
  await assert.rejects(makePrivateFolder(join(folder, 'file', 'b')), UserError)
})
