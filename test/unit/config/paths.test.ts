import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { configPath, ensureStateDir, stateDir } from '../../../src/config/paths.ts'
import { tempFolder } from './temp-folder.ts'

const home = userInfo().homedir

test('configPath prefers the flag, then AUDITCTL_CONFIG, then XDG, then HOME, then the account', () => {
  const env = { AUDITCTL_CONFIG: '/e/c.json', XDG_CONFIG_HOME: '/x', HOME: '/h' }
  assert.equal(configPath(env, 'flag.json'), resolve('flag.json'))
  assert.equal(configPath(env), '/e/c.json')
  assert.equal(configPath({ ...env, AUDITCTL_CONFIG: '' }), '/x/auditctl/config.json')
  assert.equal(configPath({ XDG_CONFIG_HOME: 'relative', HOME: '/h' }), '/h/.config/auditctl/config.json')
  assert.equal(configPath({ HOME: '/h' }), '/h/.config/auditctl/config.json')
  assert.equal(configPath({}), join(home, '.config/auditctl/config.json'))
})

test('stateDir prefers AUDITCTL_STATE_DIR, then XDG, then HOME, then the account', () => {
  assert.equal(stateDir({ AUDITCTL_STATE_DIR: '/s', XDG_STATE_HOME: '/x' }), '/s')
  assert.equal(stateDir({ XDG_STATE_HOME: '/x', HOME: '/h' }), '/x/auditctl')
  assert.equal(stateDir({ HOME: '/h' }), '/h/.local/state/auditctl')
  assert.equal(stateDir({}), join(home, '.local/state/auditctl'))
})

test('ensureStateDir creates the folder and those above it for the owner only', (t) => {
  const root = tempFolder(t)
  const folder = ensureStateDir({ XDG_STATE_HOME: join(root, 'a/b') })
  assert.equal(folder, join(root, 'a/b/auditctl'))
  for (const made of ['a', 'a/b', 'a/b/auditctl'])
    assert.equal(statSync(join(root, made)).mode & 0o777, 0o700)
})

test('ensureStateDir leaves the mode of a folder that is there alone', (t) => {
  const folder = join(tempFolder(t), 'shared')
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  ensureStateDir({ AUDITCTL_STATE_DIR: folder })
  assert.equal(statSync(folder).mode & 0o777, 0o755)
})

test('ensureStateDir names a folder that cannot be made, and exits 2', (t) => {
  const file = join(tempFolder(t), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'below')]) {
    assert.throws(() => ensureStateDir({ AUDITCTL_STATE_DIR: path }), {
      name: 'UserError',
      exitCode: 2,
      message: new RegExp(path),
      hint: /AUDITCTL_STATE_DIR/,
    })
  }
})
