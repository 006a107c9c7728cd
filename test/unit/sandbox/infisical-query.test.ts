import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asked, type Issue, idsOf, iso, RECORDED_NOW, withInfisical } from './infisical-support.ts'

const LAST = RECORDED_NOW - 600_000
const WINDOW = { startDate: '2026-11-20T12:30:00.000Z', endDate: '2026-11-20T12:46:00.000Z' }
const DEMO = '412466e8-90cf-4374-8a9a-4ee1c1abf355'
const issuesOf = async (
  asked: Asked,
  query: Record<string, string | number> | string,
): Promise<readonly Issue[]> => {
  const { status, body } = await asked.list(query)
  assert.equal(status, 422, JSON.stringify(query))
  return (body as { message: readonly Issue[] }).message
}

test('both ends of a 2025 window count, to the microsecond that is stored', () =>
  withInfisical({ generation: '2025' }, async ({ page }) => {
    const shown = { ...WINDOW, endDate: iso(LAST), limit: 1 }
    const [before] = await page(shown)
    // The row is stored some microseconds after the time it shows.
    assert.ok(before !== undefined && Date.parse(before.createdAt) < LAST)
    const [last] = await page({ ...shown, endDate: iso(LAST + 1) })
    assert.equal(last?.createdAt, iso(LAST))
    const [kept] = await page({ startDate: iso(LAST), endDate: WINDOW.endDate, limit: 1 })
    assert.equal(kept?.id, last?.id)
  }))

test('the end of a 2026 window is outside', () =>
  withInfisical({}, async ({ admin, page }) => {
    const onTheDot = {
      ...(await page({ ...WINDOW, limit: 1 }))[0],
      id: 'dot',
      createdAt: '2026-11-20T12:50:00.000Z',
    }
    await admin('events', { events: [onTheDot] })
    const ends = await page({
      startDate: '2026-11-20T12:49:00.000Z',
      endDate: '2026-11-20T12:50:00.000Z',
      limit: 5,
    })
    assert.deepEqual(ends, [])
  }))

test('a 2026 server refuses what a 2025 server takes', async () => {
  const cases: readonly (readonly [Record<string, string | number>, string, string])[] = [
    [{ ...WINDOW, limit: 1001 }, 'limit', 'Number must be less than or equal to 1000'],
    [
      { startDate: WINDOW.endDate, endDate: WINDOW.startDate },
      'endDate',
      'End date cannot be before start date',
    ],
    [
      { startDate: '2026-08-19T00:00:00.000Z', endDate: '2026-11-20T00:00:00.000Z' },
      'endDate',
      'Dates must be within 3 months',
    ],
    [{ ...WINDOW, eventType: 'get-secret,no-such-type' }, 'eventType', 'no-such-type'],
  ]
  await withInfisical({}, async (asked) => {
    for (const [query, path, message] of cases) {
      const [issue, ...more] = await issuesOf(asked, query)
      assert.deepEqual(issue?.path, [path])
      assert.ok(issue?.message.includes(message), issue?.message)
      assert.deepEqual(more, [])
    }
    assert.equal(
      (await asked.list({ endDate: WINDOW.endDate, startDate: '2026-11-20T12:46:00.000Z' })).status,
      200,
    )
  })
  await withInfisical({ generation: '2025' }, async ({ list }) => {
    for (const [query] of cases) assert.equal((await list(query)).status, 200)
    const { body } = await list({ ...WINDOW, eventType: 'no-such-type' })
    assert.deepEqual(body, { auditLogs: [] })
  })
})

test('a 2025 server without a maximum gives a whole window in one page', () =>
  withInfisical({ generation: '2025' }, async ({ page }) => {
    assert.equal((await page({ ...WINDOW, limit: 10_000 })).length, 4432)
  }))

test('a repeated parameter is refused as an array', () =>
  withInfisical({}, async (asked) => {
    const twice = 'eventType=get-secret&eventType=get-secrets&limit=10&limit=20'
    const issues = await issuesOf(asked, twice)
    assert.deepEqual(
      issues.map((issue) => [issue.path[0], issue.message]),
      [
        ['eventType', 'Expected string, received array'],
        ['limit', 'Expected number, received nan'],
      ],
    )
  }))

