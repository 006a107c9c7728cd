import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { grouped } from '../../../src/cli/grouped.ts'
import { openSource } from '../../../src/cli/job.ts'
import { BrokenPipeError, outputTo } from '../../../src/cli/output.ts'
import { loadSettings } from '../../../src/cli/settings.ts'
import { LocalError } from '../../../src/core/errors.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { tempFolder } from '../../support/temp-files.ts'
import { fakeRuntime, invocation } from './fake-runtime.ts'

test('put() resolves when the bytes have left and may be overwritten, also where the stream would take more', async () => {
  const seen: string[] = []
  const stream = new Writable({
    highWaterMark: 1_000_000,
    write(chunk: Buffer, _, done) {
      setImmediate(() => {
        seen.push(chunk.toString())
        done()
      })
    },
  })
  const output = outputTo(stream, false)
  const buffer = Buffer.alloc(3)
  for (const text of ['one', 'two', 'six']) {
    buffer.write(text)
    await output.put(buffer)
  }
  assert.deepEqual(seen, ['one', 'two', 'six'])
})

test('put() says when nobody reads any more, and when the disk is full', async () => {
  for (const [code, kind] of [
    ['EPIPE', BrokenPipeError],
    ['ENOSPC', LocalError],
  ] as const) {
    const stream = new Writable({
      write: (_, __, done) => done(Object.assign(new Error(code), { code })),
    })
    const output = outputTo(stream, false)
    await assert.rejects(output.put(Buffer.from('x')), kind)
    await assert.rejects(output.put(Buffer.from('y')), kind)
  }
})

test('a terminal sees no control character of an event, whichever way its bytes are written', async () => {
  const seen: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      seen.push(chunk.toString())
      done()
    },
  })
  const output = outputTo(stream, true)
  const hostile = Buffer.from('{"id":"\u001b[2J\u202e"}')
  await output.write(hostile)
  await output.put(hostile)
  await output.flush()
  const [first, second] = seen.filter((text) => text !== '')
  assert.equal(first, second)
  assert.doesNotMatch(String(second), /[\u001b\u202e]/u)
  assert.match(String(second), /\{"id":/)
})

test('grouped() sets a comma before each three digits', () => {
  for (const n of [0, 7, 999, 1000, 12_345, 999_999, 1_000_000, 1_234_567_890])
    assert.equal(grouped(n), n.toLocaleString('en-US'))
})

test('a source of files is opened without what makes requests', async (t) => {
  const folder = tempFolder(t)
  const path = join(folder, 'config.json')
  const sources = { old: { type: 'file', path: 'x.jsonl' } }
  writeFileSync(path, JSON.stringify({ version: 1, sources }), { mode: 0o600 })
  const settings = await loadSettings({
    env: { AUDITCTL_CONFIG: path },
    flags: {},
    log: SILENT,
    signal: new AbortController().signal,
  })
  const { runtime } = fakeRuntime({})
  const http = () => assert.fail('the network was loaded')
  const source = await openSource(settings, invocation('export'), { ...runtime, http })
  assert.equal(source.name, 'old')
})
