import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliases, knownEventTypes } from '../../../../src/sources/infisical/vocabulary.ts'

test('knownEventTypes() spells out the 539 of the list and the reading event, none twice', () => {
  const types = knownEventTypes()
  assert.equal(types.length, 540)
  assert.equal(new Set(types).size, 540)
  for (const type of [
    'get-secrets',
    'login-identity-universal-auth-failed',
    'get-identity-universal-auth-client-secret-by-id',
    'pki-sync-clear-default-certificate',
    'delete-email-domain',
    'view-audit-logs',
  ]) {
    assert.ok(types.includes(type), type)
  }
  assert.deepEqual(
    types.filter((type) => !/^[a-z0-9-]+$/.test(type)),
    [],
  )
})

test('aliases() knows a renamed type under both names, the asked one first', () => {
  assert.deepEqual(aliases('get-project-key'), ['get-project-key', 'get-workspace-key'])
  assert.deepEqual(aliases('get-workspace-key'), ['get-workspace-key', 'get-project-key'])
  assert.deepEqual(aliases('never-heard-of'), ['never-heard-of'])
})
