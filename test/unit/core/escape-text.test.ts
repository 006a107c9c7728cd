import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeText } from '../../../src/core/escape-text.ts'

const CASES: [text: string, escaped: string][] = [
  ['plain, with "quotes" and \\', 'plain, with "quotes" and \\'],
  ['a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
  ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
  ['\x9b31m', '\\x9b31m'],
  ['\0\b\x7f\x85', '\\x00\\x08\\x7f\\x85'],
  ['user\u202egpj.exe', 'user\\u202egpj.exe'],
  ['\u2066\u2069\u200e\u200f\u061c', '\\u2066\\u2069\\u200e\\u200f\\u061c'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['zero\u200bwidth\ufeff\u00ad\u2060', 'zero\\u200bwidth\\ufeff\\xad\\u2060'],
  ['\u{e0041}', '\\u{e0041}'],
  ['\ud800x\udc00', '\\ud800x\\udc00'],
  ['日本語 é e\u0301 😀 👩‍👩‍👧 שלום العربية', '日本語 é e\u0301 😀 👩‍👩‍👧 שלום العربية'],
  ['', ''],
]

for (const [text, escaped] of CASES) {
  test(`escapeText() makes ${JSON.stringify(text)} harmless`, () => {
    assert.equal(escapeText(text), escaped)
  })
}

test('escapeText() leaves no control character, whatever comes in', () => {
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')
  assert.doesNotMatch(escapeText(all), /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u)
})
