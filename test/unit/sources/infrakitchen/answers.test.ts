import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError, ContractError, RemoteConfigError, UnavailableError } from '../../../../src/core/errors.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import type { AuditSource, Trail } from '../../../../src/core/source.ts'
import { infrakitchen } from '../../../../src/sources/infrakitchen/index.ts'
import { infrakitchenShape } from '../../../../src/sources/infrakitchen/shape.ts'
import { Times } from '../../../../src/sources/infrakitchen/times.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { type Bench, type State, windowOf, withInfrakitchen } from './bench.ts'

const never = () => new AbortController().signal
const all = (source: AuditSource, events = 2000) => readAll(source, windowOf(events))

test('a GraphQL error inside a 200 is an error: internal ones are tried again, refusals are not', async () => {
  await withInfrakitchen({ faults: ['internal@3x2'] }, async ({ source }) => {
    assert.equal((await all(source)).events.length, 2000)
  })
  await withInfrakitchen({ faults: ['internalx*'] }, async ({ source, state }) => {
    await assert.rejects(all(source), (error) => {
      assert.ok(error instanceof UnavailableError)
      assert.match(error.message, /INTERNAL.*connection to the database was lost/)
      return true
    })
    // Detection by REST, a log-in, and three tries.
    assert.equal((await state()).requests, 5)
  })
  await withInfrakitchen({ faults: ['forbidden'] }, async ({ source }) => {
    await assert.rejects(
      all(source),
      (error) => error instanceof AuthError && /ACCESS_DENIED/.test(error.message),
    )
  })
})

test('a release without names of targets is read without them', async () => {
  await withInfrakitchen({ faults: ['no-target-names'] }, async ({ source, server }) => {
    const { events } = await all(source)
    assert.equal(events.length, 2000)
    assert.equal(events[0]?.record()['entity_data'], undefined)
    assert.deepEqual(server.violations, [])
  })
  await withInfrakitchen({}, async ({ source }) => {
    const { events } = await all(source)
    assert.ok(events.some(({ target }) => target?.startsWith('resource-')))
  })
})

test('expired tokens of a service account are replaced, other tokens are not', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen({ version, faults: ['token-expire@9'] }, async ({ source, state }) => {
      assert.equal((await all(source)).events.length, 2000)
      assert.equal((await state()).logins, 2)
    })
  }
  await withInfrakitchen(
    { settings: () => ({ auth: { method: 'token', token: 'ik_expired_0123456789' } }) },
    async ({ source, state }) => {
      for (let round = 0; round < 2; round += 1) {
        await assert.rejects(all(source), (error) => {
          assert.ok(error instanceof AuthError && !error.message.includes('ik_expired'))
          return true
        })
      }
      assert.equal((await state()).requests, 2, 'one answer of each generation at most, and no second round')
    },
  )
})

for (const [title, version, settings] of [
  [
    'a personal token',
    '0.5.0',
    ({ credentials }: State) => ({ auth: { method: 'token', token: credentials.personalToken } }),
  ],
  ['a guest of 0.5', '0.5.0', () => ({ auth: { method: 'guest' } })],
  ['a guest of 0.3', '0.3.1', () => ({ auth: { method: 'guest', scope: 'infra' } })],
] as const) {
  test(`${title} reads the log`, async () => {
    await withInfrakitchen({ version, settings }, async ({ source }) => {
      assert.equal((await all(source)).events.length, 2000)
      for (const { state, message } of await source.test(never())) assert.notEqual(state, 'failure', message)
    })
  })
}

test('a service account without a role is told that it needs one, in either generation', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    const settings = ({ credentials }: State) => ({
      auth: { method: 'service-account', ...credentials.fresh },
    })
    await withInfrakitchen({ version, settings }, async ({ source }) => {
      await assert.rejects(
        all(source),
        (error) => error instanceof AuthError && /role/.test(error.hint ?? ''),
      )
      const checks = await source.test(never())
      assert.deepEqual(
        checks.map(({ check, state }) => `${check} ${state}`),
        ['log-in ok', 'permission failure'],
      )
      assert.equal(checks.at(-1)?.refused, true)
    })
  }
})

