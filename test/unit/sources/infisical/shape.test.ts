import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/core/event.ts'
import type { FilterName } from '../../../../src/core/filter.ts'
import { infisicalShape } from '../../../../src/sources/infisical/shape.ts'
import { row } from '../../../support/infisical-stub.ts'

const user = (metadata: JsonObject): JsonObject => ({ type: 'user', metadata })
function record(more: JsonObject): JsonObject {
  return JSON.parse(row(1, 1_770_000_000_000_000, more).json) as JsonObject
}

test('filters answer from the native record', () => {
  const event = record({
    projectId: 'p-1',
    projectName: 'demo',
    ipAddress: '192.0.2.7',
    actor: user({ userId: 'u-1', email: 'Ann@Example.test', username: 'ann' }),
    event: {
      type: 'get-workspace-key',
      metadata: {
        environment: 'prod',
        secretPath: '/web/api',
        secretKey: 'DB',
        secrets: [{ secretKey: 'B', secretId: 's-9' }],
      },
    },
  })
  const cases: readonly (readonly [FilterName, string, boolean])[] = [
    ['event', 'get-workspace-key', true],
    ['event', 'get-project-key', true],
    ['event', 'get-secret', false],
    ['actor', 'u-1', true],
    ['actor', 'ann@example.test', true],
    ['actor', 'ann', true],
    ['actor', 'ANN', false],
    ['actor-type', 'user', true],
    ['actor-type', 'identity', false],
    ['project', 'p-1', true],
    ['project', 'demo', true],
    ['project', 'dem', false],
    ['environment', 'prod', true],
    ['environment', 'dev', false],
    ['path', '/web', true],
    ['path', '/web/', true],
    ['path', '/we', false],
    ['path', '/', true],
    ['key', 'DB', true],
    ['key', 'B', true],
    ['key', 'C', false],
    ['entity', 's-9', true],
    ['entity', 'p-1', true],
    ['entity', 'u-1', true],
    ['entity', 's', false],
    ['ip', '192.0.2.7', true],
    ['user-agent-type', 'cli', true],
    ['user-agent-type', 'web', false],
  ]
  for (const [name, value, expected] of cases) {
    assert.equal(infisicalShape.filters[name]?.(event, value), expected, `${name} ${value}`)
  }
  for (const name of ['model', 'request-id', 'outcome'] as const) {
    assert.equal(infisicalShape.filters[name], undefined)
  }
})

test('filters and reader stand metadata of any kind', () => {
  for (const metadata of [null, 'text', 5, [], [{ secretKey: 'A' }], undefined]) {
    const event = record({ event: { type: 'x', metadata }, actor: { type: null, metadata } })
    for (const test of Object.values(infisicalShape.filters)) assert.equal(test(event, 'nothing'), false)
    assert.equal(infisicalShape.reader.action(event), 'x')
    assert.equal(infisicalShape.reader.actor(event), undefined)
    assert.equal(infisicalShape.reader.target(event), undefined)
    assert.equal(infisicalShape.toCommon(event).actor.id, null)
  }
  assert.equal(infisicalShape.reader.action({}), '')
})

test('reader names the actor by address, name or id, and one without any by its type', () => {
  const named = (actor: JsonObject) => infisicalShape.reader.actor(record({ actor }))
  assert.equal(named(user({ userId: 'u', email: 'a@b.test', username: 'ann' })), 'a@b.test')
  assert.equal(named(user({ userId: 'u', email: null, username: 'ann' })), 'ann')
  assert.equal(named({ type: 'identity', metadata: { identityId: 'i', name: 'runner' } }), 'runner')
  assert.equal(named({ type: 'acmeAccount', metadata: { profileId: 'p', accountId: 'a' } }), 'a')
  assert.equal(named({ type: 'platform', metadata: {} }), 'platform')
})

test('reader names the target by environment, path and name', () => {
  const target = (metadata: JsonObject, more: JsonObject = {}) =>
    infisicalShape.reader.target(record({ event: { type: 'x', metadata }, ...more }))
  assert.equal(target({ environment: 'prod', secretPath: '/', secretKey: 'DB', secretId: 's' }), 'prod:/DB')
  assert.equal(
    target({ environment: 'prod', secretPath: '/web', secrets: [{}, {}] }),
    'prod:/web/(2 secrets)',
  )
  assert.equal(target({ environment: 'dev', folderPath: '/a', folderName: 'b', folderId: 'f' }), 'dev:/a/b')
  assert.equal(target({ identityId: 'i-1', name: 'runner' }), 'runner')
  assert.equal(target({ identityId: 'i-1' }), 'i-1')
  assert.equal(target({ name: 'Staging', slug: 'staging' }), 'Staging')
  assert.equal(target({}, { projectId: 'p', projectName: 'web' }), 'web')
  assert.equal(target({}), undefined)
})

test('toCommon() fills the documented shape and says nothing that the log does not', () => {
  const event = record({
    projectId: 'p',
    ipAddress: '192.0.2.1',
    actor: { type: 'identity', metadata: { identityId: 'i', name: 'runner' } },
    event: { type: 'login-identity-universal-auth-failed', metadata: { identityId: 'i' } },
  })
  assert.deepEqual(infisicalShape.toCommon(event), {
    id: '00000000-0000-4000-8000-000000000001',
    time: '2026-02-02T02:40:00.000Z',
    actor: { type: 'identity', id: 'i', name: 'runner', email: null },
    action: 'login-identity-universal-auth-failed',
    target: { type: 'identity', id: 'i', name: null },
    outcome: 'failure',
    ip: '192.0.2.1',
    userAgent: 'cli',
    requestId: null,
    organization: '2124a45b-316f-4b25-a3a7-cd68caf60dc6',
    project: 'p',
    source: 'infisical',
  })
  assert.equal(infisicalShape.toCommon(record({})).outcome, null)
})
