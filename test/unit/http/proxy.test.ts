import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../src/core/errors.ts'
import { proxyFor } from '../../../src/http/proxy.ts'

const at = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.href

test('proxyFor() takes the proxy of the scheme, lower case before upper case, ALL_PROXY last', () => {
  const env = {
    https_proxy: 'http://lower:1',
    HTTPS_PROXY: 'http://upper:2',
    HTTP_PROXY: 'http://plain:3',
    ALL_PROXY: 'http://all:4',
  }
  assert.equal(at('https://example.com', env), 'http://lower:1/')
  assert.equal(at('https://example.com', { ...env, https_proxy: '' }), 'http://upper:2/')
  assert.equal(at('http://example.com', env), 'http://plain:3/')
  assert.equal(at('http://example.com', { all_proxy: 'socks5h://all:4' }), 'socks5://all:4')
  assert.equal(
    at('https://example.com', { HTTPS_PROXY: 'proxy.example.com:3128' }),
    'http://proxy.example.com:3128/',
  )
  assert.equal(at('https://example.com', { HTTP_PROXY: 'http://plain:3' }), undefined)
  assert.equal(at('https://example.com', {}), undefined)
})

test('proxyFor() never sends loopback through a proxy', () => {
  for (const url of ['http://127.0.0.1:8080', 'https://localhost', 'http://[::1]:1']) {
    assert.equal(at(url, { ALL_PROXY: 'http://proxy:1' }), undefined, url)
  }
})

test('proxyFor() leaves out what NO_PROXY names', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['*', 'https://example.com', true],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://api.example.com', true],
    ['.example.com', 'https://api.example.com', true],
    ['.example.com', 'https://example.com', true],
    ['*.example.com', 'https://api.example.com', true],
    ['example.com', 'https://badexample.com', false],
    ['example.com', 'https://example.com.evil.net', false],
    ['EXAMPLE.com', 'https://Example.COM', true],
    ['example.com:8443', 'https://example.com:8443', true],
    ['example.com:8443', 'https://example.com', false],
    ['example.com:443', 'https://example.com', true],
    ['example.com:80', 'http://example.com', true],
    ['10.0.0.1', 'https://10.0.0.1:9', true],
    ['10.0.0.1', 'https://10.0.0.10', false],
    ['[fd00::1]:8443', 'https://[fd00::1]:8443', true],
    ['[fd00::1]:8443', 'https://[fd00::1]:9', false],
    ['fd00::1', 'https://[fd00::1]', true],
    ['a.test, example.com other.test', 'https://example.com', true],
    [' , ', 'https://example.com', false],
    ['.', 'https://example.com', false],
  ]
  for (const [list, url, isExempt] of cases) {
    const proxy = at(url, { ALL_PROXY: 'http://proxy:1', NO_PROXY: list })
    assert.equal(proxy === undefined, isExempt, `${list} ${url}`)
  }
  assert.equal(
    at('https://a.test', { ALL_PROXY: 'http://p:1', no_proxy: 'a.test', NO_PROXY: 'b.test' }),
    undefined,
  )
})

test('proxyFor() names the variable that holds no proxy URL, and shows no password', () => {
  for (const value of ['ftp://user:hunter22@proxy', 'http://', 'http://user:hunter22@:99999999']) {
    assert.throws(
      () => at('https://example.com', { HTTPS_PROXY: value }),
      (error) =>
        error instanceof UserError && /^HTTPS_PROXY/.test(error.message) && !/hunter22/.test(error.message),
      value,
    )
  }
})