test('a configured generation that is not there is a fault of the configuration, and one that goes away is not', async () => {
  await withInfrakitchen({ settings: () => ({ api: 'rest' }) }, async ({ source }) => {
    await assert.rejects(
      all(source),
      (error) => error instanceof RemoteConfigError && /api/.test(error.hint ?? ''),
    )
  })
  await withInfrakitchen({ settings: () => ({ api: 'graphql' }) }, async ({ source, state }) => {
    assert.equal((await all(source)).events.length, 2000)
    assert.ok((await state()).requests > 3)
  })
  await withInfrakitchen({ faults: ['html@12x*'] }, async ({ source }) => {
    await assert.rejects(all(source), ContractError)
  })
})

async function collect(trail: Trail | undefined) {
  assert.ok(trail !== undefined)
  const events = []
  for await (const page of trail.events) events.push(...page)
  return { events, lines: trail.lines(), warnings: trail.warnings() }
}

const traceOf = ({ source }: Bench, id: string) =>
  source.trail?.('trace', id, { window: windowOf(2000), filter: NO_FILTER, signal: never() }).then(collect)

for (const version of ['0.1.0', '0.3.1', '0.3.2', '0.5.0']) {
  test(`a trace of ${version} joins the entry with what its action printed`, async () => {
    await withInfrakitchen({ version }, async (bench) => {
      const { events } = await all(bench.source)
      const executed = events.find(({ action }) => action === 'execute')
      const silent = events.find(({ action }) => action === 'create')
      const found = await traceOf(bench, executed?.id ?? '')
      assert.deepEqual(
        found?.events.map(({ id }) => id),
        [executed?.id],
      )
      assert.equal(found?.lines.length, 5)
      assert.match(found?.lines[0]?.text ?? '', /^User: .* Action: execute$/)
      assert.ok(
        found?.lines.every(
          ({ eventId, occurredAt }) => eventId === executed?.id && /Z$|\+00:00$/.test(occurredAt),
        ),
      )
      assert.equal((await traceOf(bench, silent?.id ?? ''))?.lines.length, 0)
      // Answered with a 500 where the id is looked up by itself.
      const unknown = await traceOf(bench, '00000000-0000-4000-8000-000000000000')
      assert.deepEqual([unknown?.events.length, unknown?.lines.length, unknown?.warnings.length], [0, 0, 1])
      assert.deepEqual(bench.server.violations, [])
    })
  })
}

test('a trace of a workflow joins all its entries', async () => {
  await withInfrakitchen({}, async (bench) => {
    const { events } = await all(bench.source)
    const executed = events.filter(({ action }) => action === 'execute')
    const lines = (await Promise.all(executed.slice(0, 20).map(({ id }) => traceOf(bench, id)))).flatMap(
      (found) => found?.lines ?? [],
    )
    const workflow = lines.map(({ record }) => record['trace_id']).find((id) => typeof id === 'string')
    const found = await traceOf(bench, String(workflow))
    assert.ok((found?.events.length ?? 0) >= 1)
    assert.equal(found?.lines.length, 5 * (found?.events.length ?? 0))
    assert.ok(found?.lines.every(({ eventId }) => found.events.some(({ id }) => id === eventId)))
  })
})

test('the trail of an entity asks the server for that entity alone', async () => {
  await withInfrakitchen({ events: 20_000 }, async ({ source }) => {
    const { events } = await readAll(source, windowOf(20_000))
    const entity = String(events.find(({ action }) => action === 'approve')?.record()['entity_id'])
    const before = source.requests()
    const asked = { window: windowOf(20_000), filter: NO_FILTER, signal: never() }
    const found = await collect(await source.trail?.('entity', entity, asked))
    const expected = events.filter((event) => event.record()['entity_id'] === entity)
    assert.deepEqual(new Set(found.events.map(({ id }) => id)), new Set(expected.map(({ id }) => id)))
    assert.ok(source.requests() - before < 12)
  })
})

