import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { duration, secret, sourceCommon, streamCommon } from '../../../src/config/fields.ts'
import { leavesOf, maskSecrets } from '../../../src/config/mask.ts'
import {
  defaultsOf,
  discriminatorAt,
  isSecretAt,
  keysAt,
  secretPaths,
} from '../../../src/config/schema-walk.ts'

const schema = z.strictObject({
  ...sourceCommon,
  url: z.string(),
  slack: duration().default(7_200_000),
  search: z.strictObject({ url: z.string(), key: secret(), limit: z.int().default(9) }).optional(),
  auth: z.discriminatedUnion('method', [
    z.strictObject({ method: z.literal('token'), token: secret().describe('a token') }),
    z.strictObject({ method: z.literal('login'), user: z.string(), password: secret().optional() }),
  ]),
})

test('isSecretAt finds credentials through optionals, unions and records', () => {
  for (const [path, expected] of [
    ['auth.token', true],
    ['auth.password', true],
    ['auth.user', false],
    ['search.key', true],
    ['url', false],
    ['nothing.there', false],
  ] as const) {
    assert.equal(isSecretAt(schema, path.split('.')), expected, path)
  }
  const stream = z.strictObject(streamCommon)
  assert.equal(isSecretAt(stream, ['headers', 'Authorization']), true)
  assert.equal(isSecretAt(stream, ['inventory', 'headers', 'X']), true)
  assert.equal(isSecretAt(stream, ['inventory', 'url']), false)
})

test('keysAt gives the keys of the branch that the value has chosen', () => {
  assert.deepEqual(keysAt(schema, ['auth'], { auth: { method: 'login' } }), ['method', 'user', 'password'])
  assert.deepEqual(keysAt(schema, ['auth']), ['method', 'token', 'user', 'password'])
  assert.equal(discriminatorAt(schema, ['auth']), 'method')
  assert.equal(discriminatorAt(schema, ['search']), undefined)
})

test('secretPaths lists the credentials of the chosen branch', () => {
  assert.deepEqual(secretPaths(schema, { auth: { method: 'login' } }), ['search.key', 'auth.password'])
  assert.deepEqual(secretPaths(z.strictObject(streamCommon)), ['headers.*', 'inventory.headers.*'])
})

test('defaultsOf gives what holds where the entry says nothing', () => {
  assert.deepEqual(defaultsOf(schema, { url: 'x' }), [
    { path: ['slack'], value: 7_200_000, isDuration: true },
  ])
  assert.deepEqual(defaultsOf(schema, { slack: '1h', search: { url: 'x' } }), [
    { path: ['search', 'limit'], value: 9, isDuration: false },
  ])
})

test('maskSecrets hides credentials and texts at unknown keys, and leaves the rest', () => {
  const entry = {
    type: 'vault',
    url: 'https://user:hunter2@host/',
    rate: 5,
    auth: { method: 'token', token: 'hunter2', tokn: 'hunter2' },
    search: { key: 'env:KEY', extra: ['hunter2'] },
  }
  assert.deepEqual(maskSecrets(entry, schema, ['type']), {
    type: 'vault',
    url: 'https://***@host/',
    rate: 5,
    auth: { method: 'token', token: '***', tokn: '***' },
    search: { key: '***', extra: ['***'] },
  })
  assert.deepEqual(maskSecrets(entry, undefined, ['type']), {
    type: 'vault',
    url: '***',
    rate: 5,
    auth: { method: '***', token: '***', tokn: '***' },
    search: { key: '***', extra: ['***'] },
  })
})

test('leavesOf gives dotted paths, lists as leaves', () => {
  assert.deepEqual(leavesOf({ a: { b: 1, c: ['x'] }, d: null }), [
    { path: ['a', 'b'], value: 1 },
    { path: ['a', 'c'], value: ['x'] },
    { path: ['d'], value: null },
  ])
})
