import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IncompleteError } from '../../../../src/core/errors.ts'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { minutePace } from '../../../../src/sources/scaivault/pace.ts'
import { fakeClock } from '../../../support/fake-clock.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { type Bench, FROM, NOW, windowOf, withScaivault } from './bench.ts'

const idsOf = (events: Iterable<{ readonly id?: unknown }>) => [...events].map(({ id }) => String(id))

function assertAll({ server }: Bench, events: readonly AuditEvent[]): void {
  const held = idsOf(server.events?.() ?? [])
  assert.equal(events.length, held.length)
  assert.deepEqual(new Set(idsOf(events)), new Set(held))
  assert.deepEqual(server.violations, [])
}

test('200,000 events are read exactly, never above 50 queries in any minute, and no slower than that needs', async () => {
  await withScaivault({ events: 200_000 }, async (bench) => {
    const { events } = await readAll(bench.source, windowOf(200_000))
    assertAll(bench, events)
    const { queriesAt } = await bench.state()
    const [first = 0, last = 0] = [queriesAt[0], queriesAt.at(-1)]
    assert.ok(queriesAt.length < 230, `${queriesAt.length} queries for 200 pages`)
    for (const [i, at] of queriesAt.entries())
      assert.ok(at - (queriesAt[i - 50] ?? 0) >= 60_000, `query ${i}`)
    assert.ok(last - first <= 60_000 * Math.floor(queriesAt.length / 50) + 1000)
  })
})

test('a query that is tried again takes a turn of its own: fifty a minute are never passed', async () => {
  const faults = Array.from({ length: 30 }, (_, i) => `unavailable@${2 + 3 * i}`)
  await withScaivault({ events: 60_000, faults }, async (bench) => {
    const { events } = await readAll(bench.source, windowOf(60_000))
    assertAll(bench, events)
    const { queriesAt } = await bench.state()
    assert.ok(queriesAt.length > 85, `${queriesAt.length} queries`)
    for (const [i, at] of queriesAt.entries())
      if (i >= 50) assert.ok(at - (queriesAt[i - 50] ?? 0) >= 60_000, `query ${i}`)
  })
})

for (const faults of [
  [],
  ['order=asc'],
  ['bounds'],
  ['jitter'],
  ['ties=4000'],
  ['ties=4000', 'order=asc'],
  ['shape=items'],
  ['shape=events'],
  ['shape=bare'],
  ['shape=nested'],
]) {
  test(`a server that answers with ${faults.join(' and ') || 'what is documented'} is read whole, in either order`, async () => {
    await withScaivault({ events: 12_000, faults }, async (bench) => {
      for (const order of ['asc', 'desc'] as const) {
        const { events, slices } = await readAll(bench.source, windowOf(12_000), { order })
        if (faults[0]?.startsWith('shape')) {
          assert.equal(new Set(idsOf(events)).size, 12_000)
          assert.ok(events.every(({ occurredAt }) => occurredAt.endsWith('Z')))
        } else assertAll(bench, events)
        const ascending = order === 'asc' ? slices : slices.toReversed()
        assert.ok(ascending.length > 1)
        assert.ok(ascending.every(({ from }, i) => i === 0 || from === ascending[i - 1]?.to))
      }
      const said = bench.logged.filter((line) => line.includes('answers with its entries'))
      assert.equal(said.length > 0, faults[0]?.startsWith('shape') ?? false)
      const { warnings } = await readAll(bench.source, windowOf(100))
      const renamed = warnings.find((line) => line.includes('tables and CSV leave those columns empty'))
      assert.equal(renamed !== undefined, faults[0]?.startsWith('shape') ?? false)
      if (faults[0] === 'shape=items') assert.match(renamed ?? '', /log_id for id, occurred_at for timestamp/)
    })
  })
}

test('the bounds of a window are half-open, whichever of its own bounds the server includes', async () => {
  for (const faults of [[], ['bounds']]) {
    await withScaivault({ faults }, async ({ source }) => {
      const { events } = await readAll(source, windowOf(2000))
      const [a, b] = [events[500]?.occurredAtMs ?? 0, events[700]?.occurredAtMs ?? 0]
      const part = await readAll(source, { from: a, to: b })
      const expected = events.filter(({ occurredAtMs }) => occurredAtMs >= a && occurredAtMs < b)
      assert.deepEqual(idsOf(part.events), idsOf(expected))
      // One that stands on the very edge, to the microsecond.
      const edge = events.find(({ occurredAt }) => occurredAt.endsWith('000Z'))
      assert.ok(edge !== undefined)
      const at = edge.occurredAtMs
      assert.ok(idsOf((await readAll(source, { from: at, to: at + 1 })).events).includes(edge.id))
      assert.ok(!idsOf((await readAll(source, { from: at - 1, to: at })).events).includes(edge.id))
    })
  }
})

