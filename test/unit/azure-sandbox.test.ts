import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type AzureSandbox, startAzure } from '../../src/sandbox/azure/index.ts'
import { KqlSemanticError, KqlSyntaxError } from '../../src/sandbox/azure/kql.ts'
import { runQuery } from '../../src/sandbox/azure/run-query.ts'
import type { AzureRow } from '../../src/sandbox/azure/table.ts'
import { faultPlan } from '../../src/sandbox/faults.ts'
import { FAKE_START } from '../support/fake-clock.ts'

describe('azure sandbox', () => {
  let sandbox: AzureSandbox
  let now = FAKE_START
  before(async () => {
    sandbox = await startAzure({
      seed: 1,
      generation: '2026',
      recent: false,
      faults: faultPlan(),
      now: () => now,
    })
  })
  after(() => sandbox.close())

  const askToken = (form: Record<string, string>) => {
    const { tenantId, clientId, clientSecret } = sandbox.settings
    return fetch(`${sandbox.urls['azureLogin']}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        ...form,
      }),
    })
  }
  const tokenFor = async (audience: string) => {
    const reply = await askToken({ scope: `${audience}/.default` })
    return ((await reply.json()) as { access_token: string }).access_token
  }
  const post = async (
    body: string | Uint8Array,
    headers: Record<string, string> = {},
    version = '2023-01-01',
  ) => {
    const { ruleId, stream } = sandbox.settings
    const token = await tokenFor('https://monitor.azure.com')
    return fetch(
      `${sandbox.urls['azure']}/dataCollectionRules/${ruleId}/streams/${stream}?api-version=${version}`,
      {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      },
    )
  }

  for (const [title, form, status, error] of [
    [
      'a wrong secret',
      { scope: 'https://monitor.azure.com/.default', client_secret: 'x' },
      401,
      'invalid_client',
    ],
    ['an unknown audience', { scope: 'https://elsewhere/.default' }, 400, 'invalid_scope'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ] as const) {
    test(`the token endpoint refuses ${title}`, async () => {
      const reply = await askToken(form)
      assert.deepEqual([reply.status, ((await reply.json()) as { error: string }).error], [status, error])
    })
  }

  test('a token for one audience fails at the other, and an expired one everywhere', async () => {
    const query = await tokenFor('https://api.loganalytics.io')
    assert.equal((await post('[]', { authorization: `Bearer ${query}` })).status, 401)
    const ingest = await tokenFor('https://monitor.azure.com')
    assert.equal((await post('[]', { authorization: `Bearer ${ingest}` })).status, 204)
    now += 3_600_000
    assert.equal((await post('[]', { authorization: `Bearer ${ingest}` })).status, 401)
  })

  for (const [title, body, headers, status] of [
    ['an empty array', '[]', {}, 204],
    ['an empty body', '', {}, 500],
    ['a megabyte and a byte', ' '.repeat(1_048_577), {}, 413],
    ['a broken gzip', '[]', { 'content-encoding': 'gzip' }, 400],
    [
      'a megabyte and a byte after decompression',
      gzipSync(' '.repeat(1_048_577)),
      { 'content-encoding': 'gzip' },
      413,
    ],
  ] as const) {
    test(`ingestion answers ${title} with ${status}`, async () => {
      assert.equal((await post(body, headers)).status, status)
      assert.equal(sandbox.rows().length, 0)
    })
  }

  test('a body that is no array gets 204, stores nothing and is noticed', async () => {
    assert.equal((await post('{"id":"x"}')).status, 204)
    assert.equal(sandbox.rows().length, 0)
    assert.deepEqual(
      sandbox.violations.map(({ rule }) => rule),
      ['non-array-body'],
    )
  })

  test('what the rule does not declare is dropped, a field over 64 KB is cut, a wrong type loses the row', async () => {
    const long = 'x'.repeat(65_537)
    await post(
      JSON.stringify([
        { id: 'a', createdAt: '2026-01-01T00:00:00Z', userAgent: long },
        { id: 'b', actor: {} },
        5,
      ]),
    )
    const [row] = sandbox.rows()
    assert.deepEqual(
      [sandbox.rows().length, row?.['createdAt'], String(row?.['userAgent']).length],
      [1, undefined, 65_536],
    )
    const { droppedColumns, truncated, droppedRows } = sandbox.losses()
    assert.deepEqual([droppedColumns.get('createdAt'), truncated, droppedRows.length], [1, 1, 2])
  })

  test('a rule takes so many requests and so many bytes a minute, then says 429', async () => {
    const { requestsPerMinute, bytesPerMinute } = sandbox.settings
    assert.deepEqual([requestsPerMinute, bytesPerMinute], [12_000, 2_000_000_000])
    try {
      for (const limit of [{ requestsPerMinute: 0 }, { bytesPerMinute: 1 }]) {
        Object.assign(sandbox.settings, limit)
        const { status, headers } = await post('[]')
        assert.deepEqual([status, headers.get('retry-after')], [429, '5'])
        Object.assign(sandbox.settings, { requestsPerMinute, bytesPerMinute })
      }
      assert.equal((await post('[]')).status, 204)
    } finally {
      Object.assign(sandbox.settings, { requestsPerMinute, bytesPerMinute })
    }
  })

  test('another version of the API is not found', async () => {
    assert.equal((await post('[]', {}, '2021-11-01-preview')).status, 404)
  })

  test('a query without its content type is answered with an empty 200', async () => {
    const token = await tokenFor('https://api.loganalytics.io')
    const url = `${sandbox.urls['azureSearch']}/v1/workspaces/${sandbox.settings.workspaceId}/query`
    const ask = (headers: Record<string, string>, body: object) =>
      fetch(url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${token}`, ...headers },
      })
    const empty = await ask({ 'content-type': 'text/plain' }, { query: 'InfisicalLogs_CL' })
    assert.deepEqual([empty.status, await empty.text()], [200, ''])
    const typed = { 'content-type': 'application/json' }
    const found = await ask(typed, { query: 'InfisicalLogs_CL | take 1 | project id' })
    assert.match(await found.text(), /"rows":\[\["a"\]\]/)
    const earlier = '2020-01-01T00:00:00Z/2020-01-02T00:00:00Z'
    assert.match(
      await (await ask(typed, { query: 'InfisicalLogs_CL', timespan: earlier })).text(),
      /"rows":\[\]/,
    )
  })
})

