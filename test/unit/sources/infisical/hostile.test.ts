import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractError, IncompleteError, type RemoteError } from '../../../../src/core/errors.ts'
import { NOW, type ReadAll } from '../../../support/infisical-source.ts'
import {
  page,
  pageOf,
  type Row,
  readStub,
  row,
  rowsFrom,
  type Stub,
  type startStub,
} from '../../../support/infisical-stub.ts'

const START = Date.UTC(2026, 10, 1)
const WINDOW = { from: START, to: START + 3_600_000 }

async function read(
  rows: readonly Row[],
  answer?: Parameters<typeof startStub>[1],
  settings: Readonly<Record<string, unknown>> = {},
  use: (result: ReadAll, stub: Stub) => void = () => {},
): Promise<void> {
  const { result, stub } = await readStub(rows, answer, { settings, window: WINDOW, concurrency: 2 })
  use(result, stub)
}

const numbersOf = ({ events }: ReadAll) => events.map((event) => Number(event.id.slice(-12)))

test('a row that is pruned between two pages takes no other with it', async () => {
  // Offsets after it shrink by one, so that plain paging would pass over the row at each edge.
  const rows = rowsFrom(START, 900, 1_000_000)
  const pruning: Parameters<typeof startStub>[1] = (stub, asked) => {
    if (asked.offset > 0) {
      const inside = stub.rows.filter(({ us }) => us >= asked.from * 1000 && us < asked.to * 1000)
      const newest = inside.sort((a, b) => b.us - a.us)[0]
      stub.rows = stub.rows.filter((one) => one !== newest)
    }
    return page(stub, asked)
  }
  await read(rows, pruning, { pageSize: 50 }, (result, stub) => {
    const got = new Set(numbersOf(result))
    for (const one of stub.rows) assert.ok(got.has(Number(JSON.parse(one.json).id.slice(-12))))
    assert.ok(stub.rows.length < 900)
  })
})

test('rows that are stored late between two pages repeat nothing and hide nothing', async () => {
  const rows = rowsFrom(START, 600, 1_000_000)
  let next = 10_000
  const lateness: Parameters<typeof startStub>[1] = (stub, asked) => {
    next += 1
    if (asked.offset > 0) stub.rows.push(row(next, START * 1000 + 599_000_001 + next))
    return page(stub, asked)
  }
  await read(rows, lateness, { pageSize: 40 }, (result) => {
    const got = numbersOf(result)
    assert.deepEqual(
      got.filter((n) => n < 10_000),
      Array.from({ length: 600 }, (_, n) => n),
    )
    assert.equal(new Set(got).size, got.length)
  })
})

test('rows without an order that a page edge parts are read together', async () => {
  // Four to the instant. Every query after the first keeps the row at the edge in its place and turns the other three around.
  const rows = Array.from({ length: 400 }, (_, n) => row(n, START * 1000 + Math.floor(n / 4) * 1_000_000))
  const turning: Parameters<typeof startStub>[1] = (stub, { from, to, offset, limit }) => {
    const inside = stub.rows
      .filter(({ us }) => us >= from * 1000 && us < to * 1000)
      .sort((a, b) => b.us - a.us)
    const first = offset - (offset % 4)
    const others = [0, 1, 2, 3]
      .map((place) => first + place)
      .filter((place) => offset > 0 && place !== offset)
    const turned = others.map((place) => inside[place]).reverse()
    others.forEach((place, n) => {
      if (turned[n] !== undefined) inside[place] = turned[n]
    })
    return pageOf(inside.slice(offset, offset + limit))
  }
  for (const pageSize of [6, 7, 9, 50]) {
    await read(rows, turning, { pageSize }, (result) => {
      assert.equal(new Set(numbersOf(result)).size, 400)
      assert.equal(result.events.length, 400)
    })
  }
})

