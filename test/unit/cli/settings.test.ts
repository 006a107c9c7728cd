import assert from 'node:assert/strict'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../../src/cli/runtime.ts'
import { loadSettings, type SettingsRequest } from '../../../src/cli/settings.ts'
import type { HttpClient } from '../../../src/core/http.ts'
import { SILENT } from '../../../src/core/runtime.ts'
import { tempFolder } from '../config/temp-folder.ts'
import { fakeRegistries, revealed } from './fake-definitions.ts'

const VAULT = { type: 'vault', url: 'https://v.example', auth: { method: 'token', token: 'env:VAULT_TOKEN' } }
const SIEM = { provider: 'siem', url: 'https://s.example', token: 'file:token' }
const PARTS = { http: {} as HttpClient, clock: systemClock, log: SILENT }
const SOURCE_PARTS = { ...PARTS, scratch: async () => '', stdin: (async function* () {})(), strict: false }

function setUp(t: TestContext, config: object | undefined, change: Partial<SettingsRequest> = {}) {
  const folder = tempFolder(t)
  const path = join(folder, 'config.json')
  if (config !== undefined) writeFileSync(path, JSON.stringify({ version: 1, ...config }), { mode: 0o600 })
  const { registries, world } = fakeRegistries()
  const warnings: string[] = []
  const env = { AUDITCTL_CONFIG: path, ...change.env }
  const load = () =>
    loadSettings({
      flags: {},
      log: { ...SILENT, warn: (message) => void warnings.push(message) },
      signal: new AbortController().signal,
      registries,
      ...change,
      env,
    })
  return { folder, path, world, warnings, load }
}

test('sourceName is --source, else AUDITCTL_SOURCE, else defaultSource, else the only one, else the environment’s', async (t) => {
  const two = { sources: { a: VAULT, b: VAULT } }
  const infisical = { INFISICAL_API_URL: 'https://i.example', INFISICAL_TOKEN: 't' }
  const scaivault = { SCAIVAULT_URL: 'https://s.example', SCAIVAULT_TOKEN: 't' }
  for (const [config, flag, env, expected] of [
    [{ ...two, defaultSource: 'a' }, 'b', { AUDITCTL_SOURCE: 'a' }, 'b'],
    [{ ...two, defaultSource: 'a' }, undefined, { AUDITCTL_SOURCE: 'b' }, 'b'],
    [{ ...two, defaultSource: 'b' }, undefined, infisical, 'b'],
    [{ sources: { a: VAULT } }, undefined, infisical, 'a'],
    [{ sources: { a: VAULT } }, 'env', infisical, 'env'],
    [undefined, undefined, infisical, 'env'],
    [undefined, undefined, scaivault, 'env-scaivault'],
    [two, undefined, infisical, 'env'],
  ] as const) {
    const settings = await setUp(t, config, { flags: { source: flag }, env }).load()
    assert.equal(settings.sourceName(), expected)
  }
})

test('sourceName refuses to guess, and says what to add', async (t) => {
  for (const [config, flag, env, message, hint] of [
    [undefined, undefined, {}, /No source is configured, and there is no file/, /source add/],
    [undefined, undefined, { INFISICAL_TOKEN: 't' }, /No source/, /set INFISICAL_API_URL as well/],
    [{ sources: { a: VAULT, b: VAULT } }, undefined, {}, /Which source/, /--source a, --source b/],
    [{ sources: { prod: VAULT } }, 'prd', {}, /no source named "prd"/, /did you mean prod/],
    [{ sources: { prod: VAULT } }, 'constructor', {}, /no source named/, /there is prod/],
  ] as const) {
    const settings = await setUp(t, config, { flags: { source: flag }, env }).load()
    assert.throws(() => settings.sourceName(), { name: 'UserError', exitCode: 2, message, hint })
  }
})

test('a file named by the flag must be there; one named by the variable need not', async (t) => {
  const missing = join(tempFolder(t), 'none.json')
  const { load } = setUp(t, undefined)
  assert.deepEqual((await load()).sourceNames, [])
  await assert.rejects(setUp(t, undefined, { flags: { config: missing } }).load(), {
    message: new RegExp(missing),
  })
})

test('openSource builds the source from its settings, and its secrets resolve', async (t) => {
  const { load, world, folder } = setUp(
    t,
    { sources: { prod: { ...VAULT, tls: { caFile: 'ca.pem' } } } },
    { env: { VAULT_TOKEN: 'hunter2-secret' } },
  )
  const settings = await load()
  await settings.openSource('prod', SOURCE_PARTS)
  const [opened] = world.opened
  assert.deepEqual([opened?.name, opened?.baseDir], ['prod', folder])
  assert.equal(await revealed(opened?.options, 'auth', 'token'), 'hunter2-secret')
  assert.doesNotMatch(JSON.stringify(opened?.options), /hunter2/)
  const { tls, slack } = (opened?.options ?? {}) as { tls?: { caFile: string }; slack?: number }
  assert.deepEqual([tls?.caFile, slack], [join(folder, 'ca.pem'), 7_200_000])
})

