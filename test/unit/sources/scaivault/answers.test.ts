import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AuthError,
  RemoteConfigError,
  RemoteError,
  UnavailableError,
  UserError,
} from '../../../../src/core/errors.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import type { AuditSource, RemoteExports } from '../../../../src/core/source.ts'
import { scaivault } from '../../../../src/sources/scaivault/index.ts'
import { scaivaultShape } from '../../../../src/sources/scaivault/shape.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { type State, windowOf, withScaivault } from './bench.ts'

const never = () => new AbortController().signal
const all = (source: AuditSource, events = 2000) => readAll(source, windowOf(events))
const client = ({ credentials }: State, url: string) => ({
  token: undefined,
  ...credentials.client,
  authUrl: url,
})

test('client credentials are exchanged once, and the token is renewed before it expires and after it is refused', async () => {
  await withScaivault({ events: 20_000, settings: client }, async ({ source, state }) => {
    assert.equal((await readAll(source, windowOf(20_000), { concurrency: 8 })).events.length, 20_000)
    assert.equal((await state()).logins, 1)
  })
  await withScaivault(
    { events: 20_000, settings: client, faults: ['token-expire@9'] },
    async ({ source, state }) => {
      assert.equal((await readAll(source, windowOf(20_000), { concurrency: 8 })).events.length, 20_000)
      assert.equal((await state()).logins, 2)
    },
  )
  await withScaivault(
    { settings: client, faults: ['token-ttl=600'] },
    async ({ source, state, clock, server }) => {
      await all(source)
      clock.advance(541_000)
      await all(source)
      assert.equal((await state()).logins, 2)
      assert.deepEqual(server.violations, [])
    },
  )
})

test('wrong client credentials are sent once', async () => {
  const settings = (state: State, url: string) => ({
    ...client(state, url),
    clientSecret: 'wrong-client-secret-0123',
  })
  await withScaivault({ settings }, async ({ source, state, logged }) => {
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(readAll(source, windowOf(2000), { concurrency: 8 }), (error) => {
        assert.ok(error instanceof AuthError && /invalid_client/.test(error.message))
        assert.ok(!`${error.message} ${error.hint} ${logged.join()}`.includes('wrong-client-secret'))
        return true
      })
    }
    assert.equal((await state()).requests, 1)
  })
})

test('missing scopes and foreign tenants are refusals with what to do', async () => {
  await withScaivault(
    { settings: ({ credentials }) => ({ token: credentials.noScope }) },
    async ({ source }) => {
      await assert.rejects(
        all(source),
        (error) => error instanceof AuthError && /audit:read/.test(error.hint ?? ''),
      )
      const checks = await source.test(never())
      assert.deepEqual(
        checks.filter(({ state }) => state === 'failure').map(({ check, refused }) => [check, refused]),
        [
          ['scopes', true],
          ['permission', true],
        ],
      )
    },
  )
  await withScaivault({ settings: () => ({ tenant: 'tnt_other' }) }, async ({ source }) => {
    await assert.rejects(
      all(source),
      (error) => error instanceof AuthError && /leave tenant out/.test(error.hint ?? ''),
    )
  })
  await withScaivault({ settings: () => ({ tenant: 'nonsense' }) }, async ({ source }) => {
    await assert.rejects(all(source), RemoteConfigError)
  })
})

test('an internal error is tried once more, and no more', async () => {
  await withScaivault({ faults: ['error-500@2'] }, async ({ source }) => {
    assert.equal((await all(source)).events.length, 2000)
  })
  await withScaivault({ faults: ['error-500x*'] }, async ({ source, state }) => {
    await assert.rejects(
      all(source),
      (error) => error instanceof RemoteError && /internal_error/.test(error.message),
    )
    assert.equal((await state()).requests, 2)
  })
})

test('settings need a token or a client, and not both', () => {
  const parse = (own: object) =>
    scaivault.options.safeParse({ type: 'scaivault', url: 'https://vault.example', ...own }).success
  assert.equal(parse({ token: 'env:T' }), true)
  assert.equal(parse({ clientId: 'a', clientSecret: 'env:S', tenant: 'tnt_a' }), true)
  for (const own of [
    {},
    { clientId: 'a' },
    { token: 't', clientId: 'a', clientSecret: 's' },
    { token: 't', more: 1 },
  ]) {
    assert.equal(parse(own), false, JSON.stringify(own))
  }
})

