import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findJsonFault } from '../../../src/config/json-text.ts'

test('findJsonFault gives line, column and what was expected', () => {
  for (const [text, line, column, message] of [
    ['{"a": 1,}', 1, 9, /no comma may stand before a closing brace/],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, /expected a comma or a closing brace/],
    ['{\n  "a": [1, 2,]\n}', 2, 14, /closing bracket/],
    ["{'a': 1}", 1, 2, /a key in double quotes/],
    ['{"a" 1}', 1, 6, /a colon/],
    ['{"a": tru}', 1, 7, /expected a value/],
    ['{"a": 01}', 1, 8, /expected a comma/],
    ['{"a": "x\ny"}', 1, 7, /not closed/],
    ['{"a": "\\x"}', 1, 7, /bad escape/],
    ['{"a": 1', 1, 8, /ends early/],
    ['', 1, 1, /ends early/],
    ['{} x', 1, 4, /nothing may follow/],
    ['{\n  // why\n  "a": 1}', 2, 3, /no comments/],
    ['{"a": 1,\n "b": {"c": 1, "c": 2}}', 2, 16, /"c" is given twice/],
  ] as const) {
    const fault = findJsonFault(text)
    assert.deepEqual([fault?.line, fault?.column], [line, column], text)
    assert.match(fault?.message ?? '', message)
  }
})

test('findJsonFault agrees with JSON.parse on every text with one character changed', () => {
  const valid = '{"a": [1, -2.5e3, true, null], "b\\u0041": {"": "x\\n"}, "c": []}'
  assert.equal(findJsonFault(valid), undefined)
  let refused = 0
  for (let at = 0; at < valid.length; at += 1) {
    for (const c of ['', '"', '{', '}', '[', ']', ',', ':', '0', 'e', '\\', ' ', '-', '\n']) {
      const text = valid.slice(0, at) + c + valid.slice(at + 1)
      const fault = findJsonFault(text)
      if (fault?.message.includes('given twice')) continue
      assert.equal(fault === undefined, parses(text), JSON.stringify(text))
      if (fault !== undefined) refused += 1
    }
  }
  assert.ok(refused > 300)
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
