import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionFamily } from '../../../src/core/action-family.ts'

const FAMILIES: [action: string, family: string][] = [
  ['create-secret', 'create'],
  ['add-trusted-ip', 'create'],
  ['createToken', 'create'],
  ['update-secrets', 'update'],
  ['secret.rotated', 'update'],
  ['SET_POLICY', 'update'],
  ['delete-folder', 'delete'],
  ['revoke-identity-token', 'delete'],
  ['get-secrets', 'read'],
  ['secret.read', 'read'],
  ['view-audit-logs', 'read'],
  ['login-identity-universal-auth', 'login'],
  ['USER_LOGIN', 'login'],
  ['user.logged_in', 'login'],
  ['settings', 'other'],
  ['', 'other'],
  ['workflow.job.finish', 'other'],
]

for (const [action, family] of FAMILIES) {
  test(`actionFamily() of ${JSON.stringify(action)} is ${family}`, () => {
    assert.equal(actionFamily(action), family)
  })
}
