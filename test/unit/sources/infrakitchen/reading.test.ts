import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { isInside } from '../../../../src/core/time-range.ts'
import { countRows, findEdge } from '../../../../src/sources/infrakitchen/edges.ts'
import { readAll } from '../../../support/infisical-source.ts'
import { type Bench, FROM, NOW, windowOf, withInfrakitchen } from './bench.ts'

const idsOf = (events: Iterable<{ readonly id?: unknown }>) => [...events].map(({ id }) => String(id))
const timeOf = (text: unknown) =>
  Date.parse(
    String(text)
      .replace(/(?<![Zz]|[+-]\d\d:\d\d)$/, 'Z')
      .replace(/(\.\d{3})\d+/, '$1'),
  )

function assertAll({ server }: Bench, events: readonly AuditEvent[]): void {
  const held = idsOf(server.events?.() ?? [])
  assert.equal(events.length, held.length)
  assert.deepEqual(new Set(idsOf(events)), new Set(held))
  assert.deepEqual(server.violations, [])
}

for (const version of ['0.1.0', '0.3.1', '0.3.2', '0.4.0', '0.5.0']) {
  test(`InfraKitchen ${version} is found out and read whole, in either order and by any page size`, async () => {
    for (const pageSize of [1000, 97]) {
      await withInfrakitchen({ events: 6000, version, settings: () => ({ pageSize }) }, async (bench) => {
        for (const order of ['asc', 'desc'] as const) {
          const { events, slices } = await readAll(bench.source, windowOf(6000), { order })
          assertAll(bench, events)
          const ascending = order === 'asc' ? slices : slices.toReversed()
          assert.equal(ascending[0]?.from, FROM)
          assert.equal(ascending.at(-1)?.to, windowOf(6000).to)
          assert.ok(ascending.every(({ from }, i) => i === 0 || from === ascending[i - 1]?.to))
        }
        const { generation } = await bench.source.identify(new AbortController().signal)
        assert.equal(generation, version < '0.4.0' ? 'rest' : 'graphql')
      })
    }
  })
}

test('a window inside is cut to the millisecond, whatever stands around it', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen({ events: 9000, version }, async ({ server, source }) => {
      const all = [...(server.events?.() ?? [])]
      for (const [from, to] of [
        [30, 31],
        [0, 1],
        [123_456, 456_789],
        [899_000, 2_000_000],
      ] as const) {
        const window = { from: FROM + from, to: FROM + to }
        const expected = all.filter((row) => isInside(timeOf(row['created_at']), window))
        for (const order of ['asc', 'desc'] as const) {
          const { events } = await readAll(source, window, { order })
          assert.deepEqual(new Set(idsOf(events)), new Set(idsOf(expected)), `${version} ${from} ${order}`)
        }
      }
    })
  }
})

test('each edge of a window in 1,000,000 entries takes at most 2 + log2(n) single-row questions', async () => {
  const size = 1_000_000
  const most = 2 + Math.log2(size)
  for (const at of [0, 1, 499_999, 500_000, 777_777, 999_998, 999_999]) {
    let probes = 1 // the newest entry, which tells how many there are
    const timeAt = async (offset: number) => {
      probes += 1
      return offset
    }
    const edge = await findEdge(timeAt, size, at)
    assert.equal(edge, at)
    assert.ok(probes <= most, `${probes} probes for ${at}`)
  }
  await withInfrakitchen({ events: size }, async ({ source, state }) => {
    const window = { from: FROM + 61_234_567, to: FROM + 61_244_567 }
    for (const order of ['asc', 'desc'] as const) {
      const before = (await state()).probes
      const { events } = await readAll(source, window, { order })
      assert.ok(events.length > 95 && events.length < 105, String(events.length))
      // One more bounds the only slice.
      assert.ok((await state()).probes - before <= most + 1)
    }
  })
})

test('entries are counted by doubling where no answer says how many there are', async () => {
  for (const size of [1, 1023, 1024, 1025, 70_000]) {
    assert.equal(await countRows(async (offset) => (offset < size ? offset : undefined)), size)
  }
  await withInfrakitchen({ events: 5000, version: '0.3.1', faults: ['no-content-range'] }, async (bench) => {
    assertAll(bench, (await readAll(bench.source, windowOf(5000))).events)
  })
})