test('a stream and its inventory share settings, so that a cmd: secret is run once', async (t) => {
  const { load, world, folder } = setUp(t, undefined)
  const script = join(folder, 'secret.sh')
  writeFileSync(script, '#!/bin/sh\necho run >> runs\necho "from $1"\n', { mode: 0o700 })
  const soc = { ...SIEM, token: `cmd:./secret.sh "the vault"`, search: { url: 'https://q', token: 'env:Q' } }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ version: 1, streams: { soc } }), {
    mode: 0o600,
  })
  const settings = await load()
  await settings.openStream('soc', PARTS)
  await settings.openInventory('soc', 'vault', PARTS)
  const [stream, inventory] = world.opened
  assert.equal(await revealed(stream?.options, 'token'), 'from the vault')
  assert.equal(await revealed(inventory?.options, 'token'), 'from the vault')
  assert.equal(inventory?.sourceType, 'vault')
  assert.equal(existsSync(join(folder, 'runs')), true)
  const { readFileSync } = await import('node:fs')
  assert.equal(readFileSync(join(folder, 'runs'), 'utf8'), 'run\n')
})

test('openInventory gives nothing without search credentials', async (t) => {
  const settings = await setUp(t, { streams: { soc: SIEM } }).load()
  assert.equal(await settings.openInventory('soc', 'vault', PARTS), undefined)
})

test('openInventory runs no command of a file that others can write', async (t) => {
  const { load, path } = setUp(t, { streams: { soc: { ...SIEM, inventory: { command: ['./ids'] } } } })
  for (const mode of [0o620, 0o602]) {
    chmodSync(path, mode)
    await assert.rejects((await load()).openInventory('soc', 'vault', PARTS), {
      name: 'UserError',
      exitCode: 2,
      message: `The inventory command of the stream soc of ${path} is not run, since others can write it`,
    })
  }
  chmodSync(path, 0o644)
  await assert.doesNotReject((await load()).openInventory('soc', 'vault', PARTS))
})

test('an entry is checked when it is opened, and does not disturb the others', async (t) => {
  const config = {
    sources: { good: VAULT, bad: { ...VAULT, regoin: 'eu', rate: 0 }, odd: { type: 'valut' } },
    streams: { over: { ...SIEM, batch: { maxEvents: 1001, maxBytes: 5 } }, odd: { provider: 'x' } },
  }
  const { load, path } = setUp(t, config)
  const settings = await load()
  await settings.sourceSettings('good')
  await assert.rejects(settings.sourceSettings('bad'), {
    name: 'UserError',
    message: `${path} has 2 problems: (1) sources.bad.rate: found 0; it must be more than 0 (2) sources.bad.regoin: unknown key; did you mean region?`,
  })
  await assert.rejects(
    settings.sourceSettings('odd'),
    /sources\.odd\.type: found "valut"; allowed: vault; did you mean "vault"\?/,
  )
  await assert.rejects(
    settings.streamSettings('over'),
    /streams\.over\.batch\.maxEvents: found 1001; the provider takes at most 1000/,
  )
  await assert.rejects(settings.streamSettings('odd'), /streams\.odd\.provider: found "x"; allowed: siem/)
})

test('checkPair refuses a source that the stream does not name', async (t) => {
  const config = { sources: { a: VAULT, b: VAULT }, streams: { any: SIEM, soc: { ...SIEM, sources: ['a'] } } }
  const settings = await setUp(t, config).load()
  settings.checkPair('b', 'any')
  settings.checkPair('a', 'soc')
  assert.throws(() => settings.checkPair('b', 'soc'), {
    name: 'UserError',
    exitCode: 2,
    message: /stream soc may not be paired with the source b/,
    hint: /allows a$/,
  })
  assert.throws(() => settings.checkPair('b', 'sock'), { hint: /did you mean soc/ })
})

test('a literal secret in a file that others can read is a warning, a reference is none', async (t) => {
  for (const [token, mode, count] of [
    ['hunter2-secret', 0o644, 1],
    ['hunter2-secret', 0o600, 0],
    ['env:X', 0o644, 0],
  ] as const) {
    const { load, warnings, path } = setUp(t, { streams: { soc: { ...SIEM, token } } })
    chmodSync(path, mode)
    const settings = await load()
    await settings.openStream('soc', PARTS)
    assert.equal(warnings.length, count)
    if (count > 0) assert.match(warnings.join(), /chmod 600/)
    assert.doesNotMatch(warnings.join(), /hunter2/)
  }
})

test('the real registries are loaded when none are handed in', async (t) => {
  const { path } = setUp(t, {})
  const settings = await loadSettings({
    env: { AUDITCTL_CONFIG: path },
    flags: {},
    log: SILENT,
    signal: new AbortController().signal,
  })
  assert.ok('infisical' in settings.registries.sources && 'splunk' in settings.registries.destinations)
})
