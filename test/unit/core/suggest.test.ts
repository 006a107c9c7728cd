import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest, suggestion } from '../../../src/core/suggest.ts'

test('editDistance counts additions, removals, changes and swapped neighbours', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['token', 'token', 0],
    ['tokn', 'token', 1],
    ['tokken', 'token', 1],
    ['taken', 'token', 1],
    ['tokne', 'token', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ] as const) {
    assert.equal(editDistance(a, b), distance, `${a} → ${b}`)
    assert.equal(editDistance(b, a), distance, `${b} → ${a}`)
  }
})

test('nearest finds the word that was meant, and none when all are far', () => {
  const known = ['clientId', 'clientSecret', 'url', 'token']
  assert.equal(nearest('client_id', known), 'clientId')
  assert.equal(nearest('CLIENTSECRET', known), 'clientSecret')
  assert.equal(nearest('ulr', known), 'url')
  assert.equal(nearest('tkn', known), undefined)
  assert.equal(nearest('password', known), undefined)
  assert.equal(nearest('x', []), undefined)
})

test('suggestion lists what there is when no word is near', () => {
  assert.equal(suggestion('prd', ['prod', 'old']), 'did you mean prod?')
  assert.equal(suggestion('zebra', ['prod', 'old']), 'there is prod, old')
  assert.equal(suggestion('zebra', []), undefined)
})