test('thousands of entries of one instant, in another order each time, are read whole', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen(
      { events: 7000, version, faults: ['ties=3500'], settings: () => ({ pageSize: 200 }) },
      async (bench) => {
        for (const order of ['asc', 'desc'] as const) {
          assertAll(bench, (await readAll(bench.source, windowOf(7000), { order })).events)
        }
      },
    )
  }
})

test('a proxy that caps pages hides nothing', async () => {
  for (const version of ['0.3.1', '0.5.0']) {
    await withInfrakitchen({ events: 5000, version, faults: ['cap=150'] }, async (bench) => {
      assertAll(bench, (await readAll(bench.source, windowOf(5000))).events)
    })
  }
})

test('entries that vanish before the window while it is read move its rows and lose none', async () => {
  for (const at of [5, 14, 16, 18, 22]) {
    await withInfrakitchen({ events: 9000, faults: [`vanish@${at}=800`] }, async ({ server, source }) => {
      const window = { from: FROM + 200_000, to: FROM + 900_000 }
      const expected = [...(server.events?.() ?? [])].filter((row) =>
        isInside(timeOf(row['created_at']), window),
      )
      const { events } = await readAll(source, window, { concurrency: 1 })
      assert.equal(events.length, expected.length)
      assert.deepEqual(new Set(idsOf(events)), new Set(idsOf(expected)))
    })
  }
})

test('entries whose transactions end late are found at their own place in time', async () => {
  await withInfrakitchen({ events: 3000 }, async (bench) => {
    const late = [1, 2, 3].map((number) => ({ number, timeUs: (FROM + number * 70_000) * 1000 }))
    assert.equal((await readAll(bench.source, windowOf(3000))).events.length, 3000)
    await bench.admin('events', { late })
    const { events } = await readAll(bench.source, windowOf(3000))
    assert.equal(events.length, 3003)
    assertAll(bench, events)
  })
})

test('times without a zone are of the configured zone, and a wrong one is noticed', async () => {
  await withInfrakitchen({ events: 1000, version: '0.3.1', faults: ['zone=Asia/Tokyo'] }, async (bench) => {
    const { events } = await readAll(bench.source, windowOf(1000))
    assertAll(bench, events)
    assert.match(events[0]?.occurredAt ?? '', /^2026-11-01T00:00:0\d(\.\d{6})?Z$/)
    assert.match(String(events[0]?.record()['created_at']), /^2026-11-01T09:00:0\d(\.\d{6})?$/)
  })
  const start = new Date(NOW - 3_600_000).toISOString()
  await withInfrakitchen(
    {
      events: 100,
      version: '0.3.1',
      faults: ['zone=Asia/Tokyo', `start=${start}`],
      settings: () => ({ timezone: 'UTC' }),
    },
    async ({ source }) => {
      const checks = await source.test(new AbortController().signal)
      assert.equal(checks.find(({ check }) => check === 'timezone')?.state, 'warning')
      const { warnings } = await readAll(source, { from: FROM, to: NOW })
      assert.match(warnings.join(), /set timezone/)
    },
  )
})

test('filters are sent where the server understands them', async () => {
  await withInfrakitchen({ events: 20_000 }, async ({ source, state }) => {
    const before = (await state()).requests
    const filter = { ...NO_FILTER, events: ['destroy'], fields: { model: 'storage' } }
    const { events } = await readAll(source, windowOf(20_000), { filter })
    assert.ok(events.length > 800 && events.every(({ action }) => action === 'destroy'))
    assert.ok((await state()).requests - before < 20)
    const { pushedDown, local } = source.plan(
      windowOf(1),
      { ...filter, fields: { actor: 'dana', entity: 'no-uuid' } },
      { order: 'asc' },
    )
    assert.deepEqual(pushedDown, ['--event as action="destroy"'])
    assert.equal(local.length, 3)
  })
})
