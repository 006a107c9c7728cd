import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReadAll } from '../../../support/infisical-source.ts'
import {
  page,
  pageOf,
  type Row,
  readStub,
  row,
  rowsFrom,
  type Stub,
  type StubAsked,
  type startStub,
} from '../../../support/infisical-stub.ts'

const START = Date.UTC(2026, 10, 1)
const WINDOW = { from: START, to: START + 3_600_000 }

async function read(
  rows: readonly Row[],
  answer: Parameters<typeof startStub>[1],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly result: ReadAll; readonly stub: Stub }> {
  return readStub(rows, answer, { settings, window: WINDOW, concurrency: 4 })
}

const numbersOf = ({ events }: ReadAll) =>
  events.map((event) => Number(event.id.slice(-12))).sort((a, b) => a - b)

function newestFirst({ rows }: Stub, { from, to }: StubAsked, isInclusive = false): Row[] {
  return rows
    .filter(({ us }) => us >= from * 1000 && (us < to * 1000 || (isInclusive && us === to * 1000)))
    .sort((a, b) => b.us - a.us)
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

test('a crowd at the far end that shows one row at two page edges is not taken for a loop', async () => {
  const crowd = upTo(30).map((n) => row(9000 + n, WINDOW.to * 1000))
  const turning: Parameters<typeof startStub>[1] = (stub, asked) => {
    const inside = newestFirst(stub, asked, true)
    // Whichever page of the crowd is asked for, the same row of it comes last.
    const last = asked.offset + asked.limit - 1
    const at = inside.findIndex(({ json }) => json.includes('-000000009007'))
    if (last < 30 && at >= 0) {
      const [here, there] = [inside[last] as Row, inside[at] as Row]
      inside[last] = there
      inside[at] = here
    }
    return pageOf(inside.slice(asked.offset, asked.offset + asked.limit))
  }
  const { result } = await read([...rowsFrom(START, 100, 7_000_000), ...crowd], turning, { pageSize: 10 })
  assert.deepEqual(numbersOf(result), upTo(100))
})

test('requests that were refused together lower the page once, to what the server says', async () => {
  const strict: Parameters<typeof startStub>[1] = (stub, asked, exchange) => {
    const message: unknown[] = []
    if (asked.limit > 3) message.push({ code: 'too_big', maximum: 3, path: ['limit'], message: 'at most 3' })
    if (asked.to - asked.from > 900_000)
      message.push({ code: 'custom', path: ['endDate'], message: 'Dates must be within 3 months' })
    if (message.length === 0) return page(stub, asked)
    exchange.reply(422, { reqId: 'r', statusCode: 422, error: 'ValidationFailure', message })
    return undefined
  }
  const { result, stub } = await read(rowsFrom(START, 40, 60_000_000), strict)
  assert.deepEqual(numbersOf(result), upTo(40))
  assert.ok(stub.asked.filter(({ limit }) => limit > 3).length > 1, 'several were refused')
  assert.ok(
    stub.asked.every(({ limit }) => limit >= 3),
    'and none asked for less than is taken',
  )
})

for (const [name, place] of [
  ['on one page', 500],
  ['parted by a page edge', 999],
] as const) {
  test(`of a crowd larger than a page, a row that is stored twice, ${name}, is no row that is missing`, async () => {
    const us = (n: number) => START * 1000 + 5_000_000 + 999 - Math.floor(n / 2)
    const crowd = upTo(1500).map((n) => row(n, us(n)))
    crowd.splice(place, 0, crowd[place] as Row)
    const { result } = await read(crowd, (stub, asked) => {
      // A fixed order: by microsecond, then as stored.
      return pageOf(newestFirst(stub, asked).slice(asked.offset, asked.offset + asked.limit))
    })
    assert.deepEqual(numbersOf(result), upTo(1500))
  })
}

test('that one row is stored twice does not excuse another that was not seen', async () => {
  const crowd = upTo(1200).map((n) => row(n, START * 1000 + 5_000_000))
  let questions = 0
  const hiding: Parameters<typeof startStub>[1] = (stub, asked) => {
    questions += 1
    // Counts all rows, among them one that is there twice; the last is shown late, and another in its place before.
    const inside = newestFirst(stub, asked)
    if (inside.length > 0 && questions < 20) inside[1200] = inside[600] as Row
    return pageOf(inside.slice(asked.offset, asked.offset + asked.limit))
  }
  const twice = crowd[0] as Row
  // Spelt so that pieces by other filters cannot help: every row is of the same kind.
  const { result } = await read([twice, ...crowd], hiding)
  assert.deepEqual(numbersOf(result), upTo(1200))
})

test('rows of a crowd that are pruned while it is read do not stand for others that were not seen', async () => {
  const crowd = upTo(1300).map((n) => row(n, START * 1000 + 5_000_000))
  let questions = 0
  const pruning: Parameters<typeof startStub>[1] = (stub, asked) => {
    questions += 1
    const inside = newestFirst(stub, asked)
    if (asked.offset > 0 && questions < 6) {
      // Gone from the front: the second page passes over as many.
      stub.rows = stub.rows.filter((one) => !inside.slice(0, 50).includes(one))
      return pageOf(newestFirst(stub, asked).slice(asked.offset, asked.offset + asked.limit))
    }
    return pageOf(inside.slice(asked.offset, asked.offset + asked.limit))
  }
  const { result, stub } = await read(crowd, pruning)
  const got = new Set(numbersOf(result))
  assert.ok(stub.rows.length < 1300)
  for (const { json } of stub.rows) assert.ok(got.has(Number(JSON.parse(json).id.slice(-12))), json)
})
