import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import {
  type Bench,
  generatedWindow,
  NOW,
  RECORDED,
  readAll,
  startBench,
} from '../../../support/infisical-source.ts'

type Options = Parameters<typeof startBench>[0]

async function withBench(options: Options, use: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = await startBench(options)
  try {
    await use(bench)
  } finally {
    await bench.close()
  }
}

const idsOf = (events: Iterable<{ readonly id: unknown }>) => [...events].map(({ id }) => String(id))

/** Each of the server's events, once, in order, and no rule of the wire broken. */
async function assertAll(
  bench: Bench,
  events: readonly AuditEvent[],
  order: 'asc' | 'desc' = 'asc',
): Promise<void> {
  const held = idsOf((bench.server.events?.() ?? []) as Iterable<{ id: string }>)
  assert.equal(events.length, held.length)
  assert.deepEqual(new Set(idsOf(events)), new Set(held))
  const times = events.map((event) => event.occurredAtMs)
  if (order === 'desc') times.reverse()
  for (let i = 1; i < times.length; i += 1) assert.ok((times[i] ?? 0) >= (times[i - 1] ?? 0), `order at ${i}`)
  assert.deepEqual(bench.server.violations, [])
}

for (const generation of ['2025', '2026'] as const) {
  test(`a window of a ${generation} server is read whole, in either order, by any page size and concurrency`, async () => {
    await withBench({ generation, events: 20_000 }, async (bench) => {
      const window = generatedWindow(20_000)
      const reference = idsOf((await readAll(bench.source, window, { concurrency: 1 })).events)
      const wide = await readAll(bench.source, window, { concurrency: 8 })
      assert.deepEqual(idsOf(wide.events), reference)
      await assertAll(bench, wide.events)
      const newest = await readAll(bench.source, window, { concurrency: 8, order: 'desc' })
      assert.deepEqual(idsOf(newest.events).reverse(), reference)
    })
    for (const pageSize of [1, 7, 100, 999, 5000]) {
      await withBench({ generation, settings: { pageSize } }, async (bench) => {
        const window = pageSize < 10 ? { from: RECORDED.to - 264_000, to: RECORDED.to } : RECORDED
        const { events } = await readAll(bench.source, window)
        const all = [...(bench.server.events?.() ?? [])].filter(
          (event) => Date.parse(String(event['createdAt'])) >= window.from,
        )
        assert.ok(all.length > 10)
        assert.deepEqual(new Set(idsOf(events)), new Set(idsOf(all as unknown as { id: string }[])))
        assert.equal(events.length, all.length)
      })
    }
  })

  test(`slices of a ${generation} server are disjoint, adjoin in the asked order and cover the window`, async () => {
    await withBench({ generation, events: 8000 }, async (bench) => {
      const window = { from: generatedWindow(8000).from - 40 * 86_400_000, to: NOW + 5000 }
      for (const order of ['asc', 'desc'] as const) {
        const { slices, events } = await readAll(bench.source, window, { order })
        await assertAll(bench, events, order)
        const ascending = order === 'asc' ? slices : slices.toReversed()
        assert.equal(ascending[0]?.from, window.from)
        assert.equal(ascending.at(-1)?.to, window.to)
        for (let i = 1; i < ascending.length; i += 1) assert.equal(ascending[i]?.from, ascending[i - 1]?.to)
      }
    })
  })

  test(`events that arrive while a ${generation} server is read change nothing in the window`, async () => {
    await withBench(
      { generation, events: 12_000, faults: ['late@3x5'], settings: { pageSize: 200 } },
      async (bench) => {
        const before = idsOf((bench.server.events?.() ?? []) as Iterable<{ id: string }>)
        const opened = await bench.source.open(generatedWindow(12_000), NO_FILTER, {
          order: 'asc',
          concurrency: 3,
          signal: new AbortController().signal,
        })
        const seen: string[] = []
        let appended = 0
        for await (const slice of opened.slices()) {
          appended += 1
          const createdAt = new Date(NOW + appended).toISOString()
          await bench.append([
            JSON.stringify({
              id: `new-${appended}`,
              createdAt,
              event: { type: 'x' },
              actor: { type: 'user' },
            }),
          ])
          for await (const page of opened.read(slice, new AbortController().signal)) seen.push(...idsOf(page))
        }
        await opened.close()
        assert.ok(appended > 10)
        const once = new Set(seen)
        for (const id of before) assert.ok(once.has(id), `${id} is missing`)
        assert.equal([...once].filter((id) => id.startsWith('new-')).length, 0)
        assert.ok(seen.length <= before.length + 5, 'no event twice, but for those that came late')
      },
    )
  })

  for (const [faults, pageSize] of [
    [['ties=3000/1'], 1000],
    [['ties=3000/1'], 100],
    [['ties=3000/30'], 100],
    [['ms-ties=5000/1'], 1000],
    [['ties=2600/2', 'duplicates=40', 'clickhouse'], 1000],
    [['duplicates=300'], 50],
    [['loop'], 100],
    [['pretty'], 1000],
  ] as const) {
    test(`no event is lost or doubled with ${faults.join(' and ')} and pages of ${pageSize} (${generation})`, async () => {
      await withBench({ generation, events: 6000, faults, settings: { pageSize } }, async (bench) => {
        const { events } = await readAll(bench.source, generatedWindow(6000))
        await assertAll(bench, events)
      })
    })
  }
}

