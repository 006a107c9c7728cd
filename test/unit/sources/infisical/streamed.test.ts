import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent, JsonObject } from '../../../../src/core/event.ts'
import { eventsOf } from '../../../../src/core/events-of.ts'
import { sliceOrParse } from '../../../../src/core/json-slice.ts'
import { faultPlan } from '../../../../src/sandbox/faults.ts'
import { startInfisical } from '../../../../src/sandbox/infisical/index.ts'
import { streamedText } from '../../../../src/sandbox/infisical/streamed.ts'
import { infisicalShape } from '../../../../src/sources/infisical/shape.ts'
import { row } from '../../../support/infisical-stub.ts'
import { randomObject, randomString, randomValue, seededRandom } from '../../../support/json-fuzz.ts'

const KEYS = { idKey: 'id', timeKey: 'createdAt' }

function eventsFrom(texts: readonly string[]): readonly AuditEvent[] {
  const bytes = Buffer.from(`[${texts.join(',')}]`)
  return eventsOf(sliceOrParse(bytes, { arrayKey: undefined, ...KEYS }).spans, infisicalShape)
}

function streamed(text: string, store: 'postgres' | 'clickhouse' = 'postgres', retentionDays?: number) {
  const [event] = eventsFrom([text]) as [AuditEvent]
  const { bytes, notRebuilt } = infisicalShape.asStreamed(event, { store, retentionDays })
  return { text: Buffer.from(bytes).toString(), notRebuilt }
}

async function nativeEvents(events: number | undefined): Promise<readonly JsonObject[]> {
  const server = await startInfisical({
    events,
    seed: 3,
    generation: '2025',
    recent: false,
    faults: faultPlan(),
    now: () => Date.UTC(2026, 10, 21),
  })
  try {
    return [...(server.events?.() ?? [])]
  } finally {
    await server.close()
  }
}

test('asStreamed() equals the shape built through objects, byte for byte, for every recorded and generated event', async () => {
  for (const events of [undefined, 3000]) {
    const natives = await nativeEvents(events)
    assert.ok(natives.length >= 3000)
    const texts = natives.map((native) => JSON.stringify(native))
    for (const store of ['postgres', 'clickhouse'] as const) {
      for (const [n, event] of eventsFrom(texts).entries()) {
        const { bytes } = infisicalShape.asStreamed(event, { store, retentionDays: undefined })
        assert.equal(Buffer.from(bytes).toString(), streamedText(natives[n] as JsonObject, { store }))
      }
    }
  }
})

const PLAIN = JSON.parse(row(1, 1_770_000_000_417_000).json) as JsonObject

for (const [name, native] of [
  ['members in another order', { actor: PLAIN['actor'], event: PLAIN['event'], ...PLAIN }],
  ['unknown members between and after', { eventClass: 'x', ...PLAIN, more: { type: 1 }, 'event.type': 'no' }],
  ['metadata that is an array', { ...PLAIN, event: { type: 'a', metadata: [1, { b: 2 }] } }],
  ['metadata that is null', { ...PLAIN, event: { type: 'a', metadata: null } }],
  ['metadata that is a scalar', { ...PLAIN, event: { type: 'a', metadata: 'nothing' } }],
  ['metadata that is absent', { ...PLAIN, event: { type: 'a' }, actor: { type: 'user' } }],
  ['metadata before the type', { ...PLAIN, event: { metadata: { a: 1 }, type: 'a' } }],
  [
    'an event with a member that looks like the actor',
    { ...PLAIN, event: { type: 'a', metadata: {}, actor: 1 } },
  ],
  [
    'metadata that looks like the end of the row',
    { ...PLAIN, event: { type: 'a', metadata: { actor: { type: '"}},' } } } },
  ],
  [
    'escapes and all of Unicode in texts',
    { ...PLAIN, userAgent: 'a"\\b\u2028\u{1f600}é\n', projectName: '"' },
  ],
  [
    'members that are missing',
    { id: PLAIN['id'], createdAt: PLAIN['createdAt'], event: { type: 'a' }, actor: { type: 'b' } },
  ],
  ['updatedAt of its own', { ...PLAIN, updatedAt: '2026-01-01T00:00:00.000Z' }],
  ['a null updatedAt', { ...PLAIN, updatedAt: null }],
  ['a project that has a name', { ...PLAIN, projectId: PLAIN['id'], projectName: 'web' }],
  ['an id that is no UUID', { ...PLAIN, id: 'short', orgId: 'x-y' }],
] as const) {
  test(`asStreamed() takes a row with ${name}`, () => {
    for (const store of ['postgres', 'clickhouse'] as const) {
      assert.equal(
        streamed(JSON.stringify(native), store).text,
        streamedText(native as JsonObject, { store }),
      )
    }
  })
}