const filtered: readonly {
  readonly name: string
  readonly query: Record<string, string>
  readonly found: number
  readonly generation?: '2025'
}[] = [
  {
    name: 'a list of event types is joined by commas',
    query: { eventType: 'create-project,get-identity-universal-auth' },
    found: 6,
  },
  { name: 'a project', query: { projectId: DEMO }, found: 2163 },
  {
    name: 'an actor without a type is a user id',
    query: { actor: '89c42332-2673-4b09-a5d0-19e5a8542f56' },
    found: 1374,
  },
  {
    name: 'an identity without its type is nobody',
    query: { actor: '1ca70a8f-6229-4925-8539-57232964af9c' },
    found: 0,
  },
  {
    name: 'an identity with its type is found',
    query: { actor: '1ca70a8f-6229-4925-8539-57232964af9c', actorType: 'identity' },
    found: 2878,
  },
  { name: 'a type of user agent', query: { userAgentType: 'InfisicalPythonSDK' }, found: 463 },
  { name: 'the environment is ignored without a project', query: { environment: 'nowhere' }, found: 4432 },
  {
    name: 'the environment counts with a project',
    query: { projectId: DEMO, environment: 'nowhere' },
    found: 0,
  },
  {
    name: 'the environment is ignored for get-secrets alone',
    query: { projectId: DEMO, environment: 'nowhere', eventType: 'get-secrets' },
    found: 230,
  },
  {
    name: 'the environment counts when one type of the list is among the seven',
    query: { projectId: DEMO, environment: 'nowhere', eventType: 'get-secrets,get-secret' },
    found: 0,
  },
  {
    name: 'a trailing slash of the path is dropped',
    query: { projectId: DEMO, secretPath: '/f709016x/' },
    found: 2,
  },
  { name: 'a key is looked for in batches too', query: { projectId: DEMO, secretKey: 'BATCH_3' }, found: 83 },
  { name: 'metadata match exactly', query: { eventMetadata: 'name=Env 709001,slug=env-709001' }, found: 2 },
  { name: 'metadata that are numbers never match', query: { eventMetadata: 'numberOfSecrets=61' }, found: 0 },
  { name: 'a pair without a value is dropped', query: { eventMetadata: 'name=' }, found: 4432 },
]
for (const { name, query, found, generation } of filtered) {
  test(`filters as the server applies them: ${name}`, () =>
    withInfisical({ generation: generation ?? '2026' }, async ({ page }) => {
      let total = 0
      for (let offset = 0; ; offset += 1000) {
        const rows = await page({ ...WINDOW, ...query, limit: 1000, offset })
        total += rows.length
        if (rows.length < 1000) break
      }
      assert.equal(total, found)
    }))
}

test('an equals sign in a metadata value survives only on newer servers', async () => {
  for (const [generation, value] of [
    ['2025', 'b'],
    ['2026', 'b=c'],
  ] as const) {
    await withInfisical({ generation }, async ({ admin, page }) => {
      const event = (id: string, a: string) => ({
        id,
        createdAt: '2026-11-20T12:50:00.000Z',
        event: { type: 'get-secret', metadata: { a } },
        actor: { type: 'user', metadata: {} },
      })
      await admin('events', { events: [event('short', 'b'), event('long', 'b=c')] })
      const rows = await page({
        startDate: '2026-11-20T12:49:00.000Z',
        endDate: '2026-11-20T12:51:00.000Z',
        limit: 10,
        eventMetadata: 'a=b=c',
      })
      assert.deepEqual(
        rows.map((row) => (row.event.metadata as { a: string }).a),
        [value],
      )
    })
  }
})

test('an actor type that has no ids cannot be asked for by id', () =>
  withInfisical({}, async ({ list }) => {
    const { status, body } = await list({ ...WINDOW, actorType: 'platform', actor: 'x' })
    assert.equal(status, 400)
    assert.match((body as { message: string }).message, /^Actor type 'platform' does not support/)
  }))

test('reading the head of the log is itself logged on a 2026 server, and shifts later pages of a moving window', () =>
  withInfisical({}, async ({ page, advance, now, service }) => {
    const fixed = { ...WINDOW, limit: 100 }
    const first = idsOf(await page({ ...fixed, offset: 0 }))
    const again = idsOf(await page({ ...fixed, offset: 0 }))
    assert.deepEqual(again, first)
    advance(1000)
    const moving = { startDate: WINDOW.startDate, limit: 100 }
    const head = await page({ ...moving, endDate: iso(now()), offset: 0 })
    assert.deepEqual(
      head.slice(0, 3).map((event) => event.event.type),
      ['view-audit-logs', 'view-audit-logs', head[2]?.event.type],
    )
    assert.equal([...(service.events?.() ?? [])].length, 4432)
  }))

test('reading leaves nothing on a 2025 server', () =>
  withInfisical({ generation: '2025' }, async ({ page }) => {
    await page({ ...WINDOW, offset: 0, limit: 10 })
    const [head] = await page({ startDate: WINDOW.startDate, limit: 1 })
    assert.notEqual(head?.event.type, 'view-audit-logs')
  }))

test('a careful client breaks no rule, and each careless question is noted', () =>
  withInfisical({}, async ({ list, now, rules }) => {
    await list({ ...WINDOW, limit: 1000, offset: 0, eventType: 'get-secret' })
    assert.deepEqual(rules(), [])
    await list({ startDate: WINDOW.startDate, limit: 10 })
    await list({ ...WINDOW, endDate: iso(now() + 1), limit: 10 })
    await list({ startDate: '2026-08-22T00:00:00.000Z', endDate: WINDOW.endDate, limit: 10 })
    await list(WINDOW)
    await list({ ...WINDOW, limit: 1001 })
    await list({ ...WINDOW, limit: 10, offset: 50_001 })
    await list({ ...WINDOW, limit: 10, cursor: 'x' })
    await list(`${new URLSearchParams(WINDOW)}&limit=10&limit=11`)
    assert.deepEqual(rules(), [
      'end-date-missing',
      'end-date-in-future',
      'window-too-wide',
      'limit-missing',
      'limit-too-high',
      'offset-too-deep',
      'parameter-unknown',
      'parameter-repeated',
    ])
  }))
