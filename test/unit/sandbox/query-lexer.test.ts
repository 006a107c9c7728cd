import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Dialect, lex, lexStages, TokenReader } from '../../../src/sandbox/query-lexer.ts'

class Refused extends Error {}
const DIALECT: Dialect = {
  pattern: /\s+|"(?<text>(?:[^"\\]|\\.)*)"|(?<number>\d+)|(?<word>[a-z]+)|(?<symbol>[|=,])/giy,
  Refused,
}
const reader = (text: string, dialect = DIALECT) => new TokenReader(lex(text, dialect), dialect)

describe('query lexer', () => {
  test('tells words, numbers, texts and symbols apart, and unescapes what is quoted', () => {
    assert.deepEqual(lex(' a = 12,"x \\" | \\\\" ', DIALECT), [
      { kind: 'word', text: 'a' },
      { kind: 'symbol', text: '=' },
      { kind: 'number', text: '12' },
      { kind: 'symbol', text: ',' },
      { kind: 'text', text: 'x " | \\' },
    ])
  })

  test('a bar in a text ends no stage', () => {
    const stages = lexStages('| a "|" | b', DIALECT)
    assert.deepEqual(
      stages.map((stage) => stage.map(({ text }) => text)),
      [[], ['a', '|'], ['b']],
    )
  })

  test('keywords stand in any case, unless the dialect says otherwise; a text is never one', () => {
    assert.equal(reader('Order BY').skip('order', 'by'), true)
    assert.equal(reader('Order', { ...DIALECT, isCaseSensitive: true }).skip('order'), false)
    assert.equal(reader('"order"').skip('order'), false)
    const half = reader('order x')
    assert.equal(half.skip('order', 'by'), false)
    assert.equal(half.word(), 'order', 'nothing was taken')
  })

  test('a list goes on behind each comma', () => {
    const list = reader('a, b c')
    assert.deepEqual(
      list.list(() => list.word()),
      ['a', 'b'],
    )
    assert.equal(list.isDone, false)
  })

  for (const [text, read, said] of [
    ['a $', () => {}, /not understood at 2: \$/],
    ['', (it) => it.take(), /ends where an argument is required/],
    ['a', (it) => it.expect('b', 'c'), /expected b c, found a/],
    ['', (it) => it.expect('b'), /expected b, found the end/],
    ['12', (it) => it.word(), /expected a word, found 12/],
    ['a', (it) => it.number(), /expected a number, found a/],
    ['a', (it) => it.text(), /expected a text, found a/],
  ] as readonly (readonly [string, (it: TokenReader) => unknown, RegExp])[]) {
    test(`${JSON.stringify(text)} is refused in the dialect's own error: ${said.source}`, () => {
      assert.throws(
        () => read(reader(text)),
        (error) => error instanceof Refused && said.test(error.message),
      )
    })
  }
})
