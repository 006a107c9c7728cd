import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, withInfisical } from './infisical-support.ts'

const WINDOW = { startDate: '2026-11-20T12:30:00.000Z', endDate: '2026-11-20T12:46:00.000Z', limit: 1 }
const PROJECT = '412466e8-90cf-4374-8a9a-4ee1c1abf355'
const OTHER = '2548f2f3-b7d4-412f-b98b-c818be34b454'
const message = (body: unknown): string => (body as { message: string }).message
const logIn = async ({ login }: Asked): Promise<string> =>
  ((await login()).body as { accessToken: string }).accessToken

test('a token from a log-in reads the log until it expires, which is a 403 and not a 401', () =>
  withInfisical({ faults: ['infisical:token-ttl=60'] }, async (asked) => {
    const token = await logIn(asked)
    asked.advance(59_000)
    assert.equal((await asked.list(WINDOW, { token })).status, 200)
    asked.advance(1000)
    const { status, body } = await asked.list(WINDOW, { token })
    assert.equal(status, 403)
    assert.deepEqual(
      { ...(body as object), reqId: '' },
      {
        reqId: '',
        statusCode: 403,
        message: 'Your token has expired. Please re-authenticate.',
        error: 'TokenError',
      },
    )
    assert.equal((await asked.list(WINDOW, { token: await logIn(asked) })).status, 200)
  }))

test('a token is renewed for one like it, and an expired one is not', () =>
  withInfisical({ faults: ['infisical:token-expire@4'] }, async (asked) => {
    const url = asked.service.urls['infisical']
    const renew = (accessToken: string) =>
      fetch(`${url}/api/v1/auth/token/renew`, { method: 'POST', body: JSON.stringify({ accessToken }) })
    const token = await logIn(asked)
    const renewed = (await (await renew(token)).json()) as { accessToken: string; tokenType: string }
    assert.equal(renewed.tokenType, 'Bearer')
    assert.equal((await asked.list(WINDOW, { token: renewed.accessToken })).status, 200)
    await asked.list(WINDOW)
    assert.equal((await renew(token)).status, 401)
  }))

test('tokens can expire in the middle of a run', () =>
  withInfisical({ faults: ['infisical:token-expire@3'] }, async (asked) => {
    const token = await logIn(asked)
    assert.equal((await asked.list(WINDOW, { token })).status, 200)
    assert.equal((await asked.list(WINDOW, { token })).status, 403)
    assert.equal((await asked.list(WINDOW, { token })).status, 403)
    assert.equal((await asked.list(WINDOW, { token: await logIn(asked) })).status, 200)
  }))

test('every call spends a use, and a spent token is a 401', () =>
  withInfisical({ faults: ['infisical:uses-limit=2'] }, async (asked) => {
    const token = await logIn(asked)
    const statuses: number[] = []
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await asked.list(WINDOW, { token })).status)
    assert.deepEqual(statuses, [200, 200, 401])
  }))

test('three bad log-ins lock the identity for five minutes, right secret or not, and repeating one is noted', () =>
  withInfisical({}, async (asked) => {
    const right = await asked.login()
    assert.equal(right.status, 200)
    const { identities } = (await asked.admin('state')).body as { identities: { clientId: string }[] }
    const clientId = identities[0]?.clientId ?? ''
    for (const secret of ['a', 'b', 'c']) assert.equal((await asked.login(clientId, secret)).status, 401)
    assert.deepEqual(asked.rules(), [])
    const locked = await asked.login()
    assert.equal(locked.status, 401)
    assert.match(message(locked.body), /temporarily locked/)
    await asked.login(clientId, 'a')
    assert.deepEqual(asked.rules(), ['login-retried'])
    asked.advance(300_000)
    assert.equal((await asked.login()).status, 200)
  }))

test('failures that lie half a minute apart do not add up', () =>
  withInfisical({}, async (asked) => {
    const { identities } = (await asked.admin('state')).body as { identities: { clientId: string }[] }
    const clientId = identities[0]?.clientId ?? ''
    for (const secret of ['a', 'b', 'c', 'd']) {
      await asked.login(clientId, secret)
      asked.advance(31_000)
    }
    assert.equal((await asked.login()).status, 200)
  }))

test('an identity reads what its role allows', () =>
  withInfisical({ generation: '2025' }, async ({ list, tokenOf }) => {
    const nobody = await list(WINDOW, { token: tokenOf('no-access') })
    assert.equal(nobody.status, 403)
    assert.equal((nobody.body as { error: string }).error, 'PermissionDenied')
    const token = tokenOf('project-only')
    assert.equal((await list(WINDOW, { token })).status, 403)
    assert.equal((await list({ ...WINDOW, projectId: PROJECT }, { token })).status, 200)
    assert.equal((await list({ ...WINDOW, projectId: OTHER }, { token })).status, 403)
  }))

test('a permission can be withdrawn for a while', () =>
  withInfisical({ faults: ['infisical:forbidden'] }, async ({ list }) => {
    const { status, body } = await list(WINDOW)
    assert.equal(status, 403)
    assert.equal(message(body), 'You are not allowed to read on audit-logs')
    assert.equal((await list(WINDOW)).status, 200)
  }))

test('streams are listed with their secrets masked, and shown under their provider alone', () =>
  withInfisical({}, async ({ get }) => {
    const { auditLogStreams } = (await get('/api/v1/audit-log-streams')).body as {
      auditLogStreams: { id: string; provider: string }[]
    }
    assert.deepEqual(
      auditLogStreams.map((stream) => stream.provider),
      ['splunk', 'datadog', 'custom'],
    )
    const custom = auditLogStreams[2]
    const shown = await get(`/api/v1/audit-log-streams/custom/${custom?.id}`)
    assert.match(shown.text, /"headers":\[\{"key":"Authorization","value":"\*{6}"\}\]/)
    assert.equal((await get(`/api/v1/audit-log-streams/splunk/${custom?.id}`)).status, 400)
    assert.equal((await get('/api/v1/audit-log-streams/splunk/nope')).status, 404)
  }))
