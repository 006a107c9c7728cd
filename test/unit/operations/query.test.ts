import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCursor, encodeCursor } from '../../../src/cli/query-cursor.ts'
import { UserError } from '../../../src/core/errors.ts'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { AuditSource, Order, Slice } from '../../../src/core/source.ts'
import { type QueryPosition, queryEvents } from '../../../src/operations/query.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { idOf, lineOf, type ScriptedSource, scriptedSource } from '../../support/scripted-source.ts'

const START = Date.UTC(2026, 10, 20)
const WINDOW = { from: START, to: START + 60_000 }
const signal = new AbortController().signal

/** Slices in the asked order, as real sources give them. */
function ordered(source: ScriptedSource): AuditSource {
  return {
    ...source,
    async open(window, filter, options) {
      const opened = await source.open(window, filter, options)
      return {
        ...opened,
        async *slices() {
          const all: Slice[] = []
          for await (const slice of opened.slices()) all.push(slice)
          yield* options.order === 'desc' ? all.reverse() : all
        },
      }
    },
  }
}

async function pageOf(
  source: AuditSource,
  order: Order,
  limit: number | undefined,
  after: QueryPosition | undefined,
) {
  const pages = queryEvents(
    { source, signal, concurrency: 3 },
    { window: WINDOW, filter: NO_FILTER, order, limit, after },
  )
  const ids: string[] = []
  for (;;) {
    const step = await pages.next()
    if (step.done) return { ids, ...step.value }
    ids.push(...step.value.map(({ id }) => id))
  }
}

for (const seed of [1, 2, 3, 4, 5]) {
  for (const order of ['asc', 'desc'] as const) {
    test(`pages of any size in ${order} order give every event once, while others arrive (seed ${seed})`, async () => {
      const dice = fakeClock(0, seed)
      const draw = (below: number): number => Math.floor(dice.random() * below)
      let serial = 0
      // Few instants, so that most events share theirs with others.
      const lineAt = (): string => lineOf(serial++, START + draw(20) * 3000, { n: draw(9) })
      const source = scriptedSource(Array.from({ length: 60 }, lineAt), { sliceMs: 7000 })
      const visible = new Set(source.lines.map((line) => (JSON.parse(line) as { id: string }).id))
      const seen: string[] = []
      let after: QueryPosition | undefined
      for (let page = 0; page < 200; page += 1) {
        const { ids, hasMore, last } = await pageOf(ordered(source), order, 1 + draw(7), after)
        seen.push(...ids)
        if (!hasMore) break
        after = last
        if (page % 3 === 0) source.lines.push(lineAt())
      }
      assert.equal(new Set(seen).size, seen.length, 'no event twice')
      for (const id of visible) assert.ok(seen.includes(id), `${id} was there from the beginning`)
    })
  }
}

test('a limit that is just reached says that there is no more', async () => {
  const source = ordered(scriptedSource([lineOf(1, START), lineOf(2, START + 1)], { sliceMs: 1 << 30 }))
  assert.deepEqual(await pageOf(source, 'asc', 2, undefined), {
    ids: [idOf(1), idOf(2)],
    hasMore: false,
    last: { ms: START + 1, time: new Date(START + 1).toISOString(), id: idOf(2) },
  })
  assert.equal((await pageOf(source, 'asc', 1, undefined)).hasMore, true)
})

const CURSOR = {
  source: 'prod',
  window: WINDOW,
  order: 'desc',
  filter: { fields: { actor: 'ü' }, events: ['a'], where: [{ path: ['a'], operator: '=', value: 'x' }] },
  after: { ms: START, time: '2026-11-20T00:00:00.000123Z', id: 'e' },
  limit: 50,
} as const

test('a cursor comes back as it went, and is a single word', () => {
  const text = encodeCursor(CURSOR)
  assert.match(text, /^[A-Za-z0-9_-]+$/)
  assert.deepEqual(decodeCursor(text), { v: 1, ...CURSOR })
})

for (const [title, text] of [
  ['nothing', ''],
  ['another text', 'hello'],
  ['a cut one', encodeCursor(CURSOR).slice(0, -9)],
  ['a later version', Buffer.from(JSON.stringify({ ...CURSOR, v: 2 })).toString('base64url')],
  [
    'one without a position',
    Buffer.from(JSON.stringify({ v: 1, ...CURSOR, after: null })).toString('base64url'),
  ],
  [
    'one of another order',
    Buffer.from(JSON.stringify({ v: 1, ...CURSOR, order: 'up' })).toString('base64url'),
  ],
  ['one without filters', Buffer.from(JSON.stringify({ v: 1, ...CURSOR, filter: {} })).toString('base64url')],
] as const) {
  test(`decodeCursor() refuses ${title}`, () => assert.throws(() => decodeCursor(text), UserError))
}
