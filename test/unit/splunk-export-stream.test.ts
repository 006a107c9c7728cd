import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readExport } from '../../src/inventories/splunk/export-stream.ts'

const signal = new AbortController().signal
const ROW = '{"preview":false,"offset":0,"result":{"aid":"a"}}'
const LAST = '{"preview":false,"offset":1,"lastrow":true,"result":{"aid":"b"}}'
const EMPTY = '{"preview":false,"lastrow":true}'
const said = (type: string, text: string) => JSON.stringify({ messages: [{ type, text }] })

describe('splunk export stream', () => {
  /** What came over the wire, which ids it holds, and whether they are all. */
  const CASES: readonly [name: string, lines: readonly string[], ids: string, exhausted: boolean][] = [
    ['rows with a last one', [ROW, LAST], 'ab', true],
    ['a documented empty answer', [EMPTY], '', true],
    ['rows without a last one', [ROW], 'a', false],
    ['nothing at all', [], '', false],
    [
      'interim rows before the final ones',
      [ROW.replace('false', 'true'), LAST.replace('false', 'true'), ROW, LAST],
      'ab',
      true,
    ],
    ['interim rows alone', [ROW.replace('false', 'true'), LAST.replace('false', 'true')], '', false],
    ['FATAL in the middle', [ROW, said('FATAL', 'out of memory'), LAST], 'ab', false],
    ['FATAL after the last row', [ROW, LAST, said('FATAL', 'too late')], 'ab', false],
    ['ERROR beside an empty answer', [said('ERROR', 'no disk'), EMPTY], '', false],
    ['a silent search peer', [ROW, LAST, said('WARN', 'Search peer idx7 did not respond')], 'ab', false],
    [
      'a quota that comes near',
      [said('WARN', 'The system is approaching the maximum number of historical searches'), ROW, LAST],
      'ab',
      true,
    ],
    ['small talk', [said('INFO', 'Search finished'), said('DEBUG', 'x'), ROW, LAST], 'ab', true],
    [
      'a time range that was changed',
      [said('INFO', 'Your timerange was substituted based on your search string'), ROW, LAST],
      'ab',
      false,
    ],
    ['rows after the last one', [LAST, ROW], 'ba', false],
    ['HTML', ['<!doctype html>', '<p>Sign in</p>'], '', false],
    ['a cut line', [ROW, LAST.slice(0, 30)], 'a', false],
  ]
  for (const [name, lines, expected, exhausted] of CASES) {
    for (const size of [1, 7, 4096]) {
      test(`${name} in pieces of ${size} bytes ${exhausted ? 'is' : 'is not'} a whole answer`, async () => {
        const rows = readExport(pieces(`${lines.join('\r\n')}\n`, size), signal)
        const ids: string[] = []
        for (;;) {
          const step = await rows.next()
          if (step.done === true) {
            assert.equal(step.value.exhausted, exhausted, step.value.reason)
            if (!exhausted) assert.ok(step.value.reason)
            break
          }
          ids.push(...step.value.map((row) => String(row['aid'])))
        }
        // How many rows come out before what spoils them depends on the pieces.
        if (exhausted) assert.equal(ids.join(''), expected)
        else assert.ok(expected.startsWith(ids.join('')))
      })
    }
  }

  test('a body that breaks off is an incomplete answer', async () => {
    async function* broken() {
      yield Buffer.from(`${ROW}\n`)
      throw new Error('socket hang up')
    }
    const rows = readExport(broken(), signal)
    await rows.next()
    const { value } = await rows.next()
    assert.deepEqual(value, { exhausted: false, reason: 'the answer broke off: socket hang up', lines: 1 })
  })

  async function* pieces(text: string, size: number) {
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
})
