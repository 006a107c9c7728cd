import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environmentSources, missingVariables } from '../../../src/config/environment.ts'

test('environmentSources makes env of a URL and a token, without the /api of Infisical’s own tools', () => {
  for (const url of [
    'https://i.example',
    'https://i.example/api',
    'https://i.example/api/',
    'https://i.example/',
  ]) {
    for (const name of ['INFISICAL_API_URL', 'INFISICAL_DOMAIN']) {
      assert.deepEqual(environmentSources({ [name]: url, INFISICAL_TOKEN: 'hunter2' }), {
        env: {
          type: 'infisical',
          url: 'https://i.example',
          auth: { method: 'token', token: 'env:INFISICAL_TOKEN' },
        },
      })
    }
  }
})

test('environmentSources makes env of a universal-auth identity', () => {
  const env = {
    INFISICAL_API_URL: 'https://i.example',
    INFISICAL_DOMAIN: 'https://other.example',
    INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: 'id',
    INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: 'secret',
  }
  assert.deepEqual(environmentSources(env)['env'], {
    type: 'infisical',
    url: 'https://i.example',
    auth: {
      method: 'universal-auth',
      clientId: 'env:INFISICAL_UNIVERSAL_AUTH_CLIENT_ID',
      clientSecret: 'env:INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET',
    },
  })
})

test('environmentSources makes env-scaivault, with the tenant where it is named', () => {
  const env = { SCAIVAULT_URL: 'https://s.example', SCAIVAULT_TOKEN: 'hunter2' }
  const plain = { type: 'scaivault', url: 'https://s.example', token: 'env:SCAIVAULT_TOKEN' }
  assert.deepEqual(environmentSources(env), { 'env-scaivault': plain })
  assert.deepEqual(environmentSources({ ...env, SCAIVAULT_TENANT_ID: 'tnt_a' }), {
    'env-scaivault': { ...plain, tenant: 'tnt_a' },
  })
})

test('environmentSources makes nothing of half the variables, and missingVariables names the other half', () => {
  for (const [env, missing] of [
    [{}, undefined],
    [{ INFISICAL_TOKEN: 't' }, 'INFISICAL_API_URL'],
    [{ INFISICAL_API_URL: 'u', INFISICAL_TOKEN: '' }, /^INFISICAL_TOKEN, or/],
    [{ INFISICAL_API_URL: 'u', INFISICAL_UNIVERSAL_AUTH_CLIENT_ID: 'i' }, /CLIENT_SECRET$/],
    [{ INFISICAL_API_URL: 'u', INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET: 's' }, /CLIENT_ID$/],
    [{ SCAIVAULT_URL: 'u' }, 'SCAIVAULT_TOKEN'],
    [{ SCAIVAULT_TOKEN: 't' }, 'SCAIVAULT_URL'],
  ] as const) {
    assert.deepEqual(environmentSources(env), {})
    const found = missingVariables(env)
    if (missing instanceof RegExp) assert.match(found ?? '', missing)
    else assert.equal(found, missing)
  }
})