test('the tenant of a token that says it nowhere is asked for once, and a server that does not tell is no failure', async () => {
  const settings = () => ({ tenant: undefined })
  await withScaivault({ events: 6000, settings }, async ({ source, state }) => {
    const { events } = await all(source, 6000)
    assert.equal(source.shape.toCommon(events[0]?.record() ?? {}).organization, 'tnt_acme_prod')
    const { requests } = await state()
    await all(source, 6000)
    assert.equal((await state()).requests, 2 * requests - 1)
  })
  await withScaivault({ settings, faults: ['html@2'] }, async ({ source, logged }) => {
    assert.equal((await all(source)).events.length, 2000)
    assert.ok(logged.some((line) => line.includes('tenant stays unknown')))
  })
})

test('the summary is the server’s where it adds up, and nobody’s where it does not', async () => {
  await withScaivault({}, async ({ source }) => {
    const { events } = await all(source)
    const byAction = await source.summary?.(windowOf(2000), 'action', never())
    assert.equal(byAction?.total, 2000)
    assert.equal(
      byAction?.groups.find(({ key }) => key === 'read')?.count,
      events.filter(({ action }) => action === 'read').length,
    )
    const outcome = await source.summary?.(windowOf(2000), 'outcome', never())
    assert.equal(
      outcome?.groups.reduce((sum, { count }) => sum + count, 0),
      2000,
    )
    assert.equal(await source.summary?.(windowOf(2000), 'actor', never()), undefined)
  })
  await withScaivault({ faults: ['no-trails'] }, async ({ source }) => {
    assert.equal(await source.summary?.(windowOf(2000), 'action', never()), undefined)
  })
})

const REQUEST = {
  window: windowOf(2000),
  filter: { ...NO_FILTER, events: ['read', 'write'] },
  format: 'jsonl',
  target: { provider: 'azure-blob', bucket: 'acme-audit', prefix: 'scaivault/' },
  credentialsPath: 'integrations/azure/audit-export',
} as const

const exportsOf = (source: AuditSource): RemoteExports => {
  assert.ok(source.remoteExports !== undefined)
  return source.remoteExports
}

test('a job at the server is started once, asked after ever less often, and ends with its manifest', async () => {
  await withScaivault({}, async ({ source, server, clock, state }) => {
    const { events } = await all(source)
    const expected = events.filter(({ action }) => action === 'read' || action === 'write').length
    const jobs = exportsOf(source)
    const started = await jobs.create(REQUEST, never())
    assert.deepEqual(
      [started.state, started.status, started.estimatedRecords],
      ['running', 'pending', expected],
    )
    const seen: string[] = []
    const slept = clock.slept.length
    const ended = await jobs.wait(started.id, {
      signal: never(),
      onStatus: ({ status }) => seen.push(status),
    })
    assert.deepEqual(seen, ['processing', 'processing', 'completed'])
    assert.deepEqual(clock.slept.slice(slept), [2000, 4000])
    assert.equal(ended.manifest?.totalRecords, expected)
    assert.deepEqual(
      ended.manifest?.files.map(({ key, records }) => [key, records]),
      [['scaivault/part-0001.jsonl', expected]],
    )
    assert.deepEqual(
      (await jobs.list(never())).map(({ id, state }) => [id, state]),
      [[started.id, 'completed']],
    )
    await assert.rejects(jobs.status('exp_none', never()), UserError)
    const { events: after } = await readAll(source, { from: windowOf(0).from, to: clock.now() + 1000 })
    assert.equal(after.filter(({ action }) => action === 'export_created').length, 1)
    assert.deepEqual(server.violations, [])
    assert.ok((await state()).requests < 20)
  })
})

