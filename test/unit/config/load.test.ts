import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Conf from 'conf'
import { loadConfig, parseConfig, saveConfig } from '../../../src/config/load.ts'
import type { UserError } from '../../../src/core/errors.ts'
import { tempFolder } from './temp-folder.ts'

const CONFIG = {
  version: 1,
  defaultSource: 'my.prod',
  sources: { 'my.prod': { type: 'file', path: '*.jsonl' } },
  streams: { soc: { provider: 'splunk', url: 'https://hec.example' } },
} as const

test('conf and the direct reader see the same file, whichever wrote it', async (t) => {
  const path = join(tempFolder(t), 'new', 'settings.conf')
  await saveConfig(loadConfig(path, { mustExist: false }), CONFIG)
  assert.deepEqual(loadConfig(path, { mustExist: true }).config, CONFIG)

  const conf = new Conf<Record<string, unknown>>({
    projectName: 'auditctl',
    cwd: join(path, '..'),
    configName: 'settings.conf',
    fileExtension: '',
  })
  assert.equal(conf.path, path)
  assert.deepEqual(JSON.parse(JSON.stringify(conf.store)), CONFIG)
  conf.set('streams.soc.index', 'audit')
  assert.equal(loadConfig(path, { mustExist: true }).config.streams['soc']?.['index'], 'audit')
})

test('saveConfig writes the file for its owner only and leaves nothing beside it', async (t) => {
  const folder = join(tempFolder(t), 'auditctl')
  const path = join(folder, 'config.json')
  await saveConfig(loadConfig(path, { mustExist: false }), CONFIG)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(folder), ['config.json'])
  assert.match(readFileSync(path, 'utf8'), /^\{\n {2}"version": 1,[\s\S]*\}\n$/)

  chmodSync(path, 0o644)
  await saveConfig(loadConfig(path, { mustExist: true }), { ...CONFIG, streams: {} })
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('saveConfig follows a link, as dotfile managers make them', async (t) => {
  const folder = tempFolder(t)
  const [real, link] = [join(folder, 'real.json'), join(folder, 'link.json')]
  writeFileSync(real, '{"version": 1}')
  symlinkSync(real, link)
  await saveConfig(loadConfig(link, { mustExist: true }), CONFIG)
  assert.deepEqual(JSON.parse(readFileSync(real, 'utf8')), CONFIG)
})

test('saveConfig refuses a file that another program changed meanwhile', async (t) => {
  const path = join(tempFolder(t), 'config.json')
  writeFileSync(path, '{"version": 1}')
  const loaded = loadConfig(path, { mustExist: true })
  writeFileSync(path, '{"version": 1, "sources": {}}')
  await assert.rejects(saveConfig(loaded, CONFIG), /changed by another program/)
  assert.equal(readFileSync(path, 'utf8'), '{"version": 1, "sources": {}}')
})

test('a read-only file is read, and is not replaced', async (t) => {
  const path = join(tempFolder(t), 'config.json')
  writeFileSync(path, JSON.stringify(CONFIG))
  chmodSync(path, 0o444)
  const loaded = loadConfig(path, { mustExist: true })
  assert.deepEqual(loaded.config, CONFIG)
  await assert.rejects(saveConfig(loaded, CONFIG), { name: 'UserError', message: /is read-only/ })
})

test('a missing file counts as empty, unless it must exist', (t) => {
  const path = join(tempFolder(t), 'none.json')
  const loaded = loadConfig(path, { mustExist: false })
  assert.deepEqual([loaded.text, loaded.config.sources], [undefined, {}])
  assert.equal(existsSync(path), false)
  assert.throws(() => loadConfig(path, { mustExist: true }), { name: 'UserError', message: new RegExp(path) })
})

test('parseConfig names the place of a syntax error without quoting the text', () => {
  const text = '{\n  "version": 1,\n  "sources": {"a": {"type": "x", "token": "hunter2-secret" oops}}\n}'
  assert.throws(
    () => parseConfig(text, '/c.json'),
    (error: Error) => {
      assert.match(error.message, /^\/c\.json:3:60: not valid JSON: expected a comma/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    },
  )
})

test('parseConfig takes a byte order mark', () => {
  assert.equal(parseConfig('\uFEFF{"version": 1}', '/c').version, 1)
})

test('parseConfig names what is wrong with the frame, what was found and what is allowed', () => {
  for (const [value, message] of [
    [{}, /there is no version; this auditctl reads version 1/],
    [{ version: 2 }, /version 2; this auditctl reads version 1/],
    [[], /must be a JSON object/],
    [{ version: 1, sorces: {} }, /sorces: unknown key; did you mean sources\?/],
    [{ version: 1, sources: [] }, /sources: found a list; allowed: an object/],
    [{ version: 1, sources: { a: {} } }, /sources\.a\.type: is missing; allowed: a text/],
    [{ version: 1, sources: { a: 'hunter2' } }, /sources\.a: found a text; allowed: an object/],
    [{ version: 1, sources: { 'a b': { type: 'x' } } }, /sources\.a b: a name has letters/],
    [{ version: 1, streams: { a: { provider: 5 } } }, /streams\.a\.provider: found 5; allowed: a text/],
    [
      { version: 1, defaultSource: 'prd', sources: { prod: { type: 'x' } } },
      /defaultSource: there is no source named "prd"; did you mean prod\?/,
    ],
    [
      { version: 1, a: 1, defaultSource: 7 },
      /has 2 problems: \(1\) defaultSource: found 7; allowed: a text \(2\) a: unknown key; allowed: version/,
    ],
  ] as const) {
    assert.throws(() => parseConfig(JSON.stringify(value), '/c.json'), {
      name: 'UserError',
      exitCode: 2,
      message,
    })
  }
})

test('every refusal of a configuration says what to do next', (t) => {
  const folder = tempFolder(t)
  for (const refuse of [
    () => parseConfig('', '/c.json'),
    () => parseConfig('[]', '/c.json'),
    () => parseConfig('{"version": 1,', '/c.json'),
    () => parseConfig('{"version": 1, "a": 1}', '/c.json'),
    () => loadConfig(folder, { mustExist: true }),
    () => loadConfig(join(folder, 'none.json'), { mustExist: true }),
  ]) {
    assert.throws(refuse, (error: UserError) => {
      assert.equal(error.exitCode, 2)
      assert.ok((error.hint ?? '') !== '', error.message)
      return true
    })
  }
})

test('parseConfig is not fooled by keys that objects have by nature', () => {
  assert.throws(() => parseConfig('{"version": 1, "defaultSource": "constructor"}', '/c'), /no source named/)
  assert.throws(() => parseConfig('{"version": 1, "__proto__": {}}', '/c'), /__proto__: unknown key/)
})