test('an event at the very end of a window belongs to the next one, though an older server gives it with both', async () => {
  const inclusive: Parameters<typeof startStub>[1] = (stub, { from, to, offset, limit }) => {
    const inside = stub.rows
      .filter(({ us }) => us >= from * 1000 && us <= to * 1000)
      .sort((a, b) => b.us - a.us)
    return pageOf(inside.slice(offset, offset + limit))
  }
  // A thousand to the second, so that every edge of a slice has an event of its own.
  await read(rowsFrom(START, 5000, 1000), inclusive, { pageSize: 100 }, (result) => {
    assert.deepEqual(
      numbersOf(result),
      Array.from({ length: 5000 }, (_, n) => n),
    )
  })
  // Hundreds of them at the far end, which fill pages and are none of ours.
  const crowd = Array.from({ length: 350 }, (_, n) => row(9000 + n, WINDOW.to * 1000))
  await read([...rowsFrom(START, 500, 7_000_000), ...crowd], inclusive, { pageSize: 100 }, (result) => {
    assert.deepEqual(
      numbersOf(result),
      Array.from({ length: 500 }, (_, n) => n),
    )
  })
})

test('microseconds below the shown millisecond keep their order and are all read', async () => {
  // Seven rows to the millisecond, by stored microseconds that the reply cuts off.
  await read(rowsFrom(START, 2000, 143), undefined, { pageSize: 10 }, (result) => {
    assert.equal(result.events.length, 2000)
  })
})

test('unknown fields, large numbers and every digit of a time come through to the byte', async () => {
  const json =
    '{"new":{"b":1.0},"id":"x-1","createdAt":"2026-11-01T00:00:01.123456789Z","n":12345678901234567890,' +
    '"event":{"type":"a","metadata":{"e":1e400,"t":"\\u00e9"}},"actor":{"type":"user","metadata":null}}'
  await read([{ us: START * 1000 + 1_123_456, json }], undefined, {}, ({ events }) => {
    const [event] = events
    assert.equal(Buffer.from(event?.bytes ?? []).toString(), json)
    assert.equal(event?.occurredAt, '2026-11-01T00:00:01.123456789Z')
    assert.equal(event?.occurredAtMs, START + 1123)
  })
})

test('an event of a megabyte is one event, and pages too large to hold are asked for in parts', async () => {
  const large = (n: number, bytes: number) =>
    row(n, START * 1000 + n * 1_000_000, { event: { type: 'big', metadata: { text: 'x'.repeat(bytes) } } })
  await read(
    [row(0, START * 1000), large(1, 1_000_000), row(2, START * 1000 + 2_000_000)],
    undefined,
    {},
    (result) => {
      assert.deepEqual(numbersOf(result), [0, 1, 2])
    },
  )
  const many = Array.from({ length: 60 }, (_, n) => large(n, 1_000_000))
  await read(many, undefined, {}, (result, stub) => {
    assert.equal(result.events.length, 60)
    assert.ok(Math.min(...stub.asked.map(({ limit }) => limit)) < 250)
  })
})

test('a server that takes fewer rows than it says in its documents is asked for what it takes', async () => {
  const strict: Parameters<typeof startStub>[1] = (stub, asked, exchange) => {
    if (asked.limit <= 250) return page(stub, asked)
    const message = [
      { code: 'too_big', maximum: 250, path: ['limit'], message: 'Number must be at most 250' },
    ]
    exchange.reply(422, { reqId: 'r', statusCode: 422, error: 'ValidationFailure', message })
    return undefined
  }
  await read(rowsFrom(START, 1200, 1_000_000), strict, {}, (result, stub) => {
    assert.equal(result.events.length, 1200)
    assert.equal(stub.asked.filter(({ limit }) => limit > 250).length, 1)
  })
})

const months: Parameters<typeof startStub>[1] = (stub, asked, exchange) => {
  if (asked.to - asked.from <= 600_000) return page(stub, asked)
  const message = [{ code: 'custom', path: ['endDate'], message: 'Dates must be within 3 months' }]
  exchange.reply(422, { reqId: 'r', statusCode: 422, error: 'ValidationFailure', message })
  return undefined
}

test('a window that the server calls too wide is read in narrower ones', async () => {
  await read(rowsFrom(START, 3000, 1_000_000), months, {}, (result) => {
    assert.equal(result.events.length, 3000)
  })
})

