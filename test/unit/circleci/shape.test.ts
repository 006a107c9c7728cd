import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type JsonObject, NamedEvent } from '../../../src/core/event.ts'
import { circleciShape } from '../../../src/sources/circleci/shape.ts'
import { circleEvent, FROM, lineOf } from '../../support/circleci-bucket.ts'

const SETTINGS = { store: 'postgres', retentionDays: undefined } as const
const record = (more: Record<string, unknown> = {}): JsonObject =>
  JSON.parse(lineOf(circleEvent(1, FROM, more))) as JsonObject
const eventOf = (text: string) =>
  new NamedEvent(circleciShape.reader, Buffer.from(text), {
    id: 'x',
    occurredAt: '2025-07-05T09:00:00Z',
    occurredAtMs: FROM,
  })

describe('the shape of CircleCI', () => {
  test('maps to the common event, the VCS prefix of a name cut off', () => {
    assert.deepEqual(circleciShape.toCommon(record()), {
      id: '00000000-0000-4000-8000-000000000001',
      time: '2025-07-05T09:00:00.000118203Z',
      actor: { type: 'user', id: 'b1f6', name: 'mona', email: null },
      action: 'context.secrets.accessed',
      target: { type: 'context', id: '91ac', name: 'aws-prod' },
      outcome: 'success',
      ip: '203.0.113.9',
      userAgent: null,
      requestId: 'c0ffee',
      organization: '0f2b',
      project: null,
      source: 'circleci',
    })
  })

  for (const [title, more, path, expected] of [
    ['the copy of the IP where there is no request', { request: undefined }, 'ip', '203.0.113.9'],
    ['a failure', { success: false }, 'outcome', 'failure'],
    ['the outcome of a CSV', { success: 'FALSE' }, 'outcome', 'failure'],
    ['no outcome where none is told', { success: undefined, common_fields: undefined }, 'outcome', null],
    [
      'the organization from the scope',
      { organization: undefined, scope: { id: 's', type: 'organization' } },
      'organization',
      's',
    ],
    [
      'the account where the scope is none',
      { organization: undefined, scope: { id: 's', type: 'user' }, account: { id: 'a' } },
      'organization',
      'a',
    ],
    ['a project that is the target', { target: { id: 'p', type: 'project', name: 'web' } }, 'project', 'p'],
    ['a project that the payload names', { payload: { project_id: 'pp' } }, 'project', 'pp'],
  ] as const) {
    test(`maps ${title}`, () => {
      const common = circleciShape.toCommon(record(more)) as unknown as Record<string, unknown>
      assert.equal(common[path], expected)
    })
  }

  for (const [name, value, more, expected] of [
    ['event', 'context-secrets-accessed', {}, true],
    ['event', 'checkout-key.create', { action: 'checkout.key.create' }, true],
    ['event', 'context.secrets', {}, false],
    ['actor', 'mona', {}, true],
    ['actor', 'github: mona', {}, true],
    ['actor', 'b1f6', {}, true],
    ['actor', 'mon', {}, false],
    ['key', 'AWS_ROLE_ARN', {}, true],
    ['key', 'B', { payload: { environment_variable_titles: 'A, B' } }, true],
    ['key', 'AWS', {}, false],
    ['entity', 'aws-prod', {}, true],
    ['entity', '91ac', { target: {}, payload: { context_id: '91ac' } }, true],
    ['request-id', 't-1', { request: { id: 'x', client_trace_id: 't-1' } }, true],
    ['outcome', 'failure', { success: false }, true],
  ] as const) {
    test(`--${name} ${value} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(more)}`, () => {
      assert.equal(circleciShape.filters[name]?.(record(more), value), expected)
    })
  }

  test('has no filter for what CircleCI does not record', () => {
    for (const name of ['environment', 'path', 'model', 'user-agent-type'] as const) {
      assert.equal(circleciShape.filters[name], undefined)
    }
  })

  test('names every action by itself first', () => {
    for (const action of circleciShape.knownEventTypes) assert.equal(circleciShape.aliases(action)[0], action)
    assert.deepEqual(circleciShape.aliases('workflow-job-start'), [
      'workflow-job-start',
      'workflow.job.start',
    ])
  })

  test('streams a native event to the byte', () => {
    const text = lineOf(circleEvent(1, FROM))
    assert.equal(Buffer.from(circleciShape.asStreamed(eventOf(text), SETTINGS).bytes).toString(), text)
  })

  test('streams an event of a CSV as the product would have', () => {
    const native = record()
    const csv = { ...native, version: '1', success: 'TRUE', scope: null, account: null, common_fields: null }
    const { bytes, notRebuilt } = circleciShape.asStreamed(eventOf(JSON.stringify(csv)), SETTINGS)
    assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()), native)
    assert.deepEqual(notRebuilt, [])
  })
})