test('a job whose start is in doubt is not started again, and one that was refused for now is', async () => {
  await withScaivault({ faults: ['reset@1'] }, async ({ source, state }) => {
    await assert.rejects(exportsOf(source).create(REQUEST, never()), (error) => {
      assert.ok(error instanceof UnavailableError)
      assert.match(error.message, /whether the export was started is not known/)
      return true
    })
    assert.equal((await state()).requests, 1)
  })
  await withScaivault({ faults: ['rate-limit@1=7'] }, async ({ source, clock }) => {
    assert.equal((await exportsOf(source).create(REQUEST, never())).state, 'running')
    assert.ok(clock.slept.some((ms) => ms >= 7000))
  })
})

test('a job that fails ends so, one that never ends is given up, and filters that only we apply are refused', async () => {
  await withScaivault({ faults: ['export-fails'] }, async ({ source }) => {
    const jobs = exportsOf(source)
    const { id } = await jobs.create(REQUEST, never())
    await assert.rejects(jobs.wait(id, { signal: never(), timeoutMs: 1000 }), UnavailableError)
    assert.equal((await jobs.wait(id, { signal: never() })).state, 'failed')
    const filter = { ...NO_FILTER, fields: { actor: 'ana@example.com' } }
    await assert.rejects(jobs.create({ ...REQUEST, filter }, never()), UserError)
  })
  await withScaivault({}, async ({ source, state }) => {
    for (const fields of [{ environment: 'prod' }, { project: 'x' }, { 'user-agent-type': 'web' }]) {
      const filter = { ...NO_FILTER, fields }
      await assert.rejects(exportsOf(source).create({ ...REQUEST, filter }, never()), (error) => {
        assert.ok(error instanceof UserError && error.code === 'unknown-filter')
        assert.match(error.hint ?? '', /--path/)
        return true
      })
    }
    assert.equal((await state()).requests, 0)
  })
  await withScaivault(
    { settings: ({ credentials }) => ({ token: credentials.readOnly }) },
    async ({ source }) => {
      await assert.rejects(
        exportsOf(source).create(REQUEST, never()),
        (error) => error instanceof AuthError && /audit:export/.test(error.hint ?? ''),
      )
    },
  )
})

test('entries mean the same in every spelling that may be met', () => {
  const shape = scaivaultShape(() => 'tnt_acme')
  const documented = {
    id: 'log_1',
    timestamp: '2026-05-04T10:15:30.004211Z',
    action: 'read',
    identity_type: 'service_account',
    identity_id: 'sa:billing-worker',
    secret_path: 'environments/production/payments/stripe',
    source_ip: '198.51.100.24',
    user_agent: 'x/1',
    success: false,
    request_id: 'req_1',
  }
  const other = {
    log_id: 'log_1',
    occurred_at: '2026-05-04T10:15:30.004211',
    action: 'read',
    actor_id: 'sa:billing-worker',
    resource_path: '/environments/production/payments/stripe',
    source_ip: '198.51.100.24',
    user_agent: 'x/1',
    status: 403,
    request_id: 'req_1',
  }
  assert.deepEqual(shape.toCommon(other), shape.toCommon(documented))
  // A job's CSV holds texts.
  for (const success of ['false', 'FALSE', false])
    assert.equal(shape.toCommon({ ...documented, success }).outcome, 'failure')
  assert.equal(shape.filters.outcome?.({ ...documented, success: 'true' }, 'success'), true)
  assert.deepEqual(shape.toCommon(documented), {
    id: 'log_1',
    time: '2026-05-04T10:15:30.004211Z',
    actor: { type: 'service_account', id: 'sa:billing-worker', name: 'billing-worker', email: null },
    action: 'read',
    target: {
      type: 'secret',
      id: 'environments/production/payments/stripe',
      name: 'environments/production/payments/stripe',
    },
    outcome: 'failure',
    ip: '198.51.100.24',
    userAgent: 'x/1',
    requestId: 'req_1',
    organization: 'tnt_acme',
    project: null,
    source: 'scaivault',
  })
  assert.equal(
    shape.toCommon({ id: 'l', timestamp: 't'.replace('t', '2026-05-04T10:15:30Z'), action: 'pki_issue' })
      .target.type,
    'pki',
  )
  assert.equal(shape.filters.path?.(documented, '/environments/prod'), false)
  assert.equal(shape.filters.actor?.(documented, 'billing-worker'), true)
})