describe('azure KQL', () => {
  const row = (id: string, second: number): AzureRow => ({
    cells: { id, at: `2026-01-01T00:00:0${second}.0000000Z` },
    ingestedAt: Date.parse('2026-01-02T00:00:00Z'),
    visibleAt: 0,
  })
  const rows = [row('b', 1), row('a', 1), row('b', 1), row('c', 7)]
  const columns = { id: 'string', at: 'datetime' } as const
  const run = (query: string) => runQuery(query, { name: 'T_CL', columns, rows })
  const cells = (query: string) => run(query).rows.map((found) => Object.values(found.cells).join(' '))

  for (const [query, expected] of [
    ["T_CL | where id == 'b' | project id", ['b', 'b']],
    [
      "T_CL | where id == @'c' or (id != 'b' and at < datetime(2026-01-01T00:00:02Z)) | project id",
      ['a', 'c'],
    ],
    ['T_CL | distinct id | order by id desc', ['c', 'b', 'a']],
    ['T_CL | summarize rows=count(), ids=dcount(id, 4), exact=count_distinct(id)', ['4 3 3']],
    [
      'T_CL | summarize n=count() by bin(at, 5s) | order by at asc',
      ['2026-01-01T00:00:00.0000000Z 3', '2026-01-01T00:00:05.0000000Z 1'],
    ],
    ['T_CL | where ingestion_time() > datetime(2026-01-01) | take 1 | project who = id', ['b']],
    ['T_CL | order by at asc, id asc | project id | take 3', ['a', 'b', 'b']],
    ["T_CL | where id == 'nobody' | summarize count()", ['0']],
    ['T_CL | getschema | project ColumnName', ['id', 'at']],
    [
      "T_CL | extend who = coalesce(id, 'x') | extend id = coalesce(who, id) | project id",
      ['b', 'a', 'b', 'c'],
    ],
  ] as const) {
    test(query, () => {
      assert.deepEqual(cells(query), expected)
    })
  }

  for (const [query, error] of [
    ['Other_CL | take 1', KqlSemanticError],
    ['T_CL | where nothing == 1', KqlSemanticError],
    ["T_CL | where at > 'text'", KqlSemanticError],
    ['T_CL | make-series count()', KqlSyntaxError],
    ['T_CL | extend at = coalesce(at, id)', KqlSemanticError],
    ['T_CL | where id has "b"', KqlSyntaxError],
    ['T_CL | where (id == "b"', KqlSyntaxError],
    ['T_CL | where id == $', KqlSyntaxError],
  ] as const) {
    test(`${query} is a ${error.name}`, () => {
      assert.throws(() => run(query), error)
    })
  }
})