test('turns are given at once until fifty are taken, and each later one a minute after the fiftieth before it', async () => {
  const clock = fakeClock(NOW)
  const pace = minutePace(clock, 50)
  const turns: number[] = []
  await Promise.all(
    Array.from({ length: 120 }, async () => {
      await pace(new AbortController().signal)
      turns.push(clock.monotonic())
    }),
  )
  turns.sort((a, b) => a - b)
  assert.equal(turns[49], turns[0])
  for (const [i, at] of turns.entries()) if (i >= 50) assert.equal(at, (turns[i - 50] ?? 0) + 60_000)
})

test('a burst that fills a piece many times over is handed over in parts, and read whole', async () => {
  for (const order of ['asc', 'desc'] as const) {
    const faults = ['ties=4000', 'limit=100000', ...(order === 'desc' ? ['order=asc'] : [])]
    await withScaivault(
      { events: 9000, faults, settings: () => ({ pageSize: 100, rate: 100_000 }) },
      async (bench) => {
        assertAll(bench, (await readAll(bench.source, windowOf(9000), { order })).events)
      },
    )
  }
})

for (const faults of [
  ['cursor-expire@4x5'],
  ['lost-cursor@3x4'],
  ['loop'],
  ['cursor-expire@4x5', 'order=asc'],
  ['cursor-expire@3x4', 'ties=2500'],
]) {
  test(`pages are begun anew from the last instant after ${faults.join(' and ')}, and none is missed`, async () => {
    await withScaivault({ events: 9000, faults }, async (bench) => {
      for (const order of ['asc', 'desc'] as const) {
        assertAll(bench, (await readAll(bench.source, windowOf(9000), { order })).events)
      }
      assert.ok(bench.logged.some((line) => line.includes('begun anew')))
    })
  })
}

test('cursors that never hold are an incomplete slice, not a short one', async () => {
  await withScaivault({ events: 9000, faults: ['cursor-expirex*', 'ties=9000'] }, async ({ source }) => {
    await assert.rejects(readAll(source, windowOf(9000)), IncompleteError)
  })
})

test('every documented filter is sent and narrows what is read', async () => {
  await withScaivault({ events: 20_000 }, async ({ source, server, state }) => {
    const { events: all } = await readAll(source, windowOf(20_000))
    const some = all[7]
    for (const [given, matches] of [
      [{ events: ['rotate', 'pki_issue'] }, (e: AuditEvent) => ['rotate', 'pki_issue'].includes(e.action)],
      [{ fields: { actor: 'sa:ci-deployer' } }, (e: AuditEvent) => e.actor === 'ci-deployer'],
      [{ fields: { 'actor-type': 'group' } }, (e: AuditEvent) => e.record()['identity_type'] === 'group'],
      [
        { fields: { path: '/environments/production/payments/stripe' } },
        (e: AuditEvent) => e.target === 'environments/production/payments/stripe',
      ],
      [{ fields: { outcome: 'failure' } }, (e: AuditEvent) => e.record()['success'] === false],
      [{ fields: { 'request-id': String(some?.record()['request_id']) } }, (e: AuditEvent) => e === some],
      [{ fields: { ip: '198.51.100.24' } }, (e: AuditEvent) => e.record()['source_ip'] === '198.51.100.24'],
    ] as const) {
      const filter = { ...NO_FILTER, ...given }
      const before = (await state()).requests
      const { events } = await readAll(source, windowOf(20_000), { filter })
      // A prefix is wider than whole segments: what is left is checked again by whoever reads.
      const kept = events.filter(
        (event) =>
          source.shape.filters.path === undefined ||
          !('fields' in given) ||
          !('path' in given.fields) ||
          source.shape.filters.path(event.record(), given.fields.path),
      )
      assert.deepEqual(idsOf(kept), idsOf(all.filter(matches)))
      assert.ok((await state()).requests - before <= 8, JSON.stringify(given))
    }
    assert.deepEqual(server.violations, [])
  })
})

test('a filter that the server refuses is left out, and said so', async () => {
  await withScaivault({ faults: ['refuse-param=path_prefix'] }, async ({ source }) => {
    const filter = { ...NO_FILTER, fields: { path: 'environments/staging' } }
    const { events, warnings } = await readAll(source, windowOf(2000), { filter })
    assert.equal(events.length, 2000)
    assert.match(warnings.join(), /refused the filter --path/)
  })
})

test('a handful of events takes one query of little more', async () => {
  await withScaivault({ events: 50_000 }, async ({ source, state }) => {
    const window = { from: FROM, to: NOW }
    const opened = await source.open(window, NO_FILTER, {
      order: 'desc',
      concurrency: 4,
      limit: 50,
      signal: new AbortController().signal,
    })
    const found: AuditEvent[] = []
    for await (const slice of opened.slices()) {
      for await (const page of opened.read(slice, new AbortController().signal)) found.push(...page)
      if (found.length >= 50) break
    }
    await opened.close()
    assert.ok(found.length >= 50)
    assert.ok((await state()).requests <= 3)
  })
})
