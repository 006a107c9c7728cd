import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_FILTER } from '../../../src/core/filter.ts'
import type { AuditSource, CommonEvent, EventShape } from '../../../src/core/source.ts'
import { summarize } from '../../../src/operations/summary.ts'
import { followTrail } from '../../../src/operations/trail.ts'
import { idOf, lineOf, PLAIN_SHAPE, scriptedSource } from '../../support/scripted-source.ts'

const START = Date.UTC(2026, 10, 20, 23)
const WINDOW = { from: START, to: START + 3 * 3_600_000 }
const parts = { signal: new AbortController().signal, concurrency: 2 }

const SHAPE: EventShape = {
  ...PLAIN_SHAPE,
  reader: { ...PLAIN_SHAPE.reader, action: (record) => String(record['action']) },
  filters: {
    actor: (record, value) => record['actor'] === value,
    path: (record, value) => String(record['path']).startsWith(value),
    key: (record, value) => record['key'] === value,
    entity: (record, value) => record['entity'] === value,
  },
  toCommon: (record) =>
    ({
      actor: { type: null, id: null, name: record['actor'] ?? null, email: null },
      target: { type: null, id: null, name: record['path'] ?? null },
      outcome: null,
      project: null,
      ip: null,
    }) as unknown as CommonEvent,
}

const source = scriptedSource(
  [
    lineOf(1, START, { action: 'read', actor: 'ada', path: '/a', key: 'K' }),
    lineOf(2, START + 1, { action: 'read', actor: 'bob', path: '/a', key: 'L' }),
    lineOf(3, START + 3_600_000, { action: 'write', actor: 'ada', path: '/b', key: 'K' }),
    lineOf(4, START + 3_600_001, { action: 'read', path: '/a/b', key: 'K', entity: 'ada' }),
  ],
  { shape: SHAPE },
)

for (const [by, filter, expected] of [
  [
    ['action'],
    NO_FILTER,
    [
      [{ action: 'read' }, 3],
      [{ action: 'write' }, 1],
    ],
  ],
  [
    ['actor'],
    NO_FILTER,
    [
      [{ actor: 'ada' }, 2],
      [{ actor: '(none)' }, 1],
      [{ actor: 'bob' }, 1],
    ],
  ],
  [
    ['day'],
    NO_FILTER,
    [
      [{ day: '2026-11-20' }, 2],
      [{ day: '2026-11-21' }, 2],
    ],
  ],
  [
    ['hour', 'action'],
    NO_FILTER,
    [
      [{ hour: '2026-11-20T23:00Z', action: 'read' }, 2],
      [{ hour: '2026-11-21T00:00Z', action: 'read' }, 1],
      [{ hour: '2026-11-21T00:00Z', action: 'write' }, 1],
    ],
  ],
  [['outcome'], NO_FILTER, [[{ outcome: '(none)' }, 4]]],
  [
    ['path'],
    { ...NO_FILTER, fields: { actor: 'ada' } },
    [
      [{ path: '/a' }, 1],
      [{ path: '/b' }, 1],
    ],
  ],
] as const) {
  test(`summary by ${by.join(', ')}${filter === NO_FILTER ? '' : ', filtered'}`, async () => {
    const { total, groups } = await summarize({ ...parts, source }, WINDOW, filter, by)
    assert.deepEqual(
      groups.map(({ key, count }) => [key, count]),
      expected,
    )
    assert.equal(
      total,
      groups.reduce((sum, { count }) => sum + count, 0),
    )
  })
}

for (const [zone, days, hours] of [
  ['Europe/Berlin', { '2026-11-21': 4 }, ['2026-11-21T00:00+01:00', '2026-11-21T01:00+01:00']],
  ['America/New_York', { '2026-11-20': 4 }, ['2026-11-20T18:00-05:00', '2026-11-20T19:00-05:00']],
  ['Asia/Kolkata', { '2026-11-21': 4 }, ['2026-11-21T04:00+05:30', '2026-11-21T05:00+05:30']],
] as const) {
  test(`summary by day and hour in ${zone} counts the days people live there`, async () => {
    // What a server counts is of UTC.
    const counting: AuditSource = {
      ...source,
      summary: async () => ({ total: 1, groups: [{ key: '2026-11-20', count: 1 }], record: {} }),
    }
    const byDay = await summarize({ ...parts, source: counting }, WINDOW, NO_FILTER, ['day'], zone)
    assert.deepEqual(Object.fromEntries(byDay.groups.map(({ key, count }) => [key['day'], count])), days)
    const byHour = await summarize({ ...parts, source }, WINDOW, NO_FILTER, ['hour'], zone)
    assert.deepEqual(
      byHour.groups.map(({ key }) => key['hour']),
      hours,
    )
    const utc = await summarize({ ...parts, source: counting }, WINDOW, NO_FILTER, ['day'])
    assert.equal(utc.total, 1)
  })
}

test('summary takes the counts of a server that has them, and counts by itself where a filter is in the way', async () => {
  const counting: AuditSource = {
    ...source,
    summary: async () => ({
      total: 9,
      groups: [
        { key: 'x', count: 2 },
        { key: 'y', count: 7 },
      ],
      record: {},
    }),
  }
  const given = await summarize({ ...parts, source: counting }, WINDOW, NO_FILTER, ['action'])
  assert.deepEqual([given.total, given.groups[0]], [9, { key: { action: 'y' }, count: 7 }])
  const filter = { ...NO_FILTER, fields: { actor: 'ada' } }
  assert.equal((await summarize({ ...parts, source: counting }, WINDOW, filter, ['action'])).total, 2)
})

for (const [kind, id, expected] of [
  ['secret', '/a/K', [1]],
  ['secret', '/a', [1, 2, 4]],
  ['secret', 'L', [2]],
  ['identity', 'ada', [1, 3, 4]],
  ['entity', 'ada', [4]],
] as const) {
  test(`trail ${kind} ${id} is the events ${expected.join(', ')}`, async () => {
    const trail = await followTrail({ ...parts, source }, { kind, id, window: WINDOW, filter: NO_FILTER })
    assert.deepEqual(
      trail.events.map((event) => event.id),
      expected.map(idOf),
    )
    assert.equal(trail.from, 'events')
  })
}

test('a trail that the source cannot tell is refused with those it can', async () => {
  await assert.rejects(
    followTrail({ ...parts, source }, { kind: 'request', id: 'r', window: WINDOW, filter: NO_FILTER }),
    { code: 'no-trail', hint: 'it has trails of: secret, identity, entity' },
  )
})

test('a trail of the server is sorted, cut to the window and tested again', async () => {
  const events = await followTrail(
    { ...parts, source },
    { kind: 'secret', id: '/', window: WINDOW, filter: NO_FILTER },
  )
  const serving: AuditSource = {
    ...source,
    trail: async () => ({
      events: (async function* () {
        yield events.events.toReversed()
        yield events.events
      })(),
      lines: () => [],
      summary: () => ({ said: 'by the server' }),
      warnings: () => ['w'],
    }),
  }
  const window = { from: START + 1, to: WINDOW.to }
  const trail = await followTrail(
    { ...parts, source: serving },
    { kind: 'secret', id: '/', window, filter: NO_FILTER },
  )
  assert.deepEqual(
    trail.events.map(({ id }) => id),
    [2, 3, 4].map(idOf),
  )
  assert.deepEqual([trail.from, trail.warnings, trail.summary], ['server', ['w'], { said: 'by the server' }])
})