test('the server sorts by another field where the window is all it holds', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen({ version }, async ({ source }) => {
      const { events } = await all(source)
      const asked = { field: 'model', order: 'desc', limit: 50, signal: never() } as const
      const sorted = await source.sorted?.(windowOf(2000), NO_FILTER, asked)
      const models = events
        .map((event) => String(event.record()['model']))
        .sort()
        .reverse()
      assert.deepEqual(
        sorted?.events.map((event) => event.record()['model']),
        models.slice(0, 50),
      )
      assert.equal(sorted?.hasMore, true)
      const part = { from: windowOf(2000).from + 5000, to: windowOf(2000).to }
      assert.equal(await source.sorted?.(part, NO_FILTER, asked), undefined)
      assert.equal(
        await source.sorted?.(windowOf(2000), NO_FILTER, { ...asked, field: 'creator.email' }),
        undefined,
      )
    })
  }
})

test('times keep every digit and come out in UTC, also around a change of clocks', () => {
  const berlin = new Times('Europe/Berlin')
  for (const [times, text, expected] of [
    [new Times(), '2026-03-30T09:12:45.120034', '2026-03-30T09:12:45.120034Z'],
    [new Times(), '2026-03-30 09:12:45', '2026-03-30T09:12:45Z'],
    [new Times('UTC'), '2026-07-14T08:00:00.250000+00:00', '2026-07-14T08:00:00.250000+00:00'],
    [berlin, '2026-03-29T01:59:59.999999', '2026-03-29T00:59:59.999999Z'],
    [berlin, '2026-03-29T03:00:00.000001', '2026-03-29T01:00:00.000001Z'],
    [berlin, '2026-10-25T01:59:59', '2026-10-24T23:59:59Z'],
    [berlin, '2026-10-25T03:00:00', '2026-10-25T02:00:00Z'],
    [new Times('Asia/Kolkata'), '2026-01-01T05:29:59.5', '2025-12-31T23:59:59.5Z'],
  ] as const) {
    const { occurredAt, occurredAtMs } = times.read(text)
    assert.equal(occurredAt, expected)
    assert.equal(occurredAtMs, Date.parse(expected.replace(/(\.\d{3})\d+/, '$1')))
  }
  assert.throws(() => new Times().read('yesterday'), RangeError)
})

test('a record in GraphQL’s own spelling means the same as in REST’s', () => {
  const shape = infrakitchenShape()
  const creator = { id: 'u', identifier: 'dana@corp.example', provider: 'ik_service_account' }
  const rest = {
    id: 'a',
    model: 'resource',
    action: 'update',
    user_id: 'u',
    entity_id: 'e',
    created_at: '2026-03-30T09:12:45Z',
    creator: { ...creator, display_name: 'Dana' },
    entity_data: { name: 'db' },
  }
  const graphql = {
    id: 'a',
    model: 'resource',
    action: 'update',
    userId: 'u',
    entityId: 'e',
    createdAt: '2026-03-30T09:12:45Z',
    creator: { ...creator, displayName: 'Dana' },
    entityData: { name: 'db' },
  }
  assert.deepEqual(shape.toCommon(graphql), shape.toCommon(rest))
  assert.deepEqual(shape.name?.(graphql), shape.name?.(rest))
  assert.deepEqual(shape.toCommon(rest), {
    id: 'a',
    time: '2026-03-30T09:12:45Z',
    actor: { type: 'service_account', id: 'u', name: 'Dana', email: 'dana@corp.example' },
    action: 'update',
    target: { type: 'resource', id: 'e', name: 'db' },
    outcome: null,
    ip: null,
    userAgent: null,
    requestId: 'a',
    organization: null,
    project: null,
    source: 'infrakitchen',
  })
  assert.equal(shape.toCommon({ ...rest, creator: null }).actor.name, null)
  assert.throws(() =>
    infrakitchen.options.parse({
      type: 'infrakitchen',
      url: 'https://ik.example',
      auth: { method: 'guest' },
      timezone: 'Mars/Base',
    }),
  )
})
