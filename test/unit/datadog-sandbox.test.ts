import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type DatadogSandbox, startDatadog } from '../../src/sandbox/datadog/index.ts'
import { compileQuery, QuerySyntaxError } from '../../src/sandbox/datadog/query.ts'
import { rowOf } from '../../src/sandbox/datadog/row.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { FAKE_START } from '../support/fake-clock.ts'

describe('datadog sandbox', () => {
  let sandbox: DatadogSandbox
  let now = FAKE_START
  before(async () => {
    sandbox = await startDatadog({
      seed: 1,
      generation: '2026',
      recent: false,
      faults: faultPlan(),
      now: () => now,
    })
  })
  after(() => sandbox.close())

  const keys = () => {
    const stream = sandbox.config.streams?.['dd']
    return { 'dd-api-key': String(stream?.['apiKey']), 'dd-application-key': String(stream?.['appKey']) }
  }
  const intake = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(`${sandbox.urls['datadog']}/api/v2/logs`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...keys(), ...headers },
    })
  const search = (body: object, path = '/api/v2/logs/events/search') =>
    fetch(`${sandbox.urls['datadogSearch']}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...keys() },
    })

  for (const [title, body, headers, status] of [
    ['a body over 5,000,000 bytes', `[{"m":"${'x'.repeat(5_000_000)}"}]`, {}, 413],
    ['over 1,000 logs', JSON.stringify(Array(1001).fill({})), {}, 413],
    ['a broken body', '[{', {}, 400],
    ['an array of texts', '["a"]', {}, 400],
    ['an unknown encoding', '[]', { 'content-encoding': 'br' }, 415],
    ['a broken gzip', '[]', { 'content-encoding': 'gzip' }, 400],
    ['an unknown key', '[]', { 'dd-api-key': 'x' }, 403],
  ] as const) {
    test(`the intake refuses ${title} with ${status}`, async () => {
      assert.equal((await intake(body, headers)).status, status)
      assert.equal(sandbox.rows().length, 0)
    })
  }

  test('a bomb is refused while it inflates', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, 0x20))
    assert.equal((await intake(bomb, { 'content-encoding': 'gzip' })).status, 413)
  })

  test('a log over a million bytes is truncated behind a 202, and noticed', async () => {
    const reply = await intake(JSON.stringify([{ id: 'big', text: 'x'.repeat(1_000_001) }]))
    assert.equal(reply.status, 202)
    assert.deepEqual(
      sandbox.violations.map(({ rule }) => rule),
      ['log-truncated'],
    )
    assert.ok(
      !JSON.stringify(
        (sandbox.rows()[0] as { attributes: { attributes: object } }).attributes.attributes,
      ).includes('big'),
    )
  })

  test('a date inside a JSON message counts too', async () => {
    const old = new Date(now - 30 * 3_600_000).toISOString()
    await intake(JSON.stringify([{ message: JSON.stringify({ eventTime: old }) }]))
    assert.equal(sandbox.dropped().at(-1)?.reason, 'too old')
  })

  test('paging ends with a page that is exactly {"data":[]}, after a short page with a cursor', async () => {
    const from = now - 600_000
    sandbox.preload([1, 2, 3].map((i) => ({ id: `p${i}`, createdAt: new Date(from + i).toISOString() })))
    const filter = { query: 'source:infisical @id:*', from: String(from), to: String(from + 100) }
    const sizes: number[] = []
    let cursor: string | undefined
    for (let page = 0; page < 5; page += 1) {
      const body = {
        filter,
        sort: 'timestamp',
        page: { limit: 2, ...(cursor === undefined ? {} : { cursor }) },
      }
      const answer = (await (await search(body)).json()) as {
        data: unknown[]
        meta?: { page: { after: string } }
      }
      sizes.push(answer.data.length)
      if (answer.meta === undefined) {
        assert.deepEqual(answer, { data: [] })
        break
      }
      cursor = answer.meta.page.after
    }
    assert.deepEqual(sizes, [2, 1, 0])
    const other = { ...filter, query: 'source:other' }
    assert.equal((await search({ filter: other, sort: 'timestamp', page: { cursor } })).status, 400)
  })

  for (const body of [
    { page: { limit: 1001 } },
    { page: { limit: 0 } },
    { sort: 'id' },
    { unknown: 1 },
    { filter: { from: 'yesterday' } },
    { filter: { query: '@id:"open' } },
  ]) {
    test(`a search refuses ${JSON.stringify(body)}`, async () => {
      assert.equal((await search(body)).status, 400)
    })
  }

  test('aggregate counts in total and as a series without its zeros', async () => {
    const from = now - 600_000
    const filter = {
      query: '@id:*',
      from: new Date(from).toISOString(),
      to: new Date(from + 100).toISOString(),
    }
    const compute = [
      { aggregation: 'count', type: 'total' },
      { aggregation: 'count', type: 'timeseries', interval: '5m' },
    ]
    const path = '/api/v2/logs/analytics/aggregate'
    const answer = (await (await search({ filter, compute }, path)).json()) as {
      data: { buckets: { computes: { c0: number; c1: { value: number }[] } }[] }
    }
    const computes = answer.data.buckets[0]?.computes
    assert.equal(computes?.c0, 3)
    assert.deepEqual(
      computes?.c1.map(({ value }) => value),
      [3],
    )
    const none = await search({ filter: { ...filter, query: '@id:nobody' }, compute }, path)
    assert.deepEqual(((await none.json()) as { data: object }).data, { buckets: [] })
  })

  test('what arrives with index-delay is found only afterwards', async () => {
    const admin = await fetch(`${sandbox.urls['datadog']}/__emulator/faults`, {
      method: 'POST',
      body: JSON.stringify({ faults: ['datadog:index-delay=5000'] }),
    })
    assert.equal(admin.status, 200)
    await intake(JSON.stringify([{ id: 'slow', ddsource: 'late' }]))
    const find = async () => {
      const filter = { query: 'source:late', from: String(now - 60_000), to: String(now + 10_000) }
      return ((await (await search({ filter })).json()) as { data: unknown[] }).data.length
    }
    assert.equal(await find(), 0)
    now += 5_000
    assert.equal(await find(), 1)
  })
})

describe('datadog query grammar', () => {
  const row = rowOf(
    {
      id: 'a-1',
      audit: { id: 'b:2', n: 5 },
      ddsource: 'infisical',
      service: 'x',
      ddtags: 'env:prod,backfill:true',
    },
    { seq: 1, timestamp: 0, visibleAt: 0, tier: 'indexes', truncated: false },
  )
  for (const [query, isFound] of [
    ['*', true],
    ['', true],
    ['source:infisical', true],
    ['source:infisical -source:other', true],
    ['source:infisical backfill:true', true],
    ['-backfill:true', false],
    ['@id:a-1', true],
    ['@id:"a-1" AND @audit.id:"b:2"', true],
    ['@id:(x OR a-1)', true],
    ['@id:* OR @nothing:*', true],
    ['(source:a OR service:x) env:prod', true],
    ['-@audit.id:*', false],
    ['@audit.n:[1 TO 9]', false],
  ] as const) {
    test(`${query || 'nothing'} ${isFound ? 'finds' : 'leaves'} the row`, () => {
      assert.equal(compileQuery(query)(row), isFound)
    })
  }
  for (const query of ['"text"', '@id:a*', '(a:b', 'a:b)', 'NOT a:b', 'a:b OR', '@id:{1 2}']) {
    test(`${query} is not understood`, () => {
      assert.throws(() => compileQuery(query), QuerySyntaxError)
    })
  }
})
