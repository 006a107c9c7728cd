import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type SecretParts, secretResolver } from '../../../src/config/secrets.ts'
import { tempFolder } from './temp-folder.ts'

function setUp(context: TestContext, change: Partial<SecretParts> = {}) {
  const folder = tempFolder(context)
  const configFile = join(folder, 'config.json')
  writeFileSync(configFile, '{"version": 1}', { mode: 0o600 })
  const commands: string[] = []
  const resolve = secretResolver({
    env: { HEC_TOKEN: 'from-env', EMPTY: '' },
    configFile,
    async runCommand(line) {
      commands.push(line)
      return Buffer.from('from-command\n')
    },
    keychain: async (name) => (name === 'known' ? 'from-keychain' : null),
    ...change,
  })
  return { folder, configFile, commands, resolve }
}

test('secretResolver resolves every kind of reference, and takes a literal as it is', async (t) => {
  const { folder, resolve, commands } = setUp(t)
  writeFileSync(join(folder, 'token'), 'from-file\n')
  writeFileSync(join(folder, 'crlf'), ' spaces stay \r\n')
  for (const [reference, value] of [
    ['env:HEC_TOKEN', 'from-env'],
    ['file:token', 'from-file'],
    [`file:${folder}/crlf`, ' spaces stay '],
    ['cmd:op read x', 'from-command'],
    ['keychain:known', 'from-keychain'],
    ['literal', 'literal'],
    ['https://x:y', 'https://x:y'],
  ] as const) {
    assert.equal(await resolve(reference), value)
  }
  assert.deepEqual(commands, ['op read x'])
})

test('secretResolver names a reference that cannot be resolved, with exit code 2', async (t) => {
  const { folder, resolve } = setUp(t)
  writeFileSync(join(folder, 'empty'), '\n')
  for (const [reference, message] of [
    ['env:MISSING', /environment variable MISSING is not set/],
    ['env:EMPTY', /environment variable EMPTY is empty/],
    ['env:', /names nothing/],
    ['file:none', /secret file .*none cannot be read \(ENOENT\)/],
    ['file:empty', /empty is empty/],
    ['keychain:other', /keychain has no entry other of the service auditctl/],
  ] as const) {
    await assert.rejects(async () => resolve(reference), { name: 'UserError', exitCode: 2, message })
  }
})

test('secretResolver says that there is no keychain, and what to use instead', async (t) => {
  const { resolve } = setUp(t, {
    keychain: () => Promise.reject(new Error('Couldn’t access platform storage')),
  })
  await assert.rejects(async () => resolve('keychain:x'), {
    name: 'UserError',
    message: /no keychain here/,
    hint: /env:, file: or cmd:/,
  })
})

test('secretResolver runs no command from a file that others can write', async (t) => {
  const { configFile, commands, resolve } = setUp(t)
  for (const mode of [0o620, 0o602, 0o666]) {
    chmodSync(configFile, mode)
    await assert.rejects(async () => resolve('cmd:op read x'), {
      name: 'UserError',
      message: /others can write it/,
    })
  }
  assert.deepEqual(commands, [])
  for (const mode of [0o600, 0o644, 0o400]) {
    chmodSync(configFile, mode)
    assert.equal(await resolve('cmd:op read x'), 'from-command')
  }
})
