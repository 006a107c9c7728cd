import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortEvents } from '../../../src/cli/sort-events.ts'
import { type AuditEvent, NamedEvent } from '../../../src/core/event.ts'

const reader = {
  type: 'test',
  action: () => '',
  actor: (record: { readonly [key: string]: unknown }) =>
    (record['by'] as { name?: string } | undefined)?.name,
  target: (record: { readonly [key: string]: unknown }) => record['thing'] as string | undefined,
}

const event = (id: string, more: object): AuditEvent =>
  new NamedEvent(reader, Buffer.from(JSON.stringify({ id, ...more })), {
    id,
    occurredAt: '2026-11-20T12:00:00Z',
    occurredAtMs: 0,
  })

const EVENTS = [
  event('1', { by: { name: 'mona' }, actor: { id: 'x' }, thing: 'b', ms: 9 }),
  event('2', { by: { name: 'dana' }, actor: { id: 'y' }, thing: 'c', ms: 10 }),
  event('3', { by: { name: 'zoe' }, thing: 'a' }),
]
const asIs = (one: AuditEvent) => one
const common = (one: AuditEvent) =>
  event(one.id, {
    actor: { name: one.actor },
    target: { name: one.target },
    outcome: one.id === '2' ? 'a' : 'b',
  })

for (const [field, order, toShape, expected, hasField] of [
  ['ms', 'asc', asIs, ['1', '2', '3'], true],
  ['ms', 'desc', asIs, ['2', '1', '3'], true],
  // Columns of the table that no member of the record is named after.
  ['actor', 'asc', asIs, ['2', '1', '3'], true],
  ['target', 'asc', asIs, ['3', '1', '2'], true],
  ['actor.id', 'desc', asIs, ['2', '1', '3'], true],
  // What is shown decides, and the native event where the shape has no such field.
  ['actor.name', 'asc', common, ['2', '1', '3'], true],
  ['outcome', 'asc', common, ['2', '1', '3'], true],
  ['thing', 'desc', common, ['2', '1', '3'], true],
  ['nosuch', 'asc', asIs, ['1', '2', '3'], false],
] as const) {
  test(`rows are ordered by ${field}, ${order}${toShape === common ? ', in another shape' : ''}`, () => {
    const sorted = sortEvents(EVENTS, field, order, toShape)
    assert.deepEqual(
      sorted.events.map(({ id }) => id),
      expected,
    )
    assert.equal(sorted.hasField, hasField)
  })
}

test('no rows miss no field', () => assert.equal(sortEvents([], 'nosuch', 'asc', asIs).hasField, true))
