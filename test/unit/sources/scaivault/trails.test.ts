import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import type { AuditSource, Trail } from '../../../../src/core/source.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { windowOf, withScaivault } from './bench.ts'

const never = () => new AbortController().signal
const all = (source: AuditSource, events = 2000) => readAll(source, windowOf(events))

async function collect(trail: Trail | undefined) {
  assert.ok(trail !== undefined)
  const events = []
  for await (const page of trail.events) events.push(...page)
  return { events, summary: trail.summary() }
}

for (const fault of ['error-500x2', 'html', 'unavailablex6']) {
  test(`a trail or a summary that the server fails over (${fault}) is put together from the log`, async () => {
    for (const kind of ['trail', 'summary'] as const) {
      await withScaivault({}, async ({ source, server, state }) => {
        const { events } = await all(source)
        const { requests } = await state()
        const faults = [`scaivault:${fault.replace(/x|$/, (mark) => `@${requests + 1}${mark}`)}`]
        await fetch(`${server.urls['scaivault']}/__emulator/faults`, {
          method: 'POST',
          body: JSON.stringify({ faults }),
        })
        const asked = { window: windowOf(2000), filter: NO_FILTER, signal: never() }
        if (kind === 'summary')
          assert.equal(await source.summary?.(asked.window, 'action', never()), undefined)
        else {
          const trail = await collect(await source.trail?.('identity', 'user:teo@example.com', asked))
          const expected = events.filter((event) =>
            source.shape.filters.actor?.(event.record(), 'user:teo@example.com'),
          )
          assert.equal(trail.events.length, expected.length)
          assert.equal(trail.summary, undefined)
        }
      })
    }
  })
}

for (const faults of [[], ['shape=items'], ['no-trails']]) {
  test(`trails of a secret and of an identity are the log's own entries (${faults.join() || 'as proposed'})`, async () => {
    await withScaivault({ events: 6000, faults }, async ({ source, server }) => {
      const { events } = await all(source, 6000)
      const asked = { window: windowOf(6000), filter: NO_FILTER, signal: never() }
      for (const [kind, id, matches] of [
        [
          'secret',
          '/environments/production/db/main "ü"',
          (path: unknown) => path === 'environments/production/db/main "ü"',
        ],
        ['identity', 'user:teo@example.com', undefined],
      ] as const) {
        const trail = await collect(await source.trail?.(kind, id, asked))
        const expected = events.filter((event) =>
          matches === undefined ? source.shape.filters.actor?.(event.record(), id) : matches(event.target),
        )
        assert.ok(expected.length > 100)
        assert.deepEqual(
          new Set(trail.events.map((event) => event.id)),
          new Set(expected.map((event) => event.id)),
        )
        assert.equal(trail.summary === undefined, faults.includes('no-trails'))
      }
      assert.deepEqual(server.violations, [])
    })
  })
}

test('the trail of a secret from the log is its own, as the server’s would be, and a folder’s is all below it', async () => {
  const entry = (id: string, path: string) =>
    JSON.stringify({
      id,
      timestamp: '2026-11-01T00:00:30.000001Z',
      action: 'read',
      identity_type: 'user',
      identity_id: 'user:ana@example.com',
      secret_path: path,
      success: true,
    })
  for (const faults of [[], ['no-trails']]) {
    await withScaivault({ faults }, async ({ source, server }) => {
      const lines = [
        entry('log_own', 'app/db'),
        entry('log_below', 'app/db/main'),
        entry('log_beside', 'app/dbx'),
      ]
      await fetch(`${server.urls['scaivault']}/__emulator/events`, { method: 'POST', body: lines.join('\n') })
      const asked = { window: windowOf(2000), filter: NO_FILTER, signal: never() }
      const idsOf = async (path: string) =>
        (await collect(await source.trail?.('secret', path, asked))).events.map(({ id }) => id).sort()
      assert.deepEqual(await idsOf('app/db'), ['log_own'])
      assert.deepEqual(await idsOf('/app'), ['log_below', 'log_beside', 'log_own'])
    })
  }
})

test('a path that would lead out of its address is looked for in the log', async () => {
  await withScaivault({}, async ({ source, server }) => {
    const asked = { window: windowOf(2000), filter: NO_FILTER, signal: never() }
    assert.deepEqual((await collect(await source.trail?.('secret', 'a/../../logs', asked))).events, [])
    assert.deepEqual(server.violations, [])
  })
})
