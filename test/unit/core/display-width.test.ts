import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { displayWidth, fitText, truncate } from '../../../src/core/display-width.ts'

const WIDTHS: [text: string, width: number][] = [
  ['', 0],
  ['abc', 3],
  ['é', 1],
  ['e\u0301', 1],
  ['\u0301', 0],
  ['日本語', 6],
  ['한국', 4],
  ['ｆｕｌｌ', 8],
  ['ｶﾅ', 2],
  ['😀', 2],
  ['👩‍👩‍👧', 2],
  ['👍🏽', 2],
  ['🇳🇱', 2],
  ['❤️', 2],
  ['❤', 1],
  ['1', 1],
  ['①', 1],
  ['שלום', 4],
  ['𠮷', 2],
]

describe('displayWidth()', () => {
  for (const [text, width] of WIDTHS) {
    test(`of ${JSON.stringify(text)} is ${width}`, () => {
      assert.equal(displayWidth(text), width)
    })
  }
})

test('truncate() never makes text wider than asked and never cuts a character in two', () => {
  for (const [text] of WIDTHS) {
    for (let width = 0; width <= 8; width += 1) {
      const cut = truncate(`${text}${text}x`, width)
      assert.ok(displayWidth(cut) <= width, `${cut} in ${width}`)
      assert.ok(cut.isWellFormed())
    }
  }
  assert.equal(truncate('abcdef', 4), 'abc…')
  assert.equal(truncate('日本語', 5), '日本…')
  assert.equal(truncate('日本語', 4), '日…')
  assert.equal(truncate('日本語', 6), '日本語')
  assert.equal(truncate('👩‍👩‍👧x', 2), '…')
})

test('fitText() fills exactly the width', () => {
  for (const text of ['', 'a', 'abcdefgh', '日本語日本語', '😀']) {
    for (const align of ['left', 'right'] as const) assert.equal(displayWidth(fitText(text, 5, align)), 5)
  }
  assert.equal(fitText('7', 3, 'right'), '  7')
  assert.equal(fitText('7', 3), '7  ')
})
