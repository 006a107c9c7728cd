import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { AuthError, ContractError, RemoteConfigError } from '../../../src/core/errors.ts'
import { redact, Secret } from '../../../src/core/secret.ts'
import { entraTokens } from '../../../src/http/entra.ts'
import { type Answer, client, json, serve } from './loopback.ts'

const INGEST = 'https://monitor.azure.com/.default'
const QUERY = 'https://api.loganalytics.io/.default'
const signal = new AbortController().signal

async function tokensAt(t: TestContext, answer: Answer) {
  const server = await serve(t, answer)
  const { http, clock } = client(t)
  const authority = http.service({ service: 'Microsoft Entra', baseUrl: server.url })
  const tokens = entraTokens({
    authority,
    authorityUrl: server.url,
    clock,
    tenant: 'tenant-1',
    clientId: 'client-1',
    clientSecret: new Secret('literal', () => 'very secret+value&'),
  })
  return { server, clock, tokens }
}

const issue = (response: ServerResponse, index: number, expires: unknown = 3600) =>
  json(response, 200, { token_type: 'Bearer', expires_in: expires, access_token: `token-number-${index}` })

test('entraTokens() asks as documented, once for many callers, and keeps the token', async (t) => {
  const { server, tokens } = await tokensAt(t, (response, _, index) => issue(response, index))
  const got = await Promise.all([
    tokens.token(INGEST, signal),
    tokens.token(INGEST, signal),
    tokens.token(INGEST, signal),
  ])
  assert.deepEqual([...got, await tokens.token(INGEST, signal)], Array(4).fill('token-number-1'))
  assert.equal(server.seen.length, 1)
  const [request] = server.seen
  assert.equal(request?.method, 'POST')
  assert.equal(request?.url, '/tenant-1/oauth2/v2.0/token')
  assert.equal(request?.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.deepEqual(Object.fromEntries(new URLSearchParams(request?.body.toString())), {
    grant_type: 'client_credentials',
    client_id: 'client-1',
    client_secret: 'very secret+value&',
    scope: INGEST,
  })
  assert.equal(redact('seen: token-number-1'), 'seen: ***')
})

test('entraTokens() keeps a token for each audience', async (t) => {
  const { server, tokens } = await tokensAt(t, (response, _, index) => issue(response, index))
  const both = await Promise.all([tokens.token(INGEST, signal), tokens.token(QUERY, signal)])
  assert.equal(new Set(both).size, 2)
  assert.equal(server.seen.length, 2)
})

test('entraTokens() fetches another five minutes before the expiry, or at half of a short life, or when told to forget', async (t) => {
  for (const [expires, usableMs] of [
    [3600, 3300_000],
    ['3600', 3300_000],
    [60, 30_000],
  ] as const) {
    const { clock, tokens } = await tokensAt(t, (response, _, index) => issue(response, index, expires))
    await tokens.token(INGEST, signal)
    clock.advance(usableMs - 1)
    assert.equal(await tokens.token(INGEST, signal), 'token-number-1')
    clock.advance(1)
    assert.equal(await tokens.token(INGEST, signal), 'token-number-2')
    tokens.forget(INGEST)
    assert.equal(await tokens.token(INGEST, signal), 'token-number-3')
  }
})

test('entraTokens() tries refused credentials never again', async (t) => {
  const { server, tokens } = await tokensAt(t, (response) =>
    json(response, 401, {
      error: 'invalid_client',
      error_description: 'AADSTS7000215: Invalid client secret very secret+value&',
    }),
  )
  for (const scope of [INGEST, INGEST, QUERY]) {
    await assert.rejects(tokens.token(scope, signal), (error) => {
      assert.ok(error instanceof AuthError)
      assert.match(error.message, /\(invalid_client, AADSTS7000215, 401\)$/)
      assert.doesNotMatch(`${error.message} ${error.hint}`, /very secret/)
      return true
    })
  }
  assert.equal(server.seen.length, 1)
})

test('entraTokens() holds a refused scope against that scope only', async (t) => {
  const { server, tokens } = await tokensAt(t, (response, { body }, index) => {
    if (body.includes('loganalytics')) json(response, 400, { error: 'invalid_scope' })
    else issue(response, index)
  })
  await assert.rejects(tokens.token(QUERY, signal), AuthError)
  assert.equal(await tokens.token(INGEST, signal), 'token-number-2')
  await assert.rejects(tokens.token(QUERY, signal), AuthError)
  assert.equal(server.seen.length, 2)
})

test('entraTokens() waits out 429 and 5xx', async (t) => {
  const { clock, tokens } = await tokensAt(t, (response, _, index) => {
    if (index === 1) json(response, 429, {}, { 'retry-after': '5' })
    else if (index === 2) json(response, 503, {})
    else issue(response, index)
  })
  assert.equal(await tokens.token(INGEST, signal), 'token-number-3')
  assert.equal(clock.slept[0], 5000)
})

test('entraTokens() tells a wrong authority from refused credentials', async (t) => {
  const cases = [
    [(response: ServerResponse) => json(response, 404, {}), RemoteConfigError],
    [
      (response: ServerResponse) => response.writeHead(302, { location: 'https://evil.example.com/' }).end(),
      RemoteConfigError,
    ],
    [(response: ServerResponse) => response.end('<html>welcome</html>'), ContractError],
    [(response: ServerResponse) => json(response, 200, { access_token: 'x' }), ContractError],
    [(response: ServerResponse) => json(response, 200, { expires_in: 3600 }), ContractError],
    [(response: ServerResponse) => json(response, 200, null), ContractError],
  ] as const
  for (const [answer, type] of cases) {
    const { tokens } = await tokensAt(t, answer)
    await assert.rejects(tokens.token(INGEST, signal), type)
  }
})

test('entraTokens() gives the others a token although the caller who asked for it was aborted', async (t) => {
  const { server, tokens } = await tokensAt(t, (response, _, index) => {
    if (index === 1) controller.abort(new Error('this batch only'))
    else issue(response, index)
  })
  const controller = new AbortController()
  const first = tokens.token(INGEST, controller.signal)
  const second = tokens.token(INGEST, signal)
  await assert.rejects(first, /this batch only/)
  assert.equal(await second, 'token-number-2')
  assert.equal(server.seen.length, 2)
})
