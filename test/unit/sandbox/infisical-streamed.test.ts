import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NamedEvent } from '../../../src/core/event.ts'
import { eventAt, eventBytes } from '../../../src/sandbox/infisical/event-set.ts'
import { generatedSet } from '../../../src/sandbox/infisical/generated-set.ts'
import { recordedSet } from '../../../src/sandbox/infisical/recorded-set.ts'
import { streamedShape, streamedText } from '../../../src/sandbox/infisical/streamed.ts'
import { infisicalShape } from '../../../src/sources/infisical/shape.ts'

const native = {
  id: '1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11',
  ipAddress: '198.51.100.23',
  userAgent: 'cli',
  userAgentType: 'cli',
  expiresAt: '2030-05-01T09:15:02.417Z',
  createdAt: '2030-02-01T09:15:02.417Z',
  updatedAt: '2030-02-01T09:15:02.417Z',
  orgId: '5d2f6c1e-93f0-4c47-8f0b-6f2f4a3c9d10',
  projectId: 'c0a8f7d4-2a55-4c0d-8d5e-3a9be2b7f6a4',
  projectName: null,
  event: {
    type: 'get-secret',
    metadata: {
      environment: 'prod',
      secretPath: '/',
      secretId: '9e0e1b52-51a1-4b2b-8f0a-2f0f4f6f9a01',
      secretKey: 'DEMO_KEY',
      secretVersion: 3,
    },
  },
  actor: {
    type: 'identity',
    metadata: { identityId: '77b1c4de-0a0f-4f8e-9d6c-1f4f0b9a2c33', name: 'demo-runner' },
  },
  eventClass: 'data-access',
}

test('the streamed shape is flat, in the order of the outbox, without what the API adds', () => {
  const expected =
    '{"id":"1b6f0c52-7d0e-4a56-9a53-0a6f5d7f1e11","actor":"identity","orgId":"5d2f6c1e-93f0-4c47-8f0b-6f2f4a3c9d10","createdAt":"2030-02-01T09:15:02.417Z","eventType":"get-secret","expiresAt":"2030-05-01T09:15:02.417Z","ipAddress":"198.51.100.23","projectId":"c0a8f7d4-2a55-4c0d-8d5e-3a9be2b7f6a4","updatedAt":"2030-02-01T09:15:02.417Z","userAgent":"cli","actorMetadata":{"name":"demo-runner","identityId":"77b1c4de-0a0f-4f8e-9d6c-1f4f0b9a2c33"},"eventMetadata":{"secretId":"9e0e1b52-51a1-4b2b-8f0a-2f0f4f6f9a01","secretKey":"DEMO_KEY","secretPath":"/","environment":"prod","secretVersion":3},"userAgentType":"cli"}'
  assert.equal(JSON.stringify(streamedShape(native, { store: 'postgres' })), expected)
  assert.equal(streamedText(native, { store: 'postgres' }), expected)
})

const bare = {
  ...native,
  ipAddress: null,
  userAgent: null,
  userAgentType: null,
  projectId: null,
  projectName: 'demo',
}
for (const [store, missing, projectName] of [
  ['postgres', null, 'demo'],
  ['clickhouse', '', undefined],
] as const) {
  test(`what is missing is ${JSON.stringify(missing)} when ${store} streamed it`, () => {
    const streamed = streamedShape(bare, { store })
    for (const key of ['ipAddress', 'userAgent', 'userAgentType', 'projectId']) {
      assert.equal(streamed[key], missing, key)
    }
    assert.equal(streamed['projectName'], projectName)
    assert.equal('projectName' in streamed, projectName !== undefined)
  })
}

for (const [metadata, streamed] of [
  [null, {}],
  [undefined, {}],
  ['text', {}],
  [7, {}],
  [[1, { b: 2, a: 1 }], { data: [1, { a: 1, b: 2 }] }],
] as const) {
  test(`metadata ${JSON.stringify(metadata)} is streamed as ${JSON.stringify(streamed)}`, () => {
    const event = { ...native, event: { type: 'x', metadata } }
    assert.deepEqual(streamedShape(event, { store: 'postgres' })['eventMetadata'], streamed)
  })
}

test('an expiry that the API does not give stays null', () => {
  assert.equal(streamedShape({ ...native, expiresAt: null }, { store: 'postgres' })['expiresAt'], null)
})

test('nested keys are ordered by their length in bytes, then by bytes, also where they are numbers', () => {
  const metadata = { bb: 1, '100': 2, a: { '10': 3, z: 4 }, ü: 5, b: 6 }
  const text = streamedText({ ...native, event: { type: 'x', metadata } }, { store: 'postgres' })
  assert.match(text, /"eventMetadata":\{"a":\{"z":4,"10":3\},"b":6,"bb":1,"ü":5,"100":2\}/)
})

test('the quick way from bytes and the way through objects agree on every recorded and many generated events', () => {
  const form = { seed: 1, nullExpiry: false, eventClass: true }
  const generated = generatedSet({ ...form, size: 2000, fromUs: 1.8e15, toUs: 1.8001e15 })
  for (const set of [recordedSet({ ...form, lastUs: undefined }), generated]) {
    for (let index = 0; index < set.size; index += 1) {
      const record = eventAt(set, index)
      const event = new NamedEvent(infisicalShape.reader, eventBytes(set, index), {
        id: record.id,
        occurredAt: record.createdAt,
        occurredAtMs: Date.parse(record.createdAt),
      })
      for (const store of ['postgres', 'clickhouse'] as const) {
        const { bytes } = infisicalShape.asStreamed(event, { store, retentionDays: undefined })
        assert.equal(Buffer.from(bytes).toString('utf8'), streamedText(record, { store }))
      }
    }
  }
})