test('a server that ignores offset and dates is found out, by few requests', async () => {
  const rows = rowsFrom(START - 3_600_000, 2000, 4_000_000)
  const deaf: Parameters<typeof startStub>[1] = (stub, { limit }) =>
    pageOf([...stub.rows].sort((a, b) => b.us - a.us).slice(0, limit))
  const asked: number[] = []
  const counting: Parameters<typeof startStub>[1] = (stub, question, exchange) => {
    asked.push(question.offset)
    return deaf(stub, question, exchange)
  }
  await assert.rejects(read(rows, counting, { pageSize: 100 }), (error: RemoteError) => {
    assert.ok(error instanceof ContractError || error instanceof IncompleteError, error.message)
    return true
  })
  assert.ok(asked.length < 40, String(asked.length))
})

for (const [name, body, words] of [
  ['without the array', '{"logs":[]}', /no array under auditLogs/],
  ['with an array of numbers', '{"auditLogs":[1]}', /Element 0 of auditLogs is not an object/],
  [
    'with an event without an id',
    '{"auditLogs":[{"createdAt":"2026-11-01T00:00:00.000Z"}]}',
    /an event has no id/,
  ],
  ['with an event without a time', '{"auditLogs":[{"id":"a"}]}', /the event a has no createdAt/],
  ['with a time that is none', '{"auditLogs":[{"id":"a","createdAt":"soon"}]}', /event 0.*not a time/],
  ['that is cut off', '{"auditLogs":[{"id":"a"', /not JSON/],
  ['that is empty', '', /not JSON/],
] as const) {
  test(`a reply ${name} is a ContractError that names what is wrong`, async () => {
    await assert.rejects(
      read([], () => body),
      (error: RemoteError) => {
        assert.ok(error instanceof ContractError, error.message)
        assert.match(error.message, words)
        return true
      },
    )
  })
}

test('a full page that is not newest first is refused, since it could hide others', async () => {
  const upside: Parameters<typeof startStub>[1] = (stub, { limit }) =>
    pageOf([...stub.rows].sort((a, b) => a.us - b.us).slice(0, limit))
  await assert.rejects(read(rowsFrom(START, 200, 1_000_000), upside, { pageSize: 50 }), /not newest first/)
})

test('rows of one instant that never come to light end as an incomplete slice', async () => {
  const same = Array.from({ length: 1500 }, (_, n) => row(n, START * 1000 + 5_000_000))
  const hiding: Parameters<typeof startStub>[1] = (stub, { from, to, offset, limit }) => {
    const inside = stub.rows.filter(({ us }) => us >= from * 1000 && us < to * 1000)
    // Counts them all and shows the same thousand again and again, turned a little.
    const shown = inside.slice(0, Math.min(inside.length, 1000))
    return pageOf(
      Array.from({ length: Math.max(0, Math.min(limit, inside.length - offset)) }, (_, i) => {
        return shown[(i * 7 + offset) % shown.length] as Row
      }),
    )
  }
  await assert.rejects(read(same, hiding), (error: RemoteError) => {
    assert.ok(error instanceof IncompleteError, error.message)
    assert.equal(error.exitCode, 6)
    assert.match(error.message, /1500 events share the instant 2026-11-01T00:00:05.000Z and only 1000/)
    return true
  })
})

test('a window whose end is still to come by the server’s clock is warned of', async () => {
  for (const [serverMs, isWarned] of [
    [WINDOW.to - 600_000, true],
    [WINDOW.to, false],
    [NOW + 600_000, false],
  ] as const) {
    const dated: Parameters<typeof startStub>[1] = (stub, asked, exchange) => {
      const date = new Date(serverMs).toUTCString()
      exchange.reply(200, page(stub, asked), { 'content-type': 'application/json', date })
      return undefined
    }
    await read(rowsFrom(START, 3, 1_000_000), dated, {}, ({ events, warnings }) => {
      assert.equal(events.length, 3)
      assert.equal(/window ends at 2026-11-01T01:00:00.000Z.*NTP/.test(warnings.join()), isWarned)
    })
  }
})
