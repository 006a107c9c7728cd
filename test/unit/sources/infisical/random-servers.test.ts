import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent } from '../../../../src/core/event.ts'
import { NO_FILTER } from '../../../../src/core/filter.ts'
import { SILENT } from '../../../../src/core/runtime.ts'
import type { AuditSource, Order } from '../../../../src/core/source.ts'
import type { TimeRange } from '../../../../src/core/time-range.ts'
import { createHttpClient } from '../../../../src/http/client.ts'
import { type QueryPosition, queryEvents } from '../../../../src/operations/query.ts'
import { readSlices } from '../../../../src/operations/read-slices.ts'
import { fakeClock } from '../../../support/fake-clock.ts'
import { NOW, sourceOf } from '../../../support/infisical-source.ts'
import { type Dice, diceOf, type Habits, startRandomServer } from '../../../support/random-server.ts'

const START = Date.UTC(2026, 10, 1)
const SEEDS = 48
const signal = new AbortController().signal

/** A server with habits of its own, and what it holds: evenly spread, in crowds of one microsecond or millisecond, or at the edges. */
async function trialOf(dice: Dice) {
  const spanMs = dice.pick([50, 2000, 60_000, 3_600_000, 20 * 86_400_000])
  const habits: Habits = {
    isInclusive: dice.chance(0.5),
    maxLimit: dice.pick([Number.POSITIVE_INFINITY, 1000, 50, 10]),
    widestMs: dice.chance(0.3) ? Math.max(1000, spanMs / dice.int(2, 20)) : Number.POSITIVE_INFINITY,
    slowMs: dice.chance(0.2) ? Math.max(1500, spanMs / dice.int(2, 12)) : Number.POSITIVE_INFINITY,
    errors: dice.chance(0.3) ? 0.03 : 0,
    late: dice.chance(0.3) ? 0.1 : 0,
    forgets: dice.chance(0.2) ? 0.02 : 0,
  }
  const window = { from: START, to: START + spanMs }
  const server = await startRandomServer(dice, habits, window)
  const anywhere = () => START * 1000 + dice.int(0, spanMs * 1000 - 1)
  const edges = [START, START + spanMs, START + Math.floor(spanMs / 2)].flatMap((ms) => [
    ms * 1000,
    ms * 1000 - 1,
    ms * 1000 + 1,
  ])
  const kind = dice.pick(['even', 'crowds', 'milliseconds', 'edges'])
  for (let left = dice.pick([0, 1, 40, 300]); left > 0; ) {
    const size = kind === 'even' ? 1 : dice.int(1, 40)
    const place = kind === 'edges' ? dice.pick(edges) : anywhere()
    for (let n = 0; n < size; n += 1)
      server.add(kind === 'milliseconds' ? place - (place % 1000) + dice.int(0, 999) : place)
    left -= size
  }
  if (dice.chance(0.25)) server.double()
  return { server, window, about: { ...habits, spanMs, kind } }
}

type Reading = {
  readonly order: Order
  readonly concurrency: number
  /** Events of a page that is asked for by the cursor of the one before it. */
  readonly limit: number | undefined
}

async function readAll(
  source: AuditSource,
  window: TimeRange,
  { order, concurrency, limit }: Reading,
): Promise<AuditEvent[]> {
  const got: AuditEvent[] = []
  if (limit === undefined) {
    for await (const { events } of readSlices(source, window, NO_FILTER, { order, concurrency, signal }))
      got.push(...events)
    return got
  }
  let after: QueryPosition | undefined
  for (;;) {
    const asked = { window, filter: NO_FILTER, order, limit, after }
    const pages = queryEvents({ source, signal, concurrency }, asked)
    let step = await pages.next()
    for (; step.done !== true; step = await pages.next()) got.push(...step.value)
    if (!step.value.hasMore) return got
    after = step.value.last
  }
}

test('whatever the server is like, every event comes exactly once and in order', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const dice = diceOf(seed)
    const { server, window, about } = await trialOf(dice)
    const clock = fakeClock(NOW, seed)
    const http = createHttpClient({ clock, log: SILENT, env: {}, version: 'test' })
    const pageSize = dice.pick([2, 5, 10, 50, 200, 1000])
    const reading: Reading = {
      order: dice.pick(['asc', 'desc']),
      concurrency: dice.int(1, 8),
      limit: dice.chance(0.3) ? dice.int(15, 60) : undefined,
    }
    const said = `seed ${seed}: ${JSON.stringify({ ...about, ...reading, pageSize })}`
    try {
      const wanted = new Set(
        server
          .rows()
          .filter(({ us }) => us >= window.from * 1000 && us < window.to * 1000)
          .map(({ id }) => id),
      )
      const auth = { method: 'universal-auth', clientId: 'one', clientSecret: 'a-secret-0123456789' }
      const source = sourceOf(http, clock, { type: 'infisical', url: server.url, auth, pageSize })
      const got = await readAll(source, window, reading).catch((cause: unknown) => {
        throw new Error(said, { cause })
      })
      const ids = got.map(({ id }) => id)
      const late = new Set(server.late.map(({ id }) => id))
      assert.equal(new Set(ids).size, ids.length, `${said}: an event twice`)
      assert.deepEqual(
        [...wanted].filter((id) => !ids.includes(id)),
        [],
        `${said}: missing`,
      )
      assert.deepEqual(
        ids.filter((id) => !wanted.has(id) && !late.has(id)),
        [],
        `${said}: not of the window`,
      )
      const ascending = reading.order === 'asc' ? got : got.toReversed()
      const sorted = ascending.toSorted((a, b) => a.occurredAtMs - b.occurredAtMs || (a.id < b.id ? -1 : 1))
      assert.deepEqual(
        ascending.map(({ id }) => id),
        sorted.map(({ id }) => id),
        `${said}: order`,
      )
    } finally {
      await http.close()
      await server.close()
    }
  }
  t.diagnostic(`${SEEDS} servers`)
})
