import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UserError } from '../../../../src/core/errors.ts'
import { type EventFilter, NO_FILTER } from '../../../../src/core/filter.ts'
import type { Trail, TrailKind } from '../../../../src/core/source.ts'
import { followTrail } from '../../../../src/operations/trail.ts'
import type { Api } from '../../../../src/sources/infrakitchen/api.ts'
import type { PageAsked } from '../../../../src/sources/infrakitchen/backend.ts'
import { Times } from '../../../../src/sources/infrakitchen/times.ts'
import { traceTrail } from '../../../../src/sources/infrakitchen/trace.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { type Bench, FROM, windowOf, withInfrakitchen } from './bench.ts'

const never = () => new AbortController().signal
const parts = ({ source }: Bench) => ({ source, signal: never(), concurrency: 2 })
const ask = (bench: Bench, kind: TrailKind, id: string, filter: EventFilter = NO_FILTER) =>
  followTrail(parts(bench), { kind, id, window: windowOf(2000), filter })
const idsOf = (trail: { readonly events: readonly { readonly id: string }[] }) =>
  trail.events.map(({ id }) => id)

test('the trail of an identity is what it did and what was done to it, in either generation', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen({ version }, async (bench) => {
      const { events } = await readAll(bench.source, windowOf(2000))
      const user = String(events.find(({ action }) => action === 'login')?.record()['entity_id'])
      const other = String(events.find((event) => event.record()['user_id'] !== user)?.record()['user_id'])
      const line = JSON.stringify({
        id: '00000000-0000-4000-8000-00000000feed',
        model: 'user',
        user_id: other,
        action: 'disable',
        entity_id: user,
        created_at: version === '0.3.1' ? '2026-11-01T00:00:30.5' : '2026-11-01T00:00:30.5+00:00',
        createdAt: '2026-11-01T00:00:30.5+00:00',
        creator: null,
      })
      const headers = { 'content-type': 'application/x-ndjson' }
      const url = `${bench.server.urls['infrakitchen']}/__emulator/events`
      await fetch(url, { method: 'POST', headers, body: line })
      const found = await ask(bench, 'identity', user)
      const did = events.filter((event) => event.record()['user_id'] === user).map(({ id }) => id)
      assert.ok(did.length > 100)
      assert.deepEqual(new Set(idsOf(found)), new Set([...did, '00000000-0000-4000-8000-00000000feed']))
      const filter = { ...NO_FILTER, fields: { actor: user } }
      assert.deepEqual(new Set(idsOf(await ask(bench, 'identity', user, filter))), new Set(did))
      assert.deepEqual(bench.server.violations, [])
    })
  }
})

test('an entry that a trace names is missed by nobody in silence: the window’s edge is told', async () => {
  await withInfrakitchen({}, async (bench) => {
    const { events } = await readAll(bench.source, windowOf(2000))
    const executed = events.find(({ action }) => action === 'execute')
    const window = { from: FROM + 100_000, to: FROM + 200_000 }
    const found = await followTrail(parts(bench), {
      kind: 'trace',
      id: executed?.id ?? '',
      window,
      filter: NO_FILTER,
    })
    assert.equal(found.events.length, 0)
    assert.equal(found.lines.length, 5)
    assert.match(
      found.warnings.join(),
      new RegExp(`outside the window, the first at ${executed?.occurredAt.slice(0, 19)}.*--from`),
    )
    assert.deepEqual((await ask(bench, 'trace', executed?.id ?? '')).warnings, [])
  })
})

for (const [version, fault, failed] of [
  ['0.3.2', 'error-500', 2],
  ['0.5.0', 'internal', 3],
] as const) {
  test(`an execution log that ${version} fails over is asked for again, and never taken for an empty one`, async () => {
    for (const times of [1, failed]) {
      await withInfrakitchen({ version }, async (bench) => {
        const { events } = await readAll(bench.source, windowOf(2000))
        const executed = events.find(({ action }) => action === 'execute')
        const { requests } = await bench.state()
        // The entry comes first, then its log.
        await bench.admin('faults', { faults: [`infrakitchen:${fault}@${requests + 2}x${times}`] })
        const found = await ask(bench, 'trace', executed?.id ?? '')
        assert.equal(found.events.length, 1)
        if (times === 1) assert.deepEqual([found.lines.length, found.warnings], [5, []])
        else assert.match(found.warnings.join(), /is not known: .*InfraKitchen failed/)
      })
    }
  })
}

test('what is no id is no trace, and nobody is asked', async () => {
  await withInfrakitchen({}, async (bench) => {
    await assert.rejects(ask(bench, 'trace', 'deploy-17'), (error) => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, /"deploy-17" is not the id/)
      return true
    })
    assert.equal((await bench.state()).requests, 0)
  })
})

test('a release without names says so when it is asked for one', async () => {
  for (const [version, faults, tells] of [
    ['0.3.1', [], false],
    ['0.5.0', ['no-target-names'], false],
    ['0.5.0', [], true],
  ] as const) {
    await withInfrakitchen({ version, faults }, async (bench) => {
      for (const kind of ['entity', 'secret'] as const) {
        const { warnings } = await ask(bench, kind, 'resource-17')
        assert.equal(
          warnings.some((line) => /ask for it by its id/.test(line)),
          !tells,
          `${version} ${kind}`,
        )
      }
    })
  }
})

/** A server of 0.3.2 or later whose workflow ran that many actions. */
function workflowOf(actions: number, lines: (end: number) => number) {
  const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
  const asked: PageAsked[] = []
  const api = {
    log: { debug() {}, info() {}, warn() {} },
    page(page: PageAsked) {
      asked.push(page)
      const ids = [page.filter['id']].flat().filter((one) => one !== id(0))
      const events = ids.map((one) => ({ id: String(one), record: () => ({}) }))
      return Promise.resolve({ events: events.slice(page.start, page.end), total: ids.length })
    },
    logs: (_filter: unknown, [, end]: readonly [number, number]) =>
      Promise.resolve(
        Array.from({ length: Math.min(end, lines(end)) }, (_, n) => ({
          id: n,
          audit_log_id: id(1 + (n % actions)),
        })),
      ),
  } as unknown as Api
  return { api, asked, id: id(0) }
}

async function read(trail: Trail) {
  const ids: string[] = []
  for await (const page of trail.events) ids.push(...page.map(({ id }) => id))
  return { ids, lines: trail.lines(), warnings: trail.warnings() }
}

test('the entries of a long workflow are asked for in parts that fit into an address', async () => {
  const { api, asked, id } = workflowOf(250, () => 500)
  const { ids, lines, warnings } = await read(await traceTrail(api, new Times(), id, never()))
  assert.equal(new Set(ids).size, 250)
  assert.equal(lines.length, 500)
  assert.deepEqual(warnings, [])
  for (const { filter } of asked) assert.ok(encodeURIComponent(JSON.stringify(filter)).length < 6000)
})

test('an execution log that is longer than can be shown is said to be cut', async () => {
  const { api, id } = workflowOf(2, (end) => end)
  const { lines, warnings } = await read(await traceTrail(api, new Times(), id, never()))
  assert.equal(lines.length, 65_536)
  assert.match(warnings.join(), /only the first 65,536 lines/)
})
