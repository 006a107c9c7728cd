import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { windowsOfGaps } from '../../../src/cli/gaps-file.ts'
import { UserError } from '../../../src/core/errors.ts'
import { isoRange } from '../../../src/core/time-range.ts'

describe('--gaps FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auditctl-gaps-file-'))
  const path = join(folder, 'gaps.jsonl')
  after(() => rmSync(folder, { recursive: true, force: true }))
  const read = (...lines: readonly unknown[]) => {
    const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
    writeFileSync(path, texts.join('\n'))
    return windowsOfGaps(path)
  }
  const [one, two, three] = [
    '2026-11-20T01:00:00.000Z',
    '2026-11-20T02:00:00.000Z',
    '2026-11-20T03:00:00.000Z',
  ]

  test('gives its windows in order, touching and overlapping ones as one', () => {
    const { windows } = read({ from: two, to: three }, '', { from: one, to: two, missing: 3 })
    assert.deepEqual(windows.map(isoRange), [{ from: one, to: three }])
  })

  test('may be the whole report too', () => {
    assert.deepEqual(read({ gaps: [{ from: one, to: two }] }).windows.map(isoRange), [{ from: one, to: two }])
  })

  test('is told apart by what it holds, not by its name', () => {
    assert.notEqual(read({ from: one, to: two }).typed, read({ from: one, to: three }).typed)
  })

  for (const [what, lines, message] of [
    [
      'a gap that ends before it begins',
      [
        { from: one, to: two },
        { from: three, to: two },
      ],
      /line 2 of .* is a gap that ends before it begins: from 2026-11-20T03.* to 2026-11-20T02/,
    ],
    ['a gap without length', [{ from: one, to: one }], /line 1 of .* ends before it begins/],
    ['a line that is no gap', [{ from: one, to: two }, { id: 'x' }], /line 2 of .* is not a gap/],
    ['a line that is no JSON', ['nonsense'], /line 1 of .* is not a gap/],
    ['a time that does not exist', [{ from: '2026-02-31T00:00:00Z', to: two }], /line 1 of .* is not a gap/],
    ['an empty file', [], /holds no gap/],
  ] as const) {
    test(`with ${what} is refused, and says where`, () => {
      assert.throws(
        () => read(...lines),
        (error) =>
          error instanceof UserError &&
          error.exitCode === 2 &&
          message.test(error.message) &&
          error.hint !== undefined,
      )
    })
  }

  test('that is not there is refused', () => {
    assert.throws(() => windowsOfGaps(join(folder, 'none')), UserError)
  })
})