test('a slice can be read again after it was handed over', async () => {
  await withBench({ events: 3000 }, async (bench) => {
    const signal = new AbortController().signal
    const opened = await bench.source.open(generatedWindow(3000), NO_FILTER, {
      order: 'asc',
      concurrency: 2,
      signal,
    })
    for await (const slice of opened.slices()) {
      const runs: string[][] = []
      for (let run = 0; run < 2; run += 1) {
        const ids: string[] = []
        for await (const page of opened.read(slice, signal)) ids.push(...idsOf(page))
        runs.push(ids.sort())
      }
      assert.deepEqual(runs[1], runs[0])
    }
    await opened.close()
  })
})

test('a handful of events costs one small request', async () => {
  await withBench({ events: 20_000 }, async (bench) => {
    const signal = new AbortController().signal
    const opened = await bench.source.open(generatedWindow(20_000), NO_FILTER, {
      order: 'desc',
      concurrency: 4,
      signal,
      limit: 50,
    })
    let count = 0
    for await (const slice of opened.slices()) {
      for await (const page of opened.read(slice, signal)) count += page.length
      break
    }
    await opened.close()
    assert.equal(count, 50)
    // The log-in and the page.
    assert.equal(bench.source.requests(), 2)
  })
})

test('a handful of the oldest events is found without reading the newer ones', async () => {
  await withBench({ events: 100_000 }, async (bench) => {
    const window = generatedWindow(100_000)
    const signal = new AbortController().signal
    const opened = await bench.source.open(window, NO_FILTER, {
      order: 'asc',
      concurrency: 4,
      signal,
      limit: 50,
    })
    let count = 0
    for await (const slice of opened.slices()) {
      for await (const page of opened.read(slice, signal)) count += page.length
      if (count >= 50) break
    }
    await opened.close()
    assert.ok(count < 500, String(count))
    assert.ok(bench.source.requests() < 10, String(bench.source.requests()))
  })
})

test('a window in the future, and one of no width, cost no page', async () => {
  await withBench({ events: 100 }, async (bench) => {
    const ahead = await readAll(bench.source, { from: NOW + 1000, to: NOW + 2000 })
    assert.deepEqual([ahead.events.length, ahead.slices], [0, [{ from: NOW + 1000, to: NOW + 2000 }]])
    assert.equal((await readAll(bench.source, { from: 5, to: 5 })).slices.length, 0)
    assert.equal(bench.source.requests(), 0)
  })
})

test('a window of many years is read in pieces that every server takes', async () => {
  await withBench({ events: 500 }, async (bench) => {
    const { events } = await readAll(bench.source, { from: NOW - 3000 * 86_400_000, to: NOW })
    await assertAll(bench, events)
    assert.ok(bench.source.requests() < 80)
  })
})

test('a busy hour after a quiet year stays in slices that fit in memory', async () => {
  await withBench({ events: 30_000 }, async (bench) => {
    const window = { from: generatedWindow(0).from - 365 * 86_400_000, to: NOW }
    for (const order of ['asc', 'desc'] as const) {
      const signal = new AbortController().signal
      const opened = await bench.source.open(window, NO_FILTER, { order, concurrency: 4, signal })
      let total = 0
      for await (const slice of opened.slices()) {
        let rows = 0
        for await (const page of opened.read(slice, signal)) rows += page.length
        assert.ok(rows <= 6000, `${rows} events in one slice`)
        total += rows
      }
      await opened.close()
      assert.equal(total, 30_000)
    }
  })
})
