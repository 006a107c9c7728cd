import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetsOf } from '../../../src/http/target.ts'
import { seededRandom } from '../../support/json-fuzz.ts'

test('a query is encoded as forms encode it, but for spaces (fuzzed)', () => {
  const random = seededRandom(7)
  const text = (): string =>
    String.fromCharCode(
      ...Array.from({ length: Math.floor(random() * 8) }, () =>
        Math.floor(random() * (random() < 0.7 ? 0x80 : 0x10000)),
      ),
    )
  const targetOf = targetsOf(new URL('http://127.0.0.1/api'))
  for (let round = 0; round < 3000; round += 1) {
    const query = Object.fromEntries([['n', 5], ['none', undefined], ...[0, 1].map(() => [text(), text()])])
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    const forms = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))
    const expected = `/api/v1?${forms.toString().replaceAll('+', '%20')}`
    assert.equal(targetOf({ path: '/v1', query }).path, expected)
  }
})

test('a path met before gives the same target, and another one its own', () => {
  const targetOf = targetsOf(new URL('http://127.0.0.1:81/api/?tenant=t'))
  const pathOf = (path: string) => targetOf({ path })
  const first = { origin: 'http://127.0.0.1:81', path: '/api/a?tenant=t' }
  assert.deepEqual([pathOf('/a'), pathOf('/a')], [first, first])
  assert.equal(pathOf('http://127.0.0.1:81/b?x=1').path, '/b?x=1')
  assert.deepEqual(pathOf('/a'), first)
})
