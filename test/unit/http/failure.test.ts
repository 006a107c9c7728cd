import assert from 'node:assert/strict'
import type { lookup } from 'node:dns'
import { test } from 'node:test'
import { Pool } from 'undici'
import { UserError } from '../../../src/core/errors.ts'
import { registerSecret } from '../../../src/core/secret.ts'
import { exchange } from '../../../src/http/exchange.ts'
import { attemptsFor, failureCode, failureError } from '../../../src/http/failure.ts'
import { safeLookup } from '../../../src/http/safe-lookup.ts'

const coded = (code: string, message = 'what Node says', cause?: Error) =>
  Object.assign(new Error(message, { cause }), { code })
const ASKED = {
  service: 'Acme',
  operation: 'read',
  origin: 'https://a.test',
  timeoutMs: 1000,
  proxy: undefined,
}

test('failureCode() sorts the errors of Node, OpenSSL and undici', () => {
  const cases: readonly (readonly [Error, boolean, string])[] = [
    [coded('ECONNREFUSED'), false, 'connect'],
    [coded('EHOSTUNREACH'), false, 'connect'],
    [new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')], ''), false, 'connect'],
    [new AggregateError([coded('ETIMEDOUT'), coded('ECONNREFUSED')], ''), false, 'timeout'],
    [coded('UND_ERR_CONNECT_TIMEOUT'), false, 'timeout'],
    [coded('UND_ERR_HEADERS_TIMEOUT'), true, 'timeout'],
    [coded('UND_ERR_BODY_TIMEOUT'), true, 'timeout'],
    [coded('ETIMEDOUT'), true, 'timeout'],
    [coded('ENOTFOUND'), false, 'dns'],
    [coded('EAI_AGAIN'), false, 'dns'],
    [coded('ECONNRESET'), false, 'connect'],
    [coded('ECONNRESET'), true, 'reset'],
    [coded('EPIPE'), true, 'reset'],
    [coded('UND_ERR_SOCKET'), true, 'reset'],
    [coded('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), true, 'reset'],
    [coded('CERT_HAS_EXPIRED'), false, 'tls'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), false, 'tls'],
    [coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), false, 'tls'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), false, 'tls'],
    [coded('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), true, 'tls'],
    [coded('UND_ERR_PRX_TLS', 'wrapped', coded('ERR_TLS_CERT_ALTNAME_INVALID')), false, 'proxy'],
    [coded('UND_ERR_ABORTED', 'Proxy response (502) !== 200 when HTTP Tunneling'), false, 'proxy'],
    [coded('UND_ERR_DESTROYED'), false, 'aborted'],
    [coded('UND_ERR_INVALID_ARG'), false, 'invalid-request'],
    [coded('X', 'outer', coded('ENOTFOUND')), false, 'dns'],
  ]
  for (const [error, hasStarted, expected] of cases) {
    assert.equal(
      failureCode(error, hasStarted),
      expected,
      `${'code' in error ? error.code : error} ${hasStarted}`,
    )
  }
})

test('attemptsFor() keeps the budget for what may pass', () => {
  assert.equal(attemptsFor('reset', false, 6), 6)
  assert.equal(attemptsFor('connect', false, 6), 3)
  assert.equal(attemptsFor('connect', true, 6), 6)
  assert.equal(attemptsFor('timeout', true, 6), 3)
  assert.equal(attemptsFor('tls', true, 6), 1)
  assert.equal(attemptsFor('timeout', true, 2), 2)
})

test('failureError() gives every failure a message of what was tried, a code and a hint, and no secret', () => {
  registerSecret('swordfish-token')
  const causes = [
    'ECONNREFUSED',
    'ENOTFOUND',
    'ETIMEDOUT',
    'CERT_HAS_EXPIRED',
    'UND_ERR_SOCKET',
    'UND_ERR_INVALID_ARG',
    'EODD',
  ]
  for (const code of causes) {
    const cause = coded(code, 'no way: swordfish-token')
    const error = failureError(failureCode(cause, true), cause, ASKED, 2)
    assert.match(error.message, /^Could not read: .*\(2 attempts\)$/)
    assert.ok('hint' in error && typeof error.hint === 'string' && error.hint !== '', code)
    assert.equal(error.cause, cause)
    assert.doesNotMatch(error.message, /swordfish/)
  }
  const expired = failureError('tls', coded('CERT_HAS_EXPIRED'), ASKED, 1)
  assert.match(String('hint' in expired && expired.hint), /renewed/)
})

test('a name that leads to the cloud’s metadata is refused before anything is sent, as the user’s own matter', async (t) => {
  const resolve = ((_name: string, _options: object, done: (error: null, found: object[]) => void) =>
    done(null, [{ address: '169.254.169.254', family: 4 }])) as unknown as typeof lookup
  const pool = new Pool('http://metadata.test', { connect: { lookup: safeLookup(resolve) } })
  t.after(() => pool.destroy())
  const answer = await exchange(pool, {
    method: 'GET',
    origin: 'http://metadata.test',
    path: '/latest',
    headers: {},
    body: undefined,
    signal: new AbortController().signal,
    timeoutMs: 2000,
    idleTimeoutMs: 2000,
    maxBytes: 1000,
  })
  assert.equal(answer.kind, 'wire-failure')
  assert.equal(answer.hasStarted, false)
  assert.equal(failureCode(answer.cause, false), 'refused-address')
  const error = failureError('refused-address', answer.cause, ASKED, 1)
  assert.ok(error instanceof UserError)
  assert.match(error.message, /metadata\.test resolves to 169\.254\.169\.254/)
})