test('asStreamed() copies numbers and nested objects as they are spelled', () => {
  const text = JSON.stringify({ ...PLAIN, event: { type: 'a', metadata: 'HERE' } }).replace(
    '"HERE"',
    '{"big":12345678901234567890,"n":1.0,"twice":1,"twice":2,"s":"\\u00e9\\/"}',
  )
  assert.match(
    streamed(text).text,
    /"eventMetadata":\{"big":12345678901234567890,"n":1\.0,"twice":1,"twice":2,"s":"\\u00e9\\\/"\},/,
  )
})

test('asStreamed() reads a key that is spelled with escapes', () => {
  const text = JSON.stringify({ ...PLAIN, userAgent: 'me' }).replace('"userAgent"', '"user\\u0041gent"')
  assert.match(streamed(text).text, /"userAgent":"me"/)
})

test('asStreamed() takes expiresAt from the retention where the API says null, and names it as lost otherwise', () => {
  const text = JSON.stringify(PLAIN)
  assert.deepEqual(streamed(text).notRebuilt, ['expiresAt'])
  assert.match(streamed(text).text, /"expiresAt":null/)
  const rebuilt = streamed(text, 'postgres', 30)
  assert.deepEqual(rebuilt.notRebuilt, [])
  const expected = new Date(1_770_000_000_417 + 30 * 86_400_000).toISOString()
  assert.ok(rebuilt.text.includes(`"expiresAt":"${expected}"`))
  const given = streamed(JSON.stringify({ ...PLAIN, expiresAt: '2030-01-01T00:00:00.000Z' }), 'postgres', 30)
  assert.deepEqual(given.notRebuilt, [])
  assert.ok(given.text.includes('"expiresAt":"2030-01-01T00:00:00.000Z"'))
})

test('asStreamed() gives bytes that later events do not overwrite', () => {
  const [first, second] = eventsFrom([row(1, 1000).json, row(2, 2000).json]) as [AuditEvent, AuditEvent]
  const settings = { store: 'postgres', retentionDays: undefined } as const
  const { bytes } = infisicalShape.asStreamed(first, settings)
  const before = Buffer.from(bytes).toString()
  for (let i = 0; i < 5000; i += 1) infisicalShape.asStreamed(second, settings)
  assert.equal(Buffer.from(bytes).toString(), before)
})

test('asStreamed() copies hostile members whole, in whatever order they come', () => {
  const random = seededRandom(11)
  for (let round = 0; round < 2000; round += 1) {
    const [userAgent, ip, name] = [randomString(random), randomString(random), randomString(random)]
    const [eventType, actor] = [randomString(random), randomString(random)]
    const [eventMetadata, actorMetadata] = [randomObject(random, 3), randomObject(random, 2)]
    const members = [
      '"id":"b9665ae7-9ce8-4ee9-8ea8-353d13e773a9"',
      `"ipAddress":${ip}`,
      `"userAgent":${userAgent}`,
      '"userAgentType":null',
      '"expiresAt":"2026-12-20T12:45:41.528Z"',
      '"createdAt":"2026-11-20T12:45:41.528Z"',
      '"updatedAt":"2026-11-20T12:45:41.528Z"',
      '"orgId":"o"',
      '"projectId":null',
      `"projectName":${name}`,
      `"event":{"type":${eventType},"metadata":${eventMetadata}}`,
      `"actor":{"type":${actor},"metadata":${actorMetadata}}`,
    ]
    if (round % 3 === 1) members.sort(() => random() - 0.5)
    if (round % 3 === 2) members.splice(Math.floor(random() * 13), 0, `"unknown":${randomValue(random)}`)
    const expected =
      `{"id":"b9665ae7-9ce8-4ee9-8ea8-353d13e773a9","actor":${actor},"orgId":"o"` +
      `,"createdAt":"2026-11-20T12:45:41.528Z","eventType":${eventType},"expiresAt":"2026-12-20T12:45:41.528Z"` +
      `,"ipAddress":${ip},"projectId":null,"updatedAt":"2026-11-20T12:45:41.528Z","userAgent":${userAgent}` +
      `,"projectName":${name},"actorMetadata":${actorMetadata},"eventMetadata":${eventMetadata},"userAgentType":null}`
    assert.equal(streamed(`{${members.join(',')}}`).text, expected)
  }
})
