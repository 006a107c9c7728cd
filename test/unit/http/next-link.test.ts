import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractError } from '../../../src/core/errors.ts'
import { nextLink } from '../../../src/http/next-link.ts'
import { isRedirect, redirectRefusal } from '../../../src/http/redirect.ts'

const page = new URL('https://api.example.com/v1/logs?page=1')

test('nextLink() finds the target of rel=next among the others', () => {
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    ['<https://api.example.com/v1/logs?page=2>; rel="next"', 'https://api.example.com/v1/logs?page=2'],
    ['<?page=0>; rel=prev, <?page=2>; rel=next', 'https://api.example.com/v1/logs?page=2'],
    [
      '</v1/logs?a=1,2;b>; title="a, b; rel=next"; rel="last next"',
      'https://api.example.com/v1/logs?a=1,2;b',
    ],
    ['<?page=2>; REL="NEXT"', 'https://api.example.com/v1/logs?page=2'],
    ['<?page=1>; rel="self"', undefined],
    ['<?page=2>; rel="nextish"', undefined],
    ['<?page=2>; title="rel=next"', undefined],
    ['', undefined],
    [undefined, undefined],
  ]
  for (const [header, expected] of cases) assert.equal(nextLink(header, page), expected, header)
})

test('nextLink() refuses to leave the origin', () => {
  const foreign = [
    'https://evil.example.com/v1/logs',
    'http://api.example.com/v1/logs',
    'https://api.example.com:8443/v1/logs',
    '//evil.example.com/logs',
    'https://user:secret@api.example.com/v1/logs',
    'file:///etc/passwd',
    'https://',
  ]
  for (const target of foreign) {
    assert.throws(() => nextLink(`<${target}>; rel="next"`, page), ContractError, target)
  }
})

test('redirectRefusal() names where the answer points, without the query, and what to set', () => {
  const asked = { service: 'Acme', operation: 'read', url: 'https://old.example.com/api' }
  const headers = { location: 'https://new.example.com/login?token=abc' }
  const error = redirectRefusal({ status: 302, headers, requestId: 'r1' }, asked)
  assert.match(error.message, /^Acme redirects to https:\/\/new\.example\.com\/login \(302\)/)
  assert.doesNotMatch(error.message, /abc/)
  assert.match(error.hint ?? '', /set the URL to https:\/\/new\.example\.com$/)
  assert.equal(error.exitCode, 2)
  assert.match(redirectRefusal({ status: 301, headers: {}, requestId: undefined }, asked).message, /nowhere/)
})

test('isRedirect() leaves 304 and all that is no 3xx alone', () => {
  assert.deepEqual(
    [200, 204, 301, 302, 303, 304, 307, 308, 400].filter(isRedirect),
    [301, 302, 303, 307, 308],
  )
})
